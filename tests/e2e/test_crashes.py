"""A manager that is killed at each point of an act, and started again: what was answered is there
exactly once, effects that are owed happen, and deadlines come at their time."""

import os
import signal
import time
import unittest

import load
import support
from load import of_type
from support import wait_until

LAMP_MAC = "52:54:00:00:00:10"


class Case:
    """One act on a copy of a prepared manager that dies during it, and its next life."""

    def __init__(self, template, fault):
        self.air = load.Air()
        self.manager = load.copy_of(template.manager)
        self.ledger = load.Ledger()
        self.lamp, self.silent = template.lamp, template.silent
        self.node = load.agent_like(template.node, self.manager)
        self.fault = fault

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.manager.close()
        self.air.close()

    def live_until_death(self, act):
        """The answer to the act, or None when the manager died owing it."""
        self.manager.start(fault=self.fault)
        self.manager.api("PATCH", f"/servers/{self.lamp}", {"wake": self.air.wake_settings()})
        try:
            answer = act(self)
        except load.NO_ANSWER:
            answer = None
        status = self.manager.process.wait(timeout=10)
        self.manager.kill()
        assert status == -signal.SIGKILL, (self.fault, status, self.manager.output())
        load.assert_verifies(self.manager)
        return answer

    def ask(self, server_id, target):
        return self.manager.api("PUT", f"/servers/{server_id}/power", {"power_status": target},
                                headers={"Idempotency-Key": f"{server_id}-{target}"})

    def report(self, status="ON"):
        answer = self.node.heartbeat(status)
        assert answer.status == 200, answer
        self.ledger.report(self.node, self.node.boot.boot_id, self.node.report, answer)
        return answer

    def assert_sound(self):
        load.assert_replayed_is_served(self.manager)
        events = load.logged_events(self.manager)
        self.ledger.assert_kept_by(events)
        return events


class Template:
    """A fleet at rest, to be copied: a lamp that can be woken, a server without card or agent, and
    a machine with an agent."""

    def __init__(self):
        self.manager = support.Manager().set_up()
        self.manager.api("PATCH", "/settings", {"wake_stagger_ms": 0})
        self.lamp = self.manager.add_server(
            "lamp", mac_addresses=[LAMP_MAC], standby_time_seconds=6)["id"]
        self.silent = self.manager.add_server("silent", standby_time_seconds=1)["id"]
        node = self.manager.add_server("node", mac_addresses=["52:54:00:00:00:01"],
                                       heartbeat_interval_seconds=1, missed_heartbeats=1,
                                       standby_time_seconds=6)
        self.node = self.manager.join(node["id"])
        assert self.manager.stop() == 0


@support.together
class AtEachPoint(unittest.TestCase):
    """1.0.5: killed at a named point of one act. The first batch of a life is its ManagerStarted,
    the second here tells the lamp's wakes where to go; so the act's own batch is the third."""

    @classmethod
    def setUpClass(cls):
        cls.template = Template()

    @classmethod
    def tearDownClass(cls):
        cls.template.manager.close()

    def at(self, faults, story):
        def one(fault):
            with Case(self.template, fault) as case:
                try:
                    story(case)
                except AssertionError as error:
                    raise AssertionError(f"at {fault}: {error}") from error
        load.in_parallel(one, faults)

    def test_a_power_request_is_there_once_and_its_wake_goes_out(self):
        def story(case):
            answer = case.live_until_death(lambda c: c.ask(c.lamp, "ON"))
            self.assertIn(answer and answer.status, (None, 202))
            if case.fault != "effect:1":
                self.assertIsNone(answer)
            logged = of_type(load.logged_events(case.manager), "PowerRequested")
            self.assertEqual(len(logged), 0 if case.fault == "append:3" else 1)
            born = time.time()
            case.manager.start()
            again = case.ask(case.lamp, "ON")
            self.assertEqual((again.status, again["outcome"]), (202, "accepted"))
            if answer:
                self.assertEqual(again["sequence"], answer["sequence"])
            wait_until("the packet", lambda: case.air.packets_for(LAMP_MAC, born), 2)
            wait_until("its record", lambda: case.manager.events(type="WakeSent"), 2)
            self.assertEqual(case.manager.status(case.lamp), "Starting")
            events = case.assert_sound()
            requested = of_type(events, "PowerRequested")
            self.assertEqual([e["sequence"] for e in requested], [again["sequence"]])
            self.assertFalse(case.air.malformed)
        self.at(["append:3", "sync:3", "answer:2", "effect:1"], story)

    def test_a_wake_that_was_not_recorded_is_sent_again_at_once(self):
        def story(case):
            case.live_until_death(lambda c: c.ask(c.lamp, "ON"))
            self.assertTrue(case.air.packets_for(LAMP_MAC))
            recorded = of_type(load.logged_events(case.manager), "WakeSent")
            self.assertEqual(len(recorded), 0 if case.fault == "append:4" else 1)
            born = time.time()
            case.manager.start()
            started = time.time()
            self.assertEqual(case.ask(case.lamp, "ON").status, 202)
            first = wait_until("a packet", lambda: case.air.packets_for(LAMP_MAC, born), 3)[0]
            # The second is due a second after the first; one that is not recorded counts for none.
            due = load.seconds(recorded[0]) + 1 if recorded else started
            self.assertLess(first - max(due, started), 0.5)
            self.assertGreater(first, due - 0.1 if recorded else 0)
            case.assert_sound()
        self.at(["append:4", "sync:4"], story)

    def test_a_report_that_was_answered_is_there_and_one_that_was_not_at_most_once(self):
        def story(case):
            self.assertIsNone(case.live_until_death(lambda c: c.node.heartbeat()))
            logged = of_type(load.logged_events(case.manager), "HeartbeatReceived")
            self.assertEqual(len(logged), 0 if case.fault == "append:3" else 1)
            case.manager.start()
            case.node.report -= 1  # the very same report again, as nobody answered it
            case.report()
            case.report()
            self.assertEqual(case.manager.status(case.node.server_id), "ON")
            case.assert_sound()
        self.at(["append:3", "sync:3", "answer:2"], story)

    def test_an_order_that_was_told_is_recorded_and_it_is_told_again(self):
        def act(case):
            case.report()
            case.report()
            self.assertEqual(case.ask(case.node.server_id, "OFF").status, 202)
            return case.report()

        def story(case):
            self.assertIsNone(case.live_until_death(act))
            sent = of_type(load.logged_events(case.manager), "OrderSent")
            self.assertEqual(len(sent), 0 if case.fault == "append:6" else 1)
            case.manager.start()
            self.assertEqual(case.report()["power_status"], "OFF")
            self.assertEqual(case.report("Stopping")["power_status"], "OFF")
            self.assertEqual(case.manager.status(case.node.server_id), "Stopping")
            case.assert_sound()
        self.at(["append:6", "sync:6", "answer:5"], story)

    def test_a_standby_time_elapses_once(self):
        def story(case):
            answer = case.live_until_death(lambda c: c.ask(c.silent, "OFF"))
            self.assertEqual(answer.status, 202)
            was_lost = case.fault == "append:4"
            case.manager.start()
            elapsed = wait_until("StandbyElapsed",
                                 lambda: case.manager.events(type="StandbyElapsed"), 2)
            self.assertEqual(
                [e["data"] for e in elapsed], [{"request": answer["sequence"], "late": was_lost}])
            events = case.assert_sound()
            self.assertEqual(len(of_type(events, "StandbyElapsed")), 1)
            requested = events[answer["sequence"]]
            self.assertGreater(load.seconds(elapsed[0]) - load.seconds(requested), 0.998)
            self.assertEqual(case.manager.status(case.silent), "OFF")
        self.at(["append:4", "sync:4"], story)

    def test_a_silence_is_judged_once_and_never_over_the_time_it_was_dead(self):
        def story(case):
            case.live_until_death(lambda c: c.report())
            case.manager.start()
            started = of_type(load.logged_events(case.manager), "ManagerStarted")[-1]
            lost = wait_until("HeartbeatLost",
                              lambda: case.manager.events(type="HeartbeatLost"), 3)
            if case.fault == "append:4":
                waited = load.seconds(lost[0]) - load.seconds(started)
                self.assertTrue(0.99 < waited < 1.4, waited)
            self.assertEqual(case.manager.status(case.node.server_id), "Crashed")
            events = case.assert_sound()
            self.assertEqual(len(of_type(events, "HeartbeatLost")), 1)
        self.at(["append:4", "sync:4"], story)

    def test_a_change_by_people_is_there_once(self):
        def add(case):
            return case.manager.api("POST", "/servers", {"name": "late"},
                                    headers={"Idempotency-Key": "once"})

        def story(case):
            self.assertIsNone(case.live_until_death(add))
            case.manager.start()
            made = add(case)
            self.assertEqual(made.status, 201, made)
            self.assertEqual(case.manager.server(made["id"])["name"], "late")
            events = case.assert_sound()
            late = [e for e in of_type(events, "ServerAdded") if e["data"]["name"] == "late"]
            self.assertEqual([e["server_id"] for e in late], [made["id"]])
        self.at(["append:3", "sync:3", "answer:2"], story)

    def test_dying_at_the_start_or_at_the_stop_leaves_a_log_that_starts(self):
        def story(case):
            case.manager.start(fault=case.fault, ready=case.fault.endswith("2"))
            if case.fault.endswith("2"):
                os.kill(case.manager.pid, signal.SIGTERM)
            self.assertEqual(case.manager.process.wait(timeout=10), -signal.SIGKILL)
            case.manager.kill()
            load.assert_verifies(case.manager)
            case.manager.start()
            case.assert_sound()
            self.assertEqual(case.manager.stop(), 0)
        self.at(["append:1", "sync:1", "append:2", "sync:2"], story)


@support.together
class Deadlines(unittest.TestCase):
    """1.5: what a death means for deadlines."""

    def begin(self):
        self.air = load.Air()
        self.addCleanup(self.air.close)
        self.manager = load.manager_at_fixed_port().set_up()
        self.addCleanup(self.manager.close)
        self.manager.api("PATCH", "/settings", {
            "wake_stagger_ms": 0, "heartbeat_interval_seconds": 1, "missed_heartbeats": 2})

    def lamp(self, name, standby):
        mac = f"52:54:00:00:02:{len(name):02x}"
        return self.manager.add_server(name, mac_addresses=[mac], standby_time_seconds=standby,
                                       wake=self.air.wake_settings())["id"], mac

    def machine(self, name, standby, stops_in):
        added = self.manager.add_server(name, standby_time_seconds=standby)
        agent = self.manager.join(added["id"], mac=f"52:54:00:00:03:{len(name):02x}")
        agent.say()
        agent.say()
        machine = load.Machine(load.Ledger(), agent, 0.2, stops_in=stops_in)
        machine.start()
        self.addCleanup(machine.end)
        return machine

    def elapsed_of(self, request):
        return [e for e in self.manager.events(type="StandbyElapsed")
                if e["data"]["request"] == request]

    def request(self, server_id, target):
        answer = self.manager.power(server_id, target)
        self.assertEqual(answer.status, 202, answer)
        return answer["sequence"]

    def test_killed_at_40_percent_of_a_standby_time_it_elapses_at_its_original_end(self):
        self.begin()
        deaf = self.machine("deaf", 5, stops_in=0)
        slow = self.machine("slower", 5, stops_in=10**6)
        silent = self.manager.add_server("silent", standby_time_seconds=5)["id"]
        lamp, mac = self.lamp("lamp", 5)
        requests = {server: self.request(server, target) for server, target in (
            (lamp, "ON"), (silent, "OFF"), (deaf.agent.server_id, "OFF"),
            (slow.agent.server_id, "OFF"))}
        began = {e["sequence"]: load.seconds(e)
                 for e in self.manager.events(type="PowerRequested")}
        support.let_pass(2)
        self.manager.kill()
        self.manager.start()
        load.assert_replayed_is_served(self.manager)
        self.assertEqual(self.manager.status(lamp), "Starting")
        self.assertEqual(self.manager.status(deaf.agent.server_id), "BeforeStopping")
        self.assertEqual(self.manager.status(slow.agent.server_id), "Stopping")
        for request in requests.values():
            elapsed = wait_until("elapsed", lambda: self.elapsed_of(request), 6)
            after = load.seconds(elapsed[0]) - began[request]
            self.assertTrue(4.998 < after < 5.3, after)
            self.assertEqual([e["data"]["late"] for e in elapsed], [False])
        self.assertEqual(self.manager.status(lamp), "StartupDelayed")
        self.assertEqual(self.manager.status(deaf.agent.server_id), "Unknown")
        self.assertEqual(self.manager.status(slow.agent.server_id), "ShutdownDelayed")
        # Packets went out at 0, 1 and 3 s: the pauses go on where they were.
        sent = [at - began[requests[lamp]] for at in self.air.packets_for(mac)]
        self.assertEqual(len(sent), 3, sent)
        for at, due in zip(sent, (0, 1, 3)):
            self.assertTrue(-0.01 < at - due < 0.5, sent)
        load.assert_replayed_is_served(self.manager)

    def test_what_elapsed_while_it_was_dead_elapses_once_and_late(self):
        self.begin()
        lamp, mac = self.lamp("lamp", 1)
        patient, patient_mac = self.lamp("patient", 20)
        requests = [self.request(lamp, "ON"), self.request(patient, "ON")]
        # Recorded, too: what is not is sent again at the start.
        wait_until("first packets", lambda: self.air.packets_for(mac) and
                   self.air.packets_for(patient_mac) and
                   len(self.manager.events(type="WakeSent")) >= 2)
        self.manager.kill()
        support.let_pass(1.5)
        born = time.time()
        self.manager.start()
        elapsed = self.elapsed_of(requests[0])
        self.assertEqual([e["data"]["late"] for e in elapsed], [True])
        self.assertEqual(self.manager.status(lamp), "StartupDelayed")
        # The next packet of the other was due meanwhile: it goes out at once.
        wait_until("it", lambda: self.air.packets_for(patient_mac, born), 0.5)
        self.assertFalse(self.elapsed_of(requests[1]))
        self.manager.kill()
        self.manager.start()
        self.assertEqual(len(self.elapsed_of(requests[0])), 1)
        self.assertFalse(self.air.packets_for(mac, born))
        load.assert_replayed_is_served(self.manager)

    def test_what_was_on_is_not_crashed_however_long_the_manager_was_dead(self):
        self.begin()
        steady = self.machine("steady", 5, stops_in=0)
        quiet = self.machine("gone", 5, stops_in=0)
        self.manager.kill()
        quiet.end()
        support.let_pass(3.5)  # the timeout is 2 s
        self.manager.start()
        started = load.seconds(self.manager.events(type="ManagerStarted")[-1])
        self.assertEqual(self.manager.status(steady.agent.server_id), "ON")
        self.assertEqual(self.manager.status(quiet.agent.server_id), "ON")
        lost = wait_until("HeartbeatLost", lambda: self.manager.events(type="HeartbeatLost"), 4)
        self.assertEqual([e["server_id"] for e in lost], [quiet.agent.server_id])
        waited = load.seconds(lost[0]) - started
        self.assertTrue(1.99 < waited < 2.4, waited)
        self.assertEqual(self.manager.status(steady.agent.server_id), "ON")
        self.assertEqual(self.manager.status(quiet.agent.server_id), "Crashed")


if __name__ == "__main__":
    if not load.has_fault_points():
        support.skip("this build has no fault points (CPM_FAULT_POINTS)")
    support.main()
