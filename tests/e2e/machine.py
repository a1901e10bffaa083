"""A machine with the real cpm-agent: folders of its own, and a power command that writes down that
it ran instead of switching anything off."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile

import support
from support import BIN, wait_until


class Machine:
    """With `logind` it has no power command, and asks the system's bus."""

    def __init__(self, mac="52:54:00:00:00:01", power_exit=0, hook_time_limit=60, logind=False):
        self.scratch = tempfile.TemporaryDirectory(prefix="cpm-machine-")
        self.root = pathlib.Path(self.scratch.name)
        self.mac, self.process, self.boot = mac, None, 0
        self.hooks, self.hold = self.root / "pre-off.d", self.root / "hold"
        self.acts, self.journal = self.root / "acts", self.root / "journal"
        self.hooks.mkdir()
        self.acts.touch()
        self.script("power", f'echo "$CPM_OFF_METHOD" >> {self.acts}\nexit {power_exit}')
        self.config = self.root / "agent.toml"
        self.config.write_text(
            f'state_dir = "{self.root}/state"\nrun_dir = "{self.root}/run"\n'
            f'hold_file = "{self.hold}"\nhooks_dir = "{self.hooks}"\n'
            f"hook_time_limit_seconds = {hook_time_limit}\n" +
            ("" if logind else f'power_command = ["{self.root}/power"]\n'))

    def script(self, name, text):
        path = self.root / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def hook(self, name, text):
        self.script(f"pre-off.d/{name}", text)

    def call(self, *args, timeout=60):
        """cpm-agent with these words: (exit status, all output)."""
        run = subprocess.run([BIN / "cpm-agent", "--config", self.config, *args],
                             capture_output=True, text=True, timeout=timeout)
        return run.returncode, run.stdout + run.stderr

    def join(self, url, token, *args):
        status, text = self.call("join", url, "--token", token, "--mac", self.mac, "--no-start",
                                 *args)
        assert status == 0, text

    def join_as(self, manager, name="node", **fields):
        """A new server of the manager that this machine is; returns its id."""
        server = manager.add_server(name, mac_addresses=[self.mac], **fields)["id"]
        made = manager.api("POST", f"/servers/{server}/join-token", {})
        assert made.status == 201, made
        self.join(url_of(manager), made["join_token"])
        return server

    def start(self, wrapper=(), env=None):
        log = open(self.journal, "ab")
        self.process = subprocess.Popen([*wrapper, BIN / "cpm-agent", "--config", self.config,
                                         "run"], stdout=log, stderr=log,
                                        env={**os.environ, **(env or {})})
        log.close()
        return self

    def boot_anew(self):
        """Starts the agent in another boot: another boot id, and an empty /run."""
        support.need_root("another boot id")
        self.boot += 1
        boot_id = self.root / "boot_id"
        boot_id.write_text(f"{self.boot:08d}-0000-4000-8000-{os.getpid():012d}\n")
        subprocess.run(["rm", "-rf", self.root / "run"], check=True)
        inside = (f"mount --make-rprivate /proc && "
                  f"mount --bind {boot_id} /proc/sys/kernel/random/boot_id && exec \"$@\"")
        # "unchanged" because the root of a chroot is no mount
        return self.start(["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", inside,
                           "sh"])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=15)

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        self.scratch.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def acted(self):
        """How often, and how, the power command ran."""
        return self.acts.read_text().split()

    def said(self):
        return self.journal.read_text(errors="replace") if self.journal.exists() else ""

    def pss_kib(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

    def cpu_seconds(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def marker(self):
        return json.loads((self.root / "run/state.json").read_text())


def url_of(manager):
    return f"http://{manager.address[0]}:{manager.address[1]}"


def wait_for_status(manager, server, status, timeout=30):
    wait_until(f"{status}", lambda: manager.status(server) == status, timeout)
