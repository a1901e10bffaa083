"""A server's power on a real segment: packets heard by an independent listener, and on each machine
the documentation's agent in shell and curl."""

import unittest
from datetime import datetime

import network
import support
from managed import ManagedServer
from support import wait_until

BROADCAST_CARD = "ff:ff:ff:ff:ff:ff"
MISSED = 3  # heartbeats, one a second, until a machine counts as silent


@support.together
class PowerInANetwork(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.segment = network.Segment()
        cls.addClassCleanup(cls.segment.close)
        cls.manager = support.Manager(listen=f"{network.MANAGER_ADDRESS}:0")
        cls.addClassCleanup(cls.manager.close)
        cls.manager.set_up()
        cls.url = "http://{}:{}".format(*cls.manager.address)
        cls.machines = [cls.segment.add_machine() for _ in range(5)]
        cls.allow_agents_over_plain_http()

    @classmethod
    def tearDownClass(cls):
        cls.manager.assert_replay_is_served()

    @classmethod
    def allow_agents_over_plain_http(cls):
        """From other machines they are refused until an administrator allows it (HTTP 3.5)."""
        join = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--json",
                '{"join_token": "guessed", "hostname": "x", "mac_addresses": []}',
                f"{cls.url}/agent/v1/join"]
        assert cls.machines[0].run(*join) == "403"
        allowed = cls.manager.api("PATCH", "/settings", {"agents_over_plain_http": True})
        assert allowed.status == 200, allowed
        assert cls.machines[0].run(*join) == "401"

    def given_a_server(self, name, standby_seconds):
        """A server, its machine (off) and a listener on the machine's card."""
        self.machine = self.machines.pop()
        self.listener = self.machine.listen()
        self.server = ManagedServer(
            self.manager, name, self.machine.mac, allow_unsigned=True,
            heartbeat_interval_seconds=1, missed_heartbeats=MISSED,
            standby_time_seconds=standby_seconds)
        self.server.join()

    def given_a_running_server(self, name, standby_seconds, power_command=None):
        """One that was turned on by hand, so that no standby time is open."""
        self.given_a_server(name, standby_seconds)
        self.boot(power_command)
        self.server.until("ON")

    def boot(self, power_command=None):
        self.machine.boot(self.url, self.server.agent.token, power_command)

    def check_wakes(self, datagrams):
        mac = bytes.fromhex(self.machine.mac.replace(":", ""))
        for datagram in datagrams:
            self.assertEqual(datagram.payload, b"\xff\xff\xff\xff\xff\xff" + 16 * mac)
            self.assertEqual(datagram.to_card, BROADCAST_CARD)
            self.assertEqual(datagram.to_address, "255.255.255.255")
            self.assertEqual(datagram.from_address, network.MANAGER_ADDRESS)
            self.assertEqual(datagram.port, 9)

    def check_every_wake_is_recorded(self):
        recorded = self.server.events("WakeSent")
        self.assertEqual(len(recorded), self.listener.count())
        for wake in recorded:
            self.assertTrue(wake["ok"], wake)
            self.assertEqual(wake["mac_address"], self.machine.mac)

    # --- the stories ---

    def test_it_is_woken_until_it_reports_and_goes_down_as_ordered(self):
        self.given_a_server("all-day", standby_seconds=7)

        # ON: packets at growing intervals, and no other request while the standby time is open.
        asked = self.server.power("ON")
        self.assertEqual(asked["actual_status"], "Starting")
        self.assertEqual(asked["standby"]["remaining_seconds"], 7)
        self.check_refused_within_standby("OFF")
        self.check_refused_within_standby("ON")
        first, second, third = self.listener.wait_for(3)
        self.check_wakes([first, second, third])
        self.assertGreater(second.at - first.at, 0.95)
        self.assertGreater(third.at - second.at, (second.at - first.at) * 1.5)
        self.assertEqual(self.server.shown()["actual_status"], "Starting")

        # Starting → ON: no packet after the first ON.
        self.boot()
        self.server.until("ON")
        self.listener.assert_nothing_for(5)  # the fourth would have come 4 s after the third
        self.check_every_wake_is_recorded()
        self.server.until_standby_has_passed()

        # OFF → BeforeStopping → Stopping → OFF; the machine ends by its own power command.
        asked = self.server.power("OFF")
        self.assertEqual(asked["actual_status"], "BeforeStopping")
        off = self.server.until("OFF")
        self.assertEqual(off["reason"]["rule"], "OFF/Stopping/None")
        self.assertEqual(off["heartbeat_status"], {"previous": "Stopping", "current": "None"})
        self.assertFalse(self.machine.is_up())
        self.assertEqual(self.server.statuses(), [
            "Unknown", "Starting", "ON", "BeforeStopping", "Stopping", "OFF"])
        request = self.server.events("PowerRequested")[-1]["event"]
        orders = self.server.events("OrderSent")
        said_stopping = next(report["event"] for report in self.server.events("HeartbeatReceived")
                             if report["status"] == "Stopping")
        self.assertEqual(len(orders), 2)  # before and after it said Stopping
        self.assertLess(orders[0]["event"], said_stopping)
        self.assertGreater(orders[1]["event"], said_stopping)
        for order in orders:
            self.assertEqual(order["request"], request)
        self.assertEqual(self.server.events("ReportIgnored"), [])

        # The next morning somebody presses the button: ManuallyON, shown as ON, and nobody is told.
        self.server.change(heartbeat_interval_seconds=3)
        self.boot()
        adopted = self.server.until("ManuallyON")
        self.assertEqual(adopted["display_status"], "ON")
        self.assertEqual(adopted["power_status"], "ON")
        self.assertIsNone(adopted["standby"])
        self.server.until("ON")
        self.assertEqual(self.server.statuses()[-3:], ["OFF", "ManuallyON", "ON"])
        self.assertEqual(self.server.notifications(), {})
        self.assertEqual(self.listener.count(), 3)

    def check_refused_within_standby(self, target):
        refused = self.server.ask(target)
        self.assertEqual(refused.status, 409)
        self.assertEqual(refused.headers["Content-Type"], "application/problem+json")
        self.assertEqual(refused["type"], "/problems/standby")
        self.assertIn(refused["remaining_seconds"], (5, 6, 7))
        self.assertEqual(refused.headers["Retry-After"], str(refused["remaining_seconds"]))
        end = datetime.fromisoformat(refused["standby_until"])
        difference = abs((end - self.server.standby_end()).total_seconds())
        self.assertLess(difference, 1.1)  # it is told in whole seconds
        recorded = self.server.events("PowerRefused")[-1]
        self.assertEqual((recorded["target"], recorded["reason"]), (target, "standby"))

    def test_a_silent_one_is_crashed_and_off_orders_nothing_when_it_returns(self):
        self.given_a_running_server("behind-a-switch", standby_seconds=3)

        # Silence → Crashed, and people are told.
        self.machine.unplug()
        crashed = self.server.until("Crashed")
        self.assertEqual(crashed["reason"]["rule"], "ON/ON/None")
        told = self.server.notifications()["crashed"]
        self.assertEqual(told["severity"], "error")
        self.assertIn("behind-a-switch is Crashed", told["text"])
        self.assertEqual(told["actions"], ["set_off", "wake_again", "dismiss"])

        # OFF on the silent one only records that it is off.
        off = self.server.power("OFF")
        self.assertEqual(off["actual_status"], "OFF")
        self.assertEqual(off["reason"]["rule"], "A")
        self.assertIn("story", off["reason"]["text"])  # who said so
        self.assertEqual(self.server.notifications(), {})
        self.server.agent.boot.boot_id = self.machine.boot_id.read_text().strip()
        self.assertEqual(self.server.agent.manifest()["power_status"], "ON")
        self.server.until_standby_has_passed()
        self.assertEqual(self.server.agent.manifest()["power_status"], "ON")

        # The switch is back, and the machine with it: it stays up and is told so.
        self.machine.plug_in()
        self.server.until("ON")
        self.assertEqual(self.server.statuses()[-3:], ["OFF", "ManuallyON", "ON"])
        self.assertIn("it is ON", self.server.notifications()["adopted"]["text"])
        self.assertTrue(self.machine.is_up())
        self.assertEqual(self.server.events("OrderSent"), [])
        self.assertEqual(self.listener.count(), 0)

    def test_one_that_does_not_come_up_is_startup_delayed_until_it_does(self):
        self.given_a_server("slow-starter", standby_seconds=4)
        self.server.power("ON")
        self.server.until("StartupDelayed")
        self.assertEqual(self.server.statuses(), ["Unknown", "Starting", "StartupDelayed"])
        told = self.server.notifications()["startup_delayed"]
        self.assertIn("wake_again", told["actions"])
        self.listener.assert_nothing_for(4)  # packets come only while it is Starting: at 0, 1, 3 s
        self.assertEqual(self.listener.count(), 3)

        self.assertEqual(self.server.power("ON")["actual_status"], "Starting")  # a real request
        self.assertEqual(self.server.notifications(), {})
        self.check_wakes(self.listener.wait_for(4))
        self.boot()
        self.server.until("ON")
        self.check_every_wake_is_recorded()

    def test_one_that_says_stopping_for_ever_is_shutdown_delayed_and_woken_when_it_is_gone(self):
        self.given_a_running_server("stubborn", standby_seconds=3, power_command=["true"])
        self.server.power("OFF")
        self.server.until("ShutdownDelayed")
        self.assertEqual(self.server.statuses()[-4:], [
            "ON", "BeforeStopping", "Stopping", "ShutdownDelayed"])
        self.assertIn("set_off", self.server.notifications()["shutdown_delayed"]["actions"])
        # An unbroken row of Stopping keeps the OFF alive.
        orders = len(self.server.events("OrderSent"))
        wait_until("another order", lambda: len(self.server.events("OrderSent")) > orders + 1)

        # ON while it still goes down: one packet.
        self.server.change(standby_time_seconds=60)
        asked = self.server.power("ON")
        self.assertEqual(asked["actual_status"], "Unknown")
        self.assertIn("It is woken as soon as it falls silent", asked["reason"]["text"])
        self.check_wakes(self.listener.wait_for(1))
        self.listener.assert_nothing_for(2)

        # It is woken as soon as it has gone down.
        self.machine.cut_power()
        self.server.until("Starting")
        self.check_wakes(self.listener.wait_for(2))
        self.boot()
        self.server.until("ON")

    def test_one_that_cannot_go_down_returns_to_on_when_its_time_has_passed(self):
        self.given_a_running_server("held", standby_seconds=3, power_command=["false"])
        self.server.power("OFF")
        self.server.until("Stopping")
        wait_until("what holds it",
                   lambda: self.server.shown()["blocked_by"] == "its power command failed")
        self.server.until("ON")
        self.assertEqual(self.server.statuses()[-6:], [
            "ON", "BeforeStopping", "Stopping", "ShutdownDelayed", "ManuallyON", "ON"])
        self.assertIn("set_off", self.server.notifications()["adopted"]["actions"])
        self.assertTrue(self.machine.is_up())


if __name__ == "__main__":
    network.need_namespaces()
    support.main()
