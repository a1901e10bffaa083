"""A second segment behind a router, and network cards that wake their machine as real ones do."""

import pathlib
import socket
import struct
import threading

import machine
import network
from network import ETH_P_ALL, Namespace, Switch, in_namespace_of, ip

FAR_NETWORK = "10.78.0"
FAR_BROADCAST = f"{FAR_NETWORK}.255"
ROUTER = "10.77.0.254"
UDP, WAKE_FRAME = "UDP", "frame"  # how a magic packet came


class FarSegment:
    """A switch behind a router that forwards between it and the segment of the manager, as routers
    do: no broadcast crosses it, a directed one only once it is told to forward those."""

    def __init__(self):
        self.router = Namespace()
        inside = tuple(self.router.enter)
        ip("link", "add", "router", "type", "veth", "peer", "name", "near", "netns",
           str(self.router.pid))
        ip("link", "set", "router", "master", "segment", "up")
        ip("address", "add", f"{ROUTER}/24", "dev", "near", inside=inside)
        ip("link", "set", "near", "up", inside=inside)
        ip("link", "add", "far", "type", "bridge", inside=inside)
        ip("address", "add", f"{FAR_NETWORK}.1/24", "dev", "far", inside=inside)
        ip("link", "set", "far", "up", inside=inside)
        ip("route", "add", f"{FAR_NETWORK}.0/24", "via", ROUTER)
        self.set("ip_forward", 1)
        self.switch = Switch("far", FAR_NETWORK, "52:54:00:78:00", inside, f"{FAR_NETWORK}.1")
        self.machines = []

    def set(self, name, value):
        def write():
            pathlib.Path(f"/proc/sys/net/ipv4/{name}").write_text(f"{value}\n", "ascii")
        in_namespace_of(self.router.pid, write)

    def forward_directed_broadcasts(self):
        self.set("conf/all/bc_forwarding", 1)
        self.set("conf/near/bc_forwarding", 1)

    def add_machine(self):
        self.machines.append(network.Machine(len(self.machines) + 2, self.switch))
        return self.machines[-1]

    def close(self):
        for one in self.machines:
            one.close()
        self.router.close()


class Card:
    """The network card of a machine that is off, armed for a magic packet and, if it has one, its
    SecureOn password: reads whole frames, whatever is in them, and calls `wake` on the first that
    fits. It remembers all with its address, fitting or not."""

    def __init__(self, on, wake, password=b""):
        def open_socket():
            sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            sniffer.bind(("eth0", ETH_P_ALL))
            return sniffer

        mac = bytes.fromhex(on.mac.replace(":", ""))
        self.pattern = b"\xff" * 6 + mac * 16
        self.password, self.wake = password, wake
        self.heard, self.woken_by = [], None
        self.changed = threading.Condition()
        self.socket = in_namespace_of(on.card.pid, open_socket)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            frame, _, _, (_, _, direction, *_) = self.socket.recvmsg(2048)
            at = frame.find(self.pattern)
            if direction == socket.PACKET_OUTGOING or at < 0:
                continue
            kind = struct.unpack("!H", frame[12:14])[0]
            how = {0x0800: UDP, 0x0842: WAKE_FRAME}[kind]
            sender = socket.inet_ntoa(frame[26:30]) if how == UDP else None
            fits = frame[at + len(self.pattern):].startswith(self.password)
            with self.changed:
                self.heard.append((how, sender, fits))
                first = fits and self.woken_by is None
                if first:
                    self.woken_by = how
                self.changed.notify_all()
            if first:
                self.wake()

    def wait_for(self, condition, what, seconds=30):
        with self.changed:
            assert self.changed.wait_for(condition, seconds), f"{what}: heard {self.heard}"


class AgentMachine(machine.Machine):
    """The real cpm-agent on a machine of the network."""

    def __init__(self, on):
        super().__init__(mac=on.mac)
        self.on = on

    def start(self, wrapper=(), env=None):
        return super().start([*self.on.command(), *wrapper], env)
