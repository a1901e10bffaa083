"""What the stories of the demo fleet share: a manager, machines that wake on a real magic packet
and run a real cpm-agent, and waiting for what is served of them and seen of them."""

import pathlib
import sys
import tempfile
import unittest

import cable
import support
import tls
from support import BIN, wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tools/demo"))
import fleet  # noqa: E402
import isolation  # noqa: E402

FIELDS = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 3, "wake": fleet.WAKE}


class Story(unittest.TestCase):
    """Told in a network of its own (enter_own_network)."""

    SETTINGS = {"wake_stagger_ms": 20}

    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager(args=tls.LISTEN).set_up()
        cls.manager.api("PATCH", "/settings", cls.SETTINGS)
        cls.folder = tempfile.TemporaryDirectory(prefix="cpm-fleet-")
        cls.fleet = fleet.Fleet(cls.folder.name, BIN / "cpm-agent")

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()
        cls.folder.cleanup()
        cls.manager.close()

    def add(self, name, boot=1, stop=0.5, plain=False, **fields):
        """A machine and its server's id; off, and joined over a cable of its own: with the pinned
        authority or, `plain`, over the loopback's plain HTTP."""
        machine = self.fleet.add(name)
        to = self.manager.address if plain else tls.address_of(self.manager)
        machine.cable = cable.Cable(to)
        self.addCleanup(machine.cable.close)
        machine.server = self.manager.add_server(
            name, mac_addresses=[machine.mac], **{**FIELDS, **fields})["id"]
        made = self.manager.api("POST", f"/servers/{machine.server}/join-token", {})
        self.assertEqual(made.status, 201, made)
        scheme, pin = ("http", None) if plain else ("https", self.manager.ready["ca_pin"])
        machine.join(f"{scheme}://127.0.0.1:{machine.cable.address[1]}", made["join_token"], pin)
        machine.do(f"boot {boot}")
        machine.do(f"stop {stop}")
        return machine

    def ask(self, machines, target, outcome=202):
        for machine in machines:
            answer = self.manager.power(machine.server, target)
            self.assertEqual(answer.status, outcome, answer)

    def do(self, machines, act):
        for machine in machines:
            machine.do(act)

    def change(self, machines, **fields):
        for machine in machines:
            answer = self.manager.api("PATCH", f"/servers/{machine.server}", fields)
            self.assertEqual(answer.status, 200, answer)

    def served(self, machines):
        items = {server["id"]: server
                 for server in self.manager.api("GET", "/servers?limit=1000")["items"]}
        return [items[machine.server] for machine in machines]

    def statuses(self, machines):
        return {server["actual_status"] for server in self.served(machines)}

    def wait_for(self, machines, status, timeout=30):
        wait_until(f"{status} of {len(machines)}",
                   lambda: self.statuses(machines) == {status}, timeout, 0.1)

    def wait_for_rule(self, machines, rule, timeout=30):
        """The row or rule that all their statuses have."""
        wait_until(f"{rule} of {len(machines)}",
                   lambda: {s["reason"]["rule"] for s in self.served(machines)} == {rule},
                   timeout, 0.1)

    def passed(self, machine, status):
        """Whether the server was ever seen as this."""
        return any(event["actual_status"] == status
                   for event in self.manager.events(server=machine.server))

    def wait_for_reports(self, machines, more=2):
        """That each reports as often again: it has heard what was changed."""
        for _ in range(more):
            before = [server["last_heartbeat_at"] for server in self.served(machines)]
            wait_until("a report of each", lambda: all(
                was != server["last_heartbeat_at"]
                for was, server in zip(before, self.served(machines))), 30, 0.1)

    def assert_seen(self, machines, timeout=20, **expected):
        for machine in machines:
            seen = machine.wait_for(
                lambda seen: all(seen[name] == value for name, value in expected.items()), timeout)
            self.assertTrue(seen, f"{machine.name}: {machine.seen}, expected {expected}")

    def journal(self, machine):
        file = machine.root / "journal"
        return file.read_text(errors="replace") if file.exists() else ""


def enter_own_network():
    """To be called before the first thread; skips the file where no namespaces can be had."""
    support.need_program("unshare", "mount")
    try:
        isolation.enter()
    except OSError as reason:
        support.skip(str(reason))
