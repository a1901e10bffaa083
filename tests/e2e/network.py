"""A network segment made of namespaces: the manager's side is the test's own namespace, machines
have one each, and a listener on a machine's card reads frames with nothing of ours between."""

import ctypes
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import threading
import typing
import uuid

import support

AGENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "agent.sh"
MANAGER_ADDRESS = "10.77.0.1"
CLONE_NEWNET = 0x40000000
SO_TIMESTAMPNS = 35
ETH_P_ALL = 3
LIBC = ctypes.CDLL(None, use_errno=True)

# Namespaces of processes and mounts; "unchanged" because the root of a chroot is no mount.
UNSHARE_MACHINE = ["unshare", "--mount", "--propagation", "unchanged", "--pid", "--fork",
                   "--kill-child"]

# What runs as process 1 of a machine. It ends when somebody opens the switch for writing, and the
# kernel ends all other processes of the machine with it.
INIT = """
boot_id=$1 switch=$2 manager=$3
shift 3
mount --make-rprivate /proc && mount --bind "$boot_id" /proc/sys/kernel/random/boot_id || exit
"$0" "$manager" "$@" &
read -r _ <"$switch"
"""


def need_namespaces():
    """Skips the file where namespaces cannot be made."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    support.need_root("making namespaces")
    support.need_program("unshare", "nsenter", "mount", "ip", "curl")
    probe = subprocess.run(
        ["unshare", "--net", *UNSHARE_MACHINE, "mount", "--make-rprivate", "/proc"],
        capture_output=True, text=True)
    if probe.returncode != 0:
        support.skip(f"no namespaces can be made here: {probe.stderr.strip()}")


def checked(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def ip(*arguments, inside=()):
    """iproute2, here or with a command before it that enters a namespace."""
    subprocess.run([*inside, "ip", *arguments], check=True)


class Namespace:
    """A network namespace of its own, for as long as this is open."""

    def __init__(self):
        # cat ends with its standard input.
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        self.pid = self.holder.pid
        ours = os.readlink("/proc/self/ns/net")
        support.wait_until("a network namespace",
                           lambda: os.readlink(f"/proc/{self.pid}/ns/net") != ours)
        self.enter = ["nsenter", f"--net=/proc/{self.pid}/ns/net"]

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()


class Switch(typing.NamedTuple):
    """A bridge, the namespace it is in, and the network of the machines plugged into it."""
    bridge: str = "segment"
    network: str = "10.77.0"
    macs: str = "52:54:00:77:00"
    enter: tuple = ()
    router: str = ""  # the machines' way to other networks


def in_namespace_of(pid, function):
    """What `function` returns when it is called in the network namespace of another process."""
    results = []

    def visit():  # a thread of its own: it takes its namespace with it when it ends
        with open(f"/proc/{pid}/ns/net", encoding="ascii") as namespace:
            checked(LIBC.setns(namespace.fileno(), CLONE_NEWNET))
        results.append(function())

    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    return results[0]


class Segment:
    """A switch with nothing but what is plugged in. Made before any thread: the whole process moves
    to a namespace of its own, and whatever it starts is in it."""

    def __init__(self):
        checked(LIBC.unshare(CLONE_NEWNET))
        ip("link", "set", "lo", "up")
        ip("link", "add", "segment", "type", "bridge")
        ip("address", "add", f"{MANAGER_ADDRESS}/24", "dev", "segment")
        ip("link", "set", "segment", "up")
        self.machines = []

    def add_machine(self):
        self.machines.append(Machine(len(self.machines) + 2))
        return self.machines[-1]

    def close(self):
        for machine in self.machines:
            machine.close()


class Machine:
    """A machine on the segment, switched off at first: a PID namespace, so that nothing in it can
    switch off anything else. Its network card is a namespace that stays."""

    def __init__(self, number, switch=Switch()):
        self.mac = f"{switch.macs}:{number:02x}"
        self.address = f"{switch.network}.{number}"
        self.port, self.switch_enter = f"port{number}", switch.enter
        self.scratch = tempfile.TemporaryDirectory(prefix="cpm-machine-")
        self.switch = pathlib.Path(self.scratch.name) / "switch"
        self.boot_id = pathlib.Path(self.scratch.name) / "boot_id"
        os.mkfifo(self.switch)
        self.process = None
        self.card = Namespace()
        ip("link", "add", self.port, "type", "veth", "peer", "name", "eth0",
           "address", self.mac, "netns", str(self.card.pid), inside=switch.enter)
        ip("link", "set", self.port, "master", switch.bridge, "up", inside=switch.enter)
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        if switch.router:
            self.run("ip", "route", "add", "default", "via", switch.router)

    def command(self, *words):
        return [*self.card.enter, *words]

    def run(self, *words):
        """Runs a command on this machine's side of the network; returns its standard output."""
        return subprocess.run(self.command(*words), check=True, stdout=subprocess.PIPE,
                              text=True).stdout

    def listen(self):
        return Listener(self)

    # --- power ---

    def boot(self, manager_url, token, power_command=None):
        """Power on: a new boot, with the agent of the documentation. Its power command ends this
        machine, or is `power_command`, which must not be able to do more than that."""
        self.boot_id.write_text(f"{uuid.uuid4()}\n")
        switch_off = ["sh", "-c", ': >"$0"', self.switch]
        self.process = subprocess.Popen(
            self.command(*UNSHARE_MACHINE, "sh", "-c", INIT, AGENT, self.boot_id, self.switch,
                         manager_url, *(power_command or switch_off)),
            env={**os.environ, "CPM_AGENT_TOKEN": token})

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def cut_power(self):
        self.process.kill()
        self.process.wait()

    def unplug(self):
        """Takes the cable out of the switch."""
        ip("link", "set", self.port, "down", inside=self.switch_enter)

    def plug_in(self):
        ip("link", "set", self.port, "up", inside=self.switch_enter)

    def close(self):
        if self.is_up():
            self.cut_power()
        self.card.close()
        self.scratch.cleanup()


class Datagram(typing.NamedTuple):
    at: float  # seconds, as the kernel took the frame from the card
    to_card: str
    from_address: str
    to_address: str
    port: int
    payload: bytes


def parse_datagram(at, frame):
    """The UDP datagram in an Ethernet frame, or None. A damaged IPv4 header is no datagram."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[14] != 0x45 or frame[23] != 17:
        return None
    words = struct.unpack("!10H", frame[14:34])
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    ip_length, udp_length = words[1], struct.unpack("!H", frame[38:40])[0]
    if total != 0xFFFF or ip_length != udp_length + 20 or len(frame) < 14 + ip_length:
        return None
    return Datagram(at, frame[0:6].hex(":"), socket.inet_ntoa(frame[26:30]),
                    socket.inet_ntoa(frame[30:34]), struct.unpack("!H", frame[36:38])[0],
                    frame[42:14 + ip_length])


class Listener:
    """Every UDP datagram that arrives at a machine's card and has the card's MAC in it."""

    def __init__(self, machine):
        def open_socket():
            sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            sniffer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sniffer.bind(("eth0", ETH_P_ALL))
            return sniffer

        self.mac = bytes.fromhex(machine.mac.replace(":", ""))
        self.socket = in_namespace_of(machine.card.pid, open_socket)
        self.heard = []
        self.changed = threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            frame, ancillary, _, (_, _, direction, *_) = self.socket.recvmsg(2048, 64)
            seconds, nanoseconds = struct.unpack("@ll", ancillary[0][2][:16])
            if direction == socket.PACKET_OUTGOING:
                continue
            datagram = parse_datagram(seconds + nanoseconds / 1e9, frame)
            if datagram and self.mac in datagram.payload:
                with self.changed:
                    self.heard.append(datagram)
                    self.changed.notify_all()

    def wait_for(self, count, timeout=20):
        """The first `count` datagrams, as soon as there are as many."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.heard) >= count, timeout)
            assert len(self.heard) >= count, f"{count} datagrams expected: {self.heard}"
            return self.heard[:count]

    def count(self):
        with self.changed:
            return len(self.heard)

    def assert_nothing_for(self, seconds):
        with self.changed:
            before = len(self.heard)
            self.changed.wait_for(lambda: len(self.heard) > before, seconds)
            assert len(self.heard) == before, f"unexpected: {self.heard[before:]}"
