"""Many wakes, one after the other (wake_stagger_ms), and a manager that dies in the middle: those
whose turn had not come get theirs, still one after the other."""

import socket
import threading
import time
import unittest

import support
from support import wait_until

BROADCAST = "127.255.255.255"
STAGGER = 1.0
MACHINES = 6


class Cards:
    """All network cards at once: who heard a magic packet, and when, in order."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((BROADCAST, 0))
        self.port = self.socket.getsockname()[1]
        self.heard = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            packet = self.socket.recv(2048)
            self.heard.append((time.monotonic(), packet[6:12].hex(":")))

    def macs(self):
        return {mac for _, mac in self.heard}


class StaggeredWakes(unittest.TestCase):
    def test_a_restart_in_the_middle_goes_on_with_those_left(self):
        cards = Cards()
        with support.Manager() as manager:
            manager.set_up()
            changed = manager.api("PATCH", "/settings", {"wake_stagger_ms": int(STAGGER * 1000)})
            self.assertEqual(changed.status, 200, changed)
            servers = {}
            for number in range(MACHINES):
                mac = f"52:54:00:00:08:{number:02x}"
                servers[mac] = manager.add_server(
                    f"node{number}", mac_addresses=[mac], standby_time_seconds=600,
                    wake={"broadcast_address": BROADCAST, "ports": [cards.port]})["id"]
            for server in servers.values():
                self.assertEqual(manager.power(server, "ON").status, 202)
            wait_until("two have been woken", lambda: len(cards.macs()) >= 2)
            manager.kill()
            before = cards.macs()
            self.assertLess(len(before), MACHINES)

            manager.start()
            wait_until("all have been woken", lambda: cards.macs() == set(servers), 60)
            first = {}
            for at, mac in list(cards.heard):
                first.setdefault(mac, at)
            late = sorted(at for mac, at in first.items() if mac not in before)
            # The first may be late itself; that they were sent at once it cannot be.
            self.assertGreater(late[-1] - late[0], (len(late) - 1) * STAGGER - 1.5)
            for mac, server in servers.items():
                wait_until("the wake is recorded",
                           lambda: manager.events(server=server, type="WakeSent"))
                requested, = manager.events(server=server, type="PowerRequested")
                for wake in manager.events(server=server, type="WakeSent"):
                    self.assertEqual(wake["data"]["mac_address"], mac)
                    self.assertEqual(wake["data"]["request"], requested["sequence"])
                self.assertEqual(manager.status(server), "Starting")
            manager.assert_replay_is_served()


if __name__ == "__main__":
    support.main()
