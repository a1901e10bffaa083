"""Wake-on-LAN on a card that can be armed: a machine of QEMU's (emulated, so that it runs anywhere)
with an rtl8139, the kernel of Debian and nothing but the agent."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import support
from support import BIN

MAC = "52:54:00:00:00:07"
MODULES = ("kernel/drivers/net/mii.ko", "kernel/drivers/net/ethernet/realtek/8139cp.ko")
PACKAGES = ("linux-image-amd64", "busybox-static")
CREDENTIALS = """{"manager_url":"http://10.0.0.1","trust":"plain","ca_certificate":"",
"server_id":"srv_1","agent_token":"t","previous_token":"","join_id":"j",
"order_key":"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=","mac_addresses":["%s"]}""" % MAC
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
for module in /lib/modules/*.ko; do /bin/busybox insmod $module; done
agent() { echo "== $1"; /usr/bin/cpm-agent --config /agent.toml $1 2>&1; echo "== status $?"; }
agent status
agent arm-wake
agent status
/bin/busybox poweroff -f
"""


def unpacked():
    """Debian's kernel and busybox, unpacked once a machine."""
    folder = pathlib.Path("/var/tmp/cpm-waking-1")
    if folder.exists():
        return folder
    draft = pathlib.Path(tempfile.mkdtemp(prefix="cpm-waking-", dir="/var/tmp"))
    names = subprocess.run(["apt-cache", "depends", "--important", PACKAGES[0]],
                           capture_output=True, text=True).stdout.split()
    kernels = [name for name in names if name.startswith("linux-image-")][-1:]
    got = subprocess.run(["apt-get", "-qq", "download", *kernels, PACKAGES[1]], cwd=draft,
                         capture_output=True, text=True)
    if got.returncode or not kernels:
        shutil.rmtree(draft, ignore_errors=True)
        support.skip(f"no kernel can be had: {got.stderr[-200:]}")
    for package in draft.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, draft], check=True)
        package.unlink()
    os.rename(draft, folder)
    return folder


def padded(data):
    return data + bytes(-len(data) % 4)


def entry_of(number, name, path=None):
    """A file or folder in the form the kernel reads (newc), root's."""
    mode = path.stat().st_mode if path else 0
    data = path.read_bytes() if path and path.is_file() else b""
    name = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    return padded(b"070701" + b"".join(b"%08X" % field for field in fields) + name) + padded(data)


def make_initramfs(source, root):
    """What the machine boots into: busybox, the card's driver, the agent with its libraries."""
    (root / "agent.toml").write_text('state_dir = "/state"\nrun_dir = "/run"\n'
                                     'power_command = ["/bin/true"]\n')
    for folder in ("proc", "sys", "dev", "run", "state", "bin", "usr/bin", "lib/modules"):
        (root / folder).mkdir(parents=True)
    (root / "state/credentials.json").write_text(CREDENTIALS)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    shutil.copy(source / "bin/busybox", root / "bin")
    for number, name in enumerate(MODULES):
        shutil.copy(next(source.glob(f"lib/modules/*/{name}")),
                    root / f"lib/modules/{number}-{pathlib.Path(name).name}")
    libraries = subprocess.run(["ldd", BIN / "cpm-agent"], check=True, capture_output=True,
                               text=True).stdout.split()
    for library in [word for word in libraries if word.startswith("/")]:
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    shutil.copy(BIN / "cpm-agent", root / "usr/bin")
    image = root.parent / "initramfs"
    entries = [entry_of(number, str(path.relative_to(root)), path)
               for number, path in enumerate(sorted(root.rglob("*")), 1)]
    image.write_bytes(b"".join(entries) + entry_of(0, "TRAILER!!!"))
    return image


class Waking(unittest.TestCase):
    def test_a_card_that_is_off_is_armed_and_status_shows_it(self):
        source = unpacked()
        with tempfile.TemporaryDirectory(prefix="cpm-waking-") as scratch:
            root = pathlib.Path(scratch) / "root"
            root.mkdir()
            image = make_initramfs(source, root)
            command = (
                ["qemu-system-x86_64", "-accel", "tcg", "-M", "pc", "-m", "256", "-nographic",
                 "-no-reboot", "-kernel", next(source.glob("boot/vmlinuz-*")), "-initrd", image,
                 "-append", "console=ttyS0 quiet loglevel=0 panic=-1 rdinit=/init",
                 "-nic", f"user,restrict=on,model=rtl8139,mac={MAC}"])
            ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                 text=True, errors="replace", timeout=170)
        parts = [part.splitlines() for part in ran.stdout.split("== ")]
        told = [(lines[0].strip(), "\n".join(lines[1:])) for lines in parts[1:]]
        self.assertEqual([name for name, _ in told], [
            "status", "status 0", "arm-wake", "status 0", "status", "status 0"], ran.stdout)
        self.assertIn(f"({MAC}): not armed", told[0][1])
        self.assertIn(f"({MAC}): armed", told[4][1])


if __name__ == "__main__":
    support.need_program("qemu-system-x86_64", "ldd", "apt-get", "dpkg-deb")
    unpacked()
    support.main()
