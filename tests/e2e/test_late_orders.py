"""A genuine order that reaches the agent too late (after a resume, a reboot or a restart of the
agent) is not obeyed. It is read as the manager sent it; only the cable delayed it, or gave it
again."""

import signal
import unittest

import cable
import support
from machine import Machine, wait_for_status
from support import BIN, wait_until

FAST = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 20, "standby_time_seconds": 60}


@support.together
class LateOrders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager().set_up()

    @classmethod
    def tearDownClass(cls):
        cls.manager.close()

    def given_an_order_in_the_cable(self, number, start=lambda machine: machine.start()):
        """A machine that is ON, and an order for it that has not reached it."""
        machine = Machine(mac=f"52:54:00:00:03:{number:02x}")
        self.addCleanup(machine.close)
        machine.cable = cable.Cable(self.manager.address)
        self.addCleanup(machine.cable.close)
        machine.server = self.manager.add_server(
            f"late{number}", mac_addresses=[machine.mac], **FAST)["id"]
        made = self.manager.api("POST", f"/servers/{machine.server}/join-token", {})
        machine.join(machine.cable.url, made["join_token"])
        start(machine)
        wait_for_status(self.manager, machine.server, "ON")
        machine.cable.hold_answers()
        machine.cable.wait_for_held_answer()
        self.assertEqual(self.manager.power(machine.server, "OFF").status, 202)
        machine.cable.let_held_answers_pass()  # from before the request
        wait_until("the order", lambda: b'"order"' in machine.cable.wait_for_held_answer())
        machine.order = machine.cable.wait_for_held_answer()
        return machine

    def reports(self, machine):
        return self.manager.events(server=machine.server, type="HeartbeatReceived")

    def assert_it_stays_up(self, machine):
        """Its next reports say ON, and nothing was done."""
        before = len(self.reports(machine))
        wait_until("reports", lambda: len(self.reports(machine)) > before + 2, 30)
        self.assertEqual({event["data"]["status"] for event in self.reports(machine)}, {"ON"})
        self.assertEqual(machine.acted(), [])
        self.assertEqual(self.manager.status(machine.server), "ON")

    def test_read_after_a_resume(self):
        library = BIN / "cpm-demo-suspend.so"
        if not library.exists():
            self.skipTest("built without cpm-demo-suspend: nothing can be suspended")

        def start(machine):
            (machine.root / "slept").write_text("0")
            machine.start(env={"LD_PRELOAD": str(library),
                               "CPM_DEMO_SLEPT": str(machine.root / "slept")})
        machine = self.given_an_order_in_the_cable(1, start)
        machine.process.send_signal(signal.SIGSTOP)
        (machine.root / "slept").write_text("7")
        machine.cable.release_answers()  # it lies ready when the machine wakes
        machine.process.send_signal(signal.SIGCONT)
        wait_until("it is back", lambda: self.manager.status(machine.server) == "ON")
        self.assert_it_stays_up(machine)
        resumed = self.reports(machine)[-1]["data"]["identity"]["resume_count"]
        self.assertEqual(resumed, 1)

    def given_again(self, machine):
        """Whatever it asks, for a while it is given the order that was on its way."""
        asked = []

        def forge(question):
            asked.append(question)
            return machine.order
        machine.cable.forge = forge
        machine.cable.release_answers()
        return asked

    def test_given_again_after_a_reboot(self):
        machine = self.given_an_order_in_the_cable(2, lambda machine: machine.boot_anew())
        machine.kill()
        asked = self.given_again(machine)
        machine.boot_anew()
        wait_until("it was read again and again", lambda: len(asked) >= 3, 30)
        self.assertIn("order", machine.said())
        self.assertEqual(machine.acted(), [])
        machine.cable.forge = None
        wait_until("it is back", lambda: self.manager.status(machine.server) == "ON", 30)
        self.assert_it_stays_up(machine)

    def test_given_again_after_a_restart_of_the_agent(self):
        machine = self.given_an_order_in_the_cable(3)
        machine.kill()
        asked = self.given_again(machine)
        machine.start()
        wait_until("it was read again and again", lambda: len(asked) >= 3, 30)
        self.assertIn("replay", machine.said())
        self.assertEqual({status for status in statuses(asked)}, {"ON"})
        self.assertEqual(machine.acted(), [])


def statuses(questions):
    for question in questions:
        if b'"status"' in question:
            yield question.split(b'"status":"')[1].split(b'"')[0].decode()


if __name__ == "__main__":
    support.need_root("another boot id")
    support.need_private_mounts()
    support.main()
