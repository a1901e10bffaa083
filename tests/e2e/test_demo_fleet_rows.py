"""The whole of the status model by acts on machines of the demo fleet: each is led through every
row and rule of status model 1.3 that acts can reach, one machine alone and twenty at once. Their
agents are real; where a row lives between a report and its answer, the answer waits in the cable.
"""

import collections
import pathlib
import unittest

import demo_fleet
import support
from support import wait_until

Row = collections.namedtuple("Row", "power previous current actual")

# What each machine goes through in the story: power, previous, current, and what is concluded.
EXPECTED = {Row(*line.split()) for line in """
    OFF None     None     Unknown
    OFF None     None     OFF
    OFF None     Stopping Unknown
    OFF ON       ON       BeforeStopping
    OFF ON       ON       Unknown
    OFF ON       Stopping Stopping
    OFF ON       Stopping ShutdownDelayed
    OFF ON       None     Crashed
    OFF Stopping Stopping Stopping
    OFF Stopping Stopping ShutdownDelayed
    OFF Stopping None     OFF
    OFF Stopping None     Unknown
    ON  None     None     Starting
    ON  None     None     StartupDelayed
    ON  None     ON       ON
    ON  None     ON       ManuallyON
    ON  None     Stopping Unknown
    ON  ON       ON       ON
    ON  ON       Stopping Unknown
    ON  ON       None     Crashed
    ON  Stopping ON       Unknown
    ON  Stopping ON       ManuallyON
    ON  Stopping Stopping Unknown
    ON  Stopping None     Unknown
    ON  Stopping None     Starting
    ON  Stopping None     StartupDelayed
""".split("\n") if line.strip()}

# Of those, where a rule that stands before the table decides: S, A, B, adopted.
BY_A_RULE = {Row(*line.split()) for line in """
    ON  None     None     Starting
    ON  None     None     StartupDelayed
    ON  Stopping None     Starting
    ON  Stopping None     StartupDelayed
    OFF None     None     OFF
    OFF Stopping None     Unknown
    ON  None     ON       ManuallyON
    ON  Stopping ON       ManuallyON
""".split("\n") if line.strip()}

# Rows that no act on a machine leads to: the first needs a request that was withdrawn, the others
# are adopted or re-asserted by the very decision that would enter them (1.4).
OUT_OF_REACH = {("ON", "None", "None"), ("OFF", "Stopping", "ON"), ("OFF", "None", "ON")}


def rows_of(events):
    """The states a server went through, by what 1.4 says that each event does."""
    power, previous, current = "OFF", "None", "None"
    rows = set()
    for event, after in zip(events, events[1:] + [{"type": None}]):
        match event["type"]:
            case "PowerRequested":
                power, previous = event["data"]["target"], current
            case "HeartbeatReceived":
                previous, current = current, event["data"]["status"]
            case "HeartbeatLost":
                previous, current = current, "None"
            case "PowerAdopted":
                power = "ON"
            case "PowerReasserted":
                previous = "ON"
        # These join the decision of the report before them: no status stands between.
        if after["type"] not in ("PowerAdopted", "PowerReasserted"):
            rows.add(Row(power, previous, current, event["actual_status"]))
    return rows


def documented_rows():
    """The table of the document, a Row for each status that a row can have."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs/status-model.md"
    lines = [[cell.strip() for cell in line.split("|")[1:-1]]
             for line in page.read_text("utf-8").splitlines()
             if line.startswith(("| ON | ", "| OFF | "))]
    return {Row(*line[:3], actual) for line in lines
            if len(line) == 4 and set(line[:3]) <= {"ON", "OFF", "Stopping", "None"}
            for actual in line[3].split("; once the standby time has elapsed: ")}


class TheTable(unittest.TestCase):
    def test_what_is_expected_is_the_documents_table(self):
        documented = documented_rows()
        self.assertEqual(len(documented), 21)
        reached = EXPECTED - BY_A_RULE
        self.assertEqual(reached, {row for row in documented if row[:3] not in OUT_OF_REACH})


@support.together
class Rows(demo_fleet.Story):
    def test_one_machine_goes_through_every_row(self):
        self.tell_of(["alone"])

    def test_twenty_machines_at_once_go_through_every_row(self):
        self.tell_of([f"twenty{number}" for number in range(1, 21)])

    def tell_of(self, names):
        machines = [self.add(name, boot=6, standby_time_seconds=3) for name in names]
        for chapter in (self.start_late, self.an_order_overtaken_by_on, self.slow_hooks,
                        self.a_crash_on_the_way_down, self.a_veto, self.a_reboot_on_the_way_down):
            chapter(machines)
            self.wait_for(machines, "ON")
            self.wait_for_standby(machines)
        self.ask(machines, "OFF")
        self.wait_for_rule(machines, "OFF/Stopping/None")
        for machine in machines:
            seen = rows_of(self.manager.events(server=machine.server))
            self.assertEqual(EXPECTED - seen, set(), machine.name)
        self.manager.assert_replay_is_served()

    def wait_for_standby(self, machines):
        wait_until("the end of the standby time", lambda: not any(
            server["standby"] for server in self.served(machines)), 30, 0.1)

    def start_late(self, machines):
        self.assertEqual(self.statuses(machines), {"Unknown"})
        self.ask(machines, "ON")
        self.wait_for(machines, "Starting")
        self.wait_for(machines, "StartupDelayed")
        self.do(machines, "boot 0.5")
        self.wait_for(machines, "ON")
        self.assert_seen(machines, power="on", boots=1)
        self.do(machines, "unplug")
        self.wait_for_rule(machines, "ON/ON/None")
        self.do(machines, "press")

    def an_order_overtaken_by_on(self, machines):
        """OFF is asked, the order waits in the cable until ON is wanted again; and once more, and
        this time the power goes before the agent hears that."""
        self.change(machines, missed_heartbeats=12, standby_time_seconds=5)
        self.wait_for_reports(machines)
        self.let_an_order_come_late(machines)
        for machine in machines:
            machine.cable.release_answers()
        self.wait_for(machines, "ON")
        self.assert_seen(machines, acts=[])
        self.wait_for_standby(machines)
        self.let_an_order_come_late(machines)
        self.do(machines, "unplug")
        self.wait_for_rule(machines, "ON/Stopping/None")
        for machine in machines:
            machine.cable.release_answers()
        self.wait_for_standby(machines)
        self.ask(machines, "ON")
        self.assert_seen(machines, power="on", acts=[])

    def let_an_order_come_late(self, machines):
        before = self.orders()
        for machine in machines:
            machine.cable.hold_answers()
        for machine in machines:
            machine.cable.wait_for_held_answer()
        self.ask(machines, "OFF")
        self.assertEqual(self.statuses(machines), {"BeforeStopping"})
        for machine in machines:
            machine.cable.let_held_answers_pass()
        wait_until("an order for each", lambda: all(
            self.orders()[machine.server] > before[machine.server] for machine in machines),
            30, 0.2)
        self.wait_for_rule(machines, "OFF/ON/ON")
        self.wait_for(machines, "Unknown")
        self.ask(machines, "ON")
        for machine in machines:
            machine.cable.let_held_answers_pass()
        self.wait_for_rule(machines, "ON/ON/Stopping")

    def orders(self):
        return collections.Counter(
            event["server_id"] for event in self.manager.events(type="OrderSent"))

    def slow_hooks(self, machines):
        """The standby time ends between the first Stopping and the second."""
        for machine in machines:
            hook = machine.hooks / "10-long"
            hook.write_text(f"#!/bin/sh\nwhile [ ! -e {machine.root}/go ]; do sleep 0.2; done\n")
            hook.chmod(0o755)
            machine.do("stop never")
        self.change(machines, missed_heartbeats=3, heartbeat_interval_seconds=8,
                    standby_time_seconds=4)
        self.wait_for_reports(machines)
        self.ask(machines, "OFF")
        self.wait_for_rule(machines, "OFF/ON/Stopping")
        self.wait_for(machines, "ShutdownDelayed")
        self.change(machines, heartbeat_interval_seconds=1)
        self.wait_for_rule(machines, "OFF/Stopping/Stopping")
        self.assert_seen(machines, power="on", acts=[])
        for machine in machines:
            (machine.root / "go").touch()
        self.assert_seen(machines, power="stopping", acts=["poweroff"])
        self.hang_after_the_act(machines)

    def hang_after_the_act(self, machines):
        self.do(machines, "freeze")
        self.wait_for(machines, "OFF")
        self.do(machines, "thaw")  # OFF/None/Stopping until its next report
        self.wait_for_rule(machines, "OFF/Stopping/Stopping")
        self.change(machines, standby_time_seconds=8)
        self.ask(machines, "ON")
        self.wait_for_rule(machines, "ON/Stopping/Stopping")
        self.do(machines, "freeze")
        self.wait_for(machines, "Starting")
        self.wait_for(machines, "StartupDelayed")
        self.do(machines, "thaw")  # ON/None/Stopping
        self.wait_for_rule(machines, "ON/Stopping/Stopping")
        self.do(machines, "stop 0")  # and once it is silent, it is woken: ON is still wanted
        self.assert_seen(machines, power="on", acts=["poweroff"])

    def a_crash_on_the_way_down(self, machines):
        """And a person who knows better."""
        self.change(machines, standby_time_seconds=3)
        self.do(machines, "freeze")
        self.ask(machines, "OFF")
        self.do(machines, "unplug")
        self.wait_for(machines, "Crashed")
        self.wait_for_standby(machines)
        self.ask(machines, "OFF")
        self.wait_for_rule(machines, "A")
        self.assertEqual(self.statuses(machines), {"OFF"})
        self.do(machines, "press")

    def a_veto(self, machines):
        """And then silence: nobody knows whether it is off."""
        self.change(machines, standby_time_seconds=10)
        for machine in machines:
            machine.hold.write_text("mine\n")
        self.ask(machines, "OFF")
        self.wait_for_rule(machines, "OFF/Stopping/Stopping")
        self.assertEqual(self.statuses(machines), {"Stopping"})
        self.do(machines, "unplug")
        self.wait_for_rule(machines, "B")
        for machine in machines:
            machine.hold.unlink()
        self.do(machines, "press")

    def a_reboot_on_the_way_down(self, machines):
        """Quicker than its silence is noticed."""
        self.change(machines, missed_heartbeats=15, standby_time_seconds=30)
        self.wait_for_reports(machines)
        for machine in machines:
            (machine.root / "go").unlink()
        self.ask(machines, "OFF")
        self.wait_for_rule(machines, "OFF/Stopping/Stopping")
        self.do(machines, "unplug")
        self.do(machines, "press")
        self.wait_for(machines, "ON")
        self.change(machines, missed_heartbeats=3)
        for machine in machines:
            (machine.root / "go").touch()
        self.assert_seen(machines, power="on", acts=["poweroff"])


if __name__ == "__main__":
    demo_fleet.enter_own_network()
    support.main()
