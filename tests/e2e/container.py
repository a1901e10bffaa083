"""A machine with a real systemd, logind and polkit, on which CPM is installed as its package
installs it: a container (systemd-nspawn) over one small Debian that is built once. It shares the
network of the caller, who has to be in a namespace of its own. Needs root."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import support
from support import BIN, wait_until

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ("systemd,systemd-sysv,dbus,polkitd,libpam-systemd,libfmt9,libsodium23,libssl3,"
            "libboost-json1.81.0,libsystemd0,libtomlplusplus3,librocksdb7.8,"
            "libprometheus-cpp-core1.0")
INSTALLED = {
    BIN / "cpm-agent": "usr/bin/cpm-agent",
    SOURCE / "packaging/cpm-agent.service": "usr/lib/systemd/system/cpm-agent.service",
    SOURCE / "packaging/cpm-agent-hooks.service": "usr/lib/systemd/system/cpm-agent-hooks.service",
    SOURCE / "packaging/cpm-agent.sysusers": "usr/lib/sysusers.d/cpm-agent.conf",
    SOURCE / "packaging/cpm-agent.rules": "usr/share/polkit-1/rules.d/50-cpm-agent.rules",
    BIN / "cpm-manager": "usr/bin/cpm-manager",
    SOURCE / "packaging/cpm-manager.service": "usr/lib/systemd/system/cpm-manager.service",
    SOURCE / "packaging/cpm-manager.sysusers": "usr/lib/sysusers.d/cpm-manager.conf",
}
HIERARCHIES = [pathlib.Path("/sys/fs/cgroup") / name for name in ("systemd", "unified", ".")]


def need():
    support.need_root("a container")
    support.need_program("systemd-nspawn", "mmdebstrap", "unshare", "nsenter", "ip")
    support.need_private_mounts()
    root()


def in_a_network_of_its_own():
    """Starts the calling file again in a network and mount namespace of its own."""
    if os.environ.get("CPM_OWN_NETWORK"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ["CPM_OWN_NETWORK"] = "1"
    import sys
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, "-B", *sys.argv])


def root():
    """The small Debian: built once a machine, and for each list of packages."""
    name = hashlib.sha256(PACKAGES.encode()).hexdigest()[:12]
    path = pathlib.Path("/var/tmp") / f"cpm-machine-{name}"
    if not path.exists():
        draft = tempfile.mkdtemp(prefix="cpm-machine-", dir="/var/tmp")
        built = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase",
                                f"--include={PACKAGES}", "bookworm", draft],
                               capture_output=True, text=True)
        if built.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            support.skip(f"no Debian can be built: {built.stderr[-300:]}")
        os.rename(draft, path)
    return path


class Container:
    def __init__(self, name="m1"):
        self.scratch = tempfile.TemporaryDirectory(prefix="cpm-container-", dir="/var/tmp")
        self.folder, self.name = pathlib.Path(self.scratch.name), name
        self.root, self.process, self.group = self.folder / "root", None, self.folder.name
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={root()},upperdir={self.folder}/upper,"
                        f"workdir={self.folder}/work", self.root], check=True)
        for source, target in INSTALLED.items():
            (self.root / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, self.root / target)
        (self.root / "etc/hostname").write_text(f"{name}\n")

    def groups(self):
        return [path / self.group for path in HIERARCHIES if (path / "cgroup.procs").exists()]

    def boot(self):
        for group in self.groups():
            group.mkdir(exist_ok=True)
        enter = "".join(f"echo $$ > {group}/cgroup.procs; " for group in self.groups())
        nspawn = (f"systemd-nspawn --quiet --register=no --keep-unit --machine={self.name} "
                  f"--network-namespace-path=/proc/self/ns/net --directory={self.root} --boot "
                  "--console=pipe")
        # In a PID namespace of its own: whatever it ends, it is not this machine.
        if self.process:
            self.log.close()
        self.log = open(self.folder / "console", "ab")
        self.process = subprocess.Popen(
            ["sh", "-c", f"{enter} exec unshare --pid --fork --kill-child --mount-proc {nspawn}"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_until("its init", self.init, 20)
        wait_until("its start", lambda: self.run("systemctl", "is-system-running")[1].strip() in
                   ("running", "degraded"), 60, 0.2)
        return self

    def init(self):
        """The process that is its init, as seen from here."""
        child = self.process.pid
        for _ in range(2):  # unshare, systemd-nspawn
            found = subprocess.run(["pgrep", "-P", str(child)], capture_output=True, text=True)
            if not found.stdout.split():
                return None
            child = int(found.stdout.split()[0])
        return child

    def run(self, *command, user=None):
        """A command in it: (exit status, all output)."""
        init = self.init()
        if init is None:
            return 255, "not running"
        as_user = []
        if user:
            as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        # "-r": where this machine is a chroot, the root of the mounts is not the container's.
        run = subprocess.run(["nsenter", "-t", str(init), "-m", "-r", "-u", "-i", "-p", "--",
                              *as_user, *command], capture_output=True, text=True, timeout=60)
        return run.returncode, run.stdout + run.stderr

    def is_running(self):
        return self.process.poll() is None

    def journal(self, unit="cpm-agent*", *more):
        return self.run("journalctl", "-u", unit, "--no-pager", *more)[1]

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.log.close()
        wait_until("its end", lambda: subprocess.run(
            ["umount", self.root], capture_output=True).returncode == 0)
        wait_until("its groups' end", self.remove_groups)
        self.scratch.cleanup()

    def remove_groups(self):
        """They go when their last process has."""
        for group in self.groups():
            if group.exists() and subprocess.run(
                    ["find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"],
                    capture_output=True).returncode != 0 or group.exists():
                return False
        return True
