"""The demo fleet: machines that wake on a real magic packet, run a real cpm-agent and go off when
its power command runs, through the status model by acts on machines, one and twenty at once."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import urllib.request

import demo_fleet
import support
from support import BIN, let_pass, wait_until


@support.together
class Fleet(demo_fleet.Story):
    SETTINGS = {"wake_stagger_ms": 20, "release_standby_when_settled": True}

    def tell_the_day(self, machines):
        """Wake, OFF, press, unplug, press."""
        self.ask(machines, "ON")
        self.wait_for(machines, "ON")
        self.assert_seen(machines, power="on", boots=1)
        for machine in machines:
            self.assertGreaterEqual(machine.seen["packets"], 1)
        self.ask(machines, "OFF")
        self.wait_for(machines, "OFF")
        self.assert_seen(machines, power="off", boots=1, acts=["poweroff"])
        for machine in machines:
            machine.do("press")
        self.wait_for(machines, "ON")  # adopted: it was turned on by hand
        for machine in machines:
            self.assertTrue(self.passed(machine, "ManuallyON"))
            machine.do("unplug")
        self.wait_for(machines, "Crashed")
        for machine in machines:
            machine.do("press")
        self.wait_for(machines, "ON")
        self.assert_seen(machines, power="on", boots=3, acts=["poweroff"])

    def test_a_day_of_one_machine(self):
        self.tell_the_day([self.add("alone")])

    def test_slow_and_unwilling_machines_are_delayed_and_a_hanging_one_is_told_later(self):
        slow, unwilling = (self.add(name, standby_time_seconds=3) for name in ("slow", "unwilling"))
        hanging = self.add("hanging", heartbeat_interval_seconds=2)
        slow.do("boot 7")
        unwilling.do("stop never")
        self.ask([unwilling, hanging], "ON")
        self.ask([slow], "ON")
        self.wait_for([slow], "Starting")
        self.wait_for([unwilling, hanging], "ON")
        self.ask([unwilling], "OFF")
        hanging.do("freeze")
        self.ask([hanging], "OFF")
        self.wait_for([hanging], "BeforeStopping")
        self.assertEqual(hanging.seen["acts"], [])
        hanging.do("thaw")
        self.wait_for([slow], "StartupDelayed")
        self.wait_for([unwilling], "ShutdownDelayed")
        self.wait_for([hanging], "OFF")
        self.wait_for([slow], "ON")
        self.assert_seen([unwilling], power="stopping", acts=["poweroff"])
        unwilling.do("stop 0")
        self.wait_for([unwilling], "OFF")
        self.assert_seen([unwilling], power="off", boots=1, acts=["poweroff"])

    def test_a_machine_hears_no_packet_but_its_own(self):
        one, other = self.add("one"), self.add("other")
        self.ask([one], "ON")
        self.wait_for([one], "ON")
        let_pass(1)
        self.assertEqual((other.seen["power"], other.seen["packets"]), ("off", 0))

    def test_a_card_with_a_password_wakes_for_it_alone(self):
        secured = {"secure_on": "01:02:03:04:05:06"}
        machine = self.add("secured", wake=demo_fleet.fleet.WAKE | secured)
        self.secure(machine, "060504030201")
        self.ask([machine], "ON")
        wait_until("packets were sent", lambda: len(
            self.manager.events(server=machine.server, type="WakeSent")) >= 2)
        let_pass(0.5)
        self.assertEqual((machine.seen["power"], machine.seen["packets"]), ("off", 0))
        self.secure(machine, "010203040506")
        self.wait_for([machine], "ON")

    def secure(self, machine, password):
        machine.do(f"secure {password}")
        self.assertTrue(machine.wait_for(lambda seen: "password" in seen["event"], 10))

    def test_a_day_of_twenty_machines_at_once(self):
        self.tell_the_day([self.add(f"twenty{number}") for number in range(1, 21)])

    def test_a_suspended_machine_wakes_in_its_boot_and_obeys_nothing_from_before(self):
        if not (BIN / "cpm-demo-suspend.so").exists():
            self.skipTest("built without cpm-demo-suspend: the machines do not suspend")
        sleeper = self.add("sleeper", off_method="suspend")
        self.ask([sleeper], "ON")
        self.wait_for([sleeper], "ON")
        self.ask([sleeper], "OFF")
        self.wait_for([sleeper], "OFF")
        self.assert_seen([sleeper], power="suspended", boots=1, acts=["suspend"])
        self.ask([sleeper], "ON")
        self.wait_for([sleeper], "ON")
        let_pass(3)
        self.assertEqual(self.statuses([sleeper]), {"ON"})
        self.assert_seen([sleeper], power="on", boots=1, acts=["suspend"])
        beats = self.manager.events(server=sleeper.server, type="HeartbeatReceived")
        self.assertEqual(beats[-1]["data"]["identity"]["resume_count"], 1, beats[-1])

    def test_the_demo_shows_every_status_and_ends_with_all_it_started(self):
        demo = subprocess.Popen(
            [sys.executable, "-B", demo_fleet.fleet.board.__file__.replace("board.py", "demo.py")],
            env={**os.environ, "CPM_BIN": str(BIN)}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.addCleanup(demo.stdin.close)
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.wait)
        self.addCleanup(demo.kill)
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if line.startswith("Now you."):
                break
        said = "".join(lines)
        self.assertIn("10 of 10 statuses", said)
        url = re.search(r"The manager +(http://[0-9.:]+)", said)[1]
        with urllib.request.urlopen(url + "/healthz", timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        cards = pathlib.Path(f"/proc/{demo.pid}/net/dev").read_text().splitlines()[2:]
        self.assertEqual([card.split(":")[0].strip() for card in cards], ["lo"])
        root = re.search(r"(/\S+)/machines/NAME", said)[1]
        self.assertGreater(len(processes_of(root)), 10)
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()
        self.assertEqual((demo.wait(20), "Traceback" in rest), (0, False), rest)
        wait_until("the end of all", lambda: not processes_of(root), 5)
        self.assertFalse(pathlib.Path(root).exists())


def processes_of(root):
    """The processes with this folder in their command line."""
    found = []
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if root.encode() in file.read_bytes():
                found.append(file.parent.name)
    return found


if __name__ == "__main__":
    demo_fleet.enter_own_network()
    support.main()
