"""A manager that is stopped for a while (SIGSTOP, as a paused virtual machine is): silence it could
not hear proves nothing, and what it has to do it does once it goes on (status model 1.5)."""

import os
import signal
import time
import unittest

import load
import support
from support import wait_until


@support.together
class Pauses(unittest.TestCase):
    """Each story has a manager of its own; the stories of one class run side by side."""

    def manager(self, interval=1, missed=1):
        manager = support.Manager().set_up()
        self.addCleanup(manager.close)
        settings = manager.api("PATCH", "/settings", {
            "heartbeat_interval_seconds": interval, "missed_heartbeats": missed,
            "standby_time_seconds": 2, "wake_stagger_ms": 0})
        self.assertEqual(settings.status, 200, settings)
        return manager

    def machine(self, manager, name, period=0.25, **options):
        agent = manager.join(manager.add_server(name, mac_addresses=[mac_of(name)])["id"],
                             mac=mac_of(name))
        agent.say()
        agent.say()
        machine = load.Machine(load.Ledger(), agent, period, **options)
        machine.start()
        self.addCleanup(machine.end)
        return machine

    def pause(self, manager, seconds):
        """Stops the process for so long; when it went on, as seconds since 1970."""
        os.kill(manager.pid, signal.SIGSTOP)
        try:
            support.let_pass(seconds)
        finally:
            went_on = time.time()
            os.kill(manager.pid, signal.SIGCONT)
        return went_on

    def lost(self, manager):
        return {e["server_id"]: load.seconds(e) for e in manager.events(type="HeartbeatLost")}

    def assert_all_on(self, manager, machines):
        for machine in machines:
            served = manager.server(machine.agent.server_id)
            self.assertEqual(served["actual_status"], "ON", served)
            self.assertFalse(machine.ledger.unexpected)

    def test_nobody_is_crashed_for_a_pause_of_three_timeouts(self):
        def story(timeout):
            manager = self.manager(missed=timeout)
            # Each reports twice a second at least: its own thread may be late, too.
            machines = [self.machine(manager, f"m{i}", 0.1 + 0.1 * i, stops_in=0)
                        for i in range(5)]
            for extra in (0, 0.37):
                reports = [len(m.ledger.reports) for m in machines]
                went_on = self.pause(manager, 3 * timeout + extra)
                # A report that waited in the kernel was answered, and more have followed.
                wait_until("reports are answered again", lambda: all(
                    len(m.ledger.reports) > before + 2 for m, before in zip(machines, reports)))
                support.let_pass(went_on + timeout + 1 - time.time())
                self.assertEqual(self.lost(manager), {})
                self.assert_all_on(manager, machines)
            load.assert_replayed_is_served(manager)
            for machine in machines:
                machine.end()
            events = load.logged_events(manager)
            for machine in machines:
                machine.ledger.assert_kept_by(events)
        load.in_parallel(story, [1, 2, 3])

    def test_who_is_silent_is_judged_a_full_timeout_after_the_pause(self):
        def story(timeout):
            manager = self.manager(missed=timeout)
            on = self.machine(manager, "speaks", stops_in=0)
            gone = self.machine(manager, "gone", stops_in=0)
            gone.end()
            last = time.time()
            went_on = self.pause(manager, 3 * timeout)
            lost = wait_until("the silence is judged", lambda: self.lost(manager), timeout + 3)
            self.assertEqual(list(lost), [gone.agent.server_id])
            waited = lost[gone.agent.server_id] - went_on
            self.assertTrue(timeout - 0.002 <= waited < timeout + 0.5, (waited, timeout))
            self.assertGreater(went_on, last)
            self.assertEqual(manager.status(gone.agent.server_id), "Crashed")
            self.assert_all_on(manager, [on])
            load.assert_replayed_is_served(manager)
        load.in_parallel(story, [1, 2])

    def test_a_deadline_that_passed_in_a_pause_comes_once_and_at_once_after_it(self):
        manager = self.manager()
        lamp = manager.add_server("lamp", mac_addresses=[mac_of("lamp")],
                                  wake={"broadcast_address": "127.0.0.1", "ports": [9]})["id"]
        long = manager.add_server("long", standby_time_seconds=6)["id"]
        deaf = self.machine(manager, "deaf", stops_in=0)
        stopping = self.machine(manager, "slow", stops_in=10**6)
        short = [lamp, deaf.agent.server_id, stopping.agent.server_id]
        for server, target in zip(short, ("ON", "OFF", "OFF")):
            self.assertEqual(manager.power(server, target).status, 202)
        self.assertEqual(manager.power(long, "OFF").status, 202)
        wait_until("it has begun to stop", lambda: manager.status(short[2]) == "Stopping", 2)
        went_on = self.pause(manager, 3)
        elapsed = wait_until("all elapsed", lambda: len(
            manager.events(type="StandbyElapsed")) >= 3 and manager.events(type="StandbyElapsed"))
        self.assertEqual(sorted(e["server_id"] for e in elapsed), sorted(short))
        for event in elapsed:
            self.assertTrue(-0.002 <= load.seconds(event) - went_on < 0.3, (event, went_on))
        self.assertEqual(manager.status(lamp), "StartupDelayed")
        self.assertEqual(manager.status(short[1]), "Unknown")
        self.assertEqual(manager.status(short[2]), "ShutdownDelayed")
        # One that ends after the pause keeps its end: a pause moves no standby time.
        began = load.seconds(manager.events(type="PowerRequested", server=long)[0])
        wait_until("it", lambda: len(manager.events(type="StandbyElapsed")) > 3, 6)
        (event,) = manager.events(type="StandbyElapsed", server=long)
        self.assertTrue(5.998 <= load.seconds(event) - began < 6.3, (event, began))
        self.assertEqual(len(manager.events(type="StandbyElapsed")), 4)
        load.assert_replayed_is_served(manager)

    def test_reports_that_waited_in_the_kernel_count_before_deadlines(self):
        """An agent whose whole request arrives during the pause, and that says nothing after it
        until its next interval, is heard."""
        manager = self.manager(missed=1)
        machine = self.machine(manager, "waits", stops_in=0)
        machine.end()
        connections = []
        for _ in range(3):
            before = time.time()
            os.kill(manager.pid, signal.SIGSTOP)
            connection = begin_report(machine.agent)
            connections.append(connection)
            support.let_pass(before + 3.2 - time.time())
            os.kill(manager.pid, signal.SIGCONT)
            self.assertEqual(connection.getresponse().status, 200)
            self.assertEqual(self.lost(manager), {})
        self.assertEqual(manager.status(machine.agent.server_id), "ON")
        for connection in connections:
            connection.close()

    def test_a_report_sent_while_it_was_held_up_for_a_moment_counts_before_its_deadline(self):
        """For less than the 2 s after which silence counts anew."""
        manager = self.manager(missed=2)
        machine = self.machine(manager, "held", stops_in=0)
        machine.end()
        machine.agent.say()
        lost = len(manager.events(type="HeartbeatLost"))
        support.let_pass(0.6)
        os.kill(manager.pid, signal.SIGSTOP)
        connection = begin_report(machine.agent)
        support.let_pass(1.75)  # its deadline passes
        os.kill(manager.pid, signal.SIGCONT)
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        self.assertEqual(len(manager.events(type="HeartbeatLost")), lost)

    def test_an_off_whose_caller_gave_up_during_the_pause_is_not_done(self):
        manager = self.manager()
        machine = self.machine(manager, "late", stops_in=10**6)
        server = machine.agent.server_id
        other = manager.add_server("other")["id"]
        many = {"power_status": "OFF", "servers": [server, other]}
        os.kill(manager.pid, signal.SIGSTOP)
        try:
            for method, path, body in (("PUT", f"/servers/{server}/power", {"power_status": "OFF"}),
                                       ("POST", "/power", many)):
                connection = manager.connection()
                connection.request(method, "/api/v1" + path, support.json.dumps(body), {
                    "Content-Type": "application/json", "Authorization": f"Bearer {manager.token}"})
                connection.close()
        finally:
            os.kill(manager.pid, signal.SIGCONT)
        wait_until("both were looked at", lambda: power_requests(manager) == 2)
        self.assertEqual(manager.events(type="PowerRequested"), [])
        self.assertEqual(manager.power(server, "OFF").status, 202)


def power_requests(manager):
    """How many requests for power were answered, whatever came of them."""
    text = manager.ask("GET", "/metrics", token=manager.token).raw.decode()
    return sum(int(line.split()[-1]) for line in text.splitlines()
               if line.startswith("cpm_http_requests_total") and "power" in line)


def begin_report(agent):
    """Sends a whole report and does not wait for its answer."""
    agent.report += 1
    connection = agent.manager.connection()
    connection.request("POST", "/agent/v1/heartbeat", support.json.dumps({
        "status": "ON", "boot_id": agent.boot.boot_id, "resume_count": 0,
        "report": agent.report}), {
        "Content-Type": "application/json", "Authorization": f"Bearer {agent.token}"})
    return connection


def mac_of(name):
    """A card address of its own for each name of a story."""
    tail = [ord(c) for c in name.ljust(4)[:4]]
    return "52:54:" + ":".join(f"{byte:02x}" for byte in tail)


if __name__ == "__main__":
    support.main()
