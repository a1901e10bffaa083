"""What was answered is on disk (event log 2.2): seen in the order of the system calls, and in what
a manager does whose disk fails it."""

import http.client
import json
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import threading
import unittest

import load
import support
import syscalls
from load import of_type
from support import wait_until

SYNCS = ("fdatasync", "fsync")
RECEIVES = ("recvmsg", "recvfrom", "read", "readv")
SENDS = ("sendmsg", "sendto", "write", "writev")


class Caller:
    """An agent on one connection that it keeps, whose every report can be found again in bytes."""

    def __init__(self, manager, name):
        added = manager.add_server(name)
        self.agent = manager.join(added["id"], mac=f"52:54:00:00:04:{int(name[6:]):02x}")
        self.connection = manager.connection()
        # Rises, and its eight bytes are those of no other number in the log.
        self.agent.report = random.SystemRandom().getrandbits(60) | 1 << 61

    def report(self):
        self.agent.report += 1 << 32
        mark = f"v{self.agent.report:x}"
        body = {"status": "ON", "boot_id": self.agent.boot.boot_id, "resume_count": 0,
                "report": self.agent.report, "agent_version": mark}
        self.connection.request("POST", "/agent/v1/heartbeat", json.dumps(body), {
            "Content-Type": "application/json", "Authorization": f"Bearer {self.agent.token}"})
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        return mark


class Traced:
    """What a traced manager did, as requests with what happened between coming in and going out."""

    def __init__(self, path):
        self.calls = syscalls.read_calls(path)
        self.log = [c for c in self.calls if re.search(r"/data/log/\d+\.log$", c.file)]
        self.writes = [c for c in self.log if c.name.endswith(("write", "writev", "write64"))]
        self.syncs = [c for c in self.log if c.name in SYNCS and c.result == 0]

    def exchange(self, mark):
        """The call that received the request with this mark, and the one that sent its answer."""
        received = next(c for c in self.calls if c.name in RECEIVES and mark in c.data
                        and c.file.startswith("socket:"))
        answered = next(c for c in self.calls if c.began > received.ended
                        and c.file == received.file and c.name in SENDS)
        assert answered.data.startswith(b"HTTP/1.1 2"), answered.data[:100]
        return received, answered

    def sync_between(self, received, answered, needles):
        """The sync that made the record with one of the needles durable before the answer."""
        written = [w for w in self.writes if w.began > received.ended
                   and any(needle in w.data for needle in needles)]
        assert written, f"no record of {needles} was written after it came in"
        kept = [s for s in self.syncs if s.file == written[0].file
                and s.began > written[0].ended and s.ended < answered.began]
        assert kept, f"{needles}: answered at {answered.began} without a sync"
        return kept[0]


class InTheOrderOfSystemCalls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="cpm-trace-")
        path = pathlib.Path(cls.scratch.name) / "trace"
        with support.Manager(prefix=syscalls.prefix(path)) as manager:
            manager.set_up()
            callers = [Caller(manager, f"caller{i}") for i in range(8)]
            cls.single = [callers[i % 2].report() for i in range(200)]
            cls.changes = []
            for i in range(10):
                note = f"note-{random.SystemRandom().getrandbits(64):x}"
                answer = manager.api("PATCH", f"/servers/{callers[i % 8].agent.server_id}",
                                     {"note": note})
                assert answer.status == 200, answer
                cls.changes.append(note)
            cls.together = cls.report_together(callers, rounds=15)
            for caller in callers:
                caller.connection.close()
            assert manager.stop() == 0, manager.output()
        cls.traced = Traced(path)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @staticmethod
    def report_together(callers, rounds):
        marks, barrier = [], threading.Barrier(len(callers))

        def speak(caller):
            for _ in range(rounds):
                barrier.wait()
                marks.append(caller.report())
        load.in_parallel(speak, callers, len(callers))
        return marks

    def sync_of(self, mark):
        received, answered = self.traced.exchange(mark.encode())
        number = int(mark[1:], 16) if mark.startswith("v") else 0
        return self.traced.sync_between(
            received, answered, [mark.encode(), number.to_bytes(8, "little")])

    def test_200_reports_are_each_synced_before_they_are_answered(self):
        self.assertEqual(len(self.single), 200)
        syncs = {self.sync_of(mark).began for mark in self.single}
        self.assertEqual(len(syncs), 200)

    def test_changes_by_people_are_synced_before_they_are_answered(self):
        for note in self.changes:
            self.sync_of(note)

    def test_reports_that_come_together_share_a_sync_and_none_is_answered_before_it(self):
        self.assertEqual(len(self.together), 120)
        syncs = {self.sync_of(mark).began for mark in self.together}
        self.assertLess(len(syncs), 120, "no two ever shared one")
        print(f"120 reports, {len(syncs)} syncs", flush=True)

    def test_a_head_witness_is_on_disk_before_the_first_record(self):
        version = subprocess.run([support.BIN / "cpm-manager", "--version"], check=True,
                                 capture_output=True, text=True).stdout.split()[1]
        first = next(w for w in self.traced.writes if version.encode() in w.data)
        calls = self.traced.calls
        named = next(c for c in calls if c.name.startswith("rename")
                     and c.texts[-1].endswith(b"/data/head-witness"))
        draft = next(c for c in calls if c.name in SYNCS
                     and c.file.endswith("/data/head-witness.new"))
        folder = next(c for c in calls if c.name in SYNCS and c.file.endswith("/data")
                      and c.began > named.ended)
        self.assertEqual((named.result, draft.result, folder.result), (0, 0, 0))
        self.assertLess(draft.ended, named.began)
        self.assertLess(folder.ended, first.began)


class OneWriter(unittest.TestCase):
    def test_a_second_manager_on_the_same_directory_is_refused_and_the_first_goes_on(self):
        with support.Manager() as first, support.Manager(started=False) as second:
            first.set_up()
            agent = first.join(first.add_server("node")["id"])
            agent.say()
            second.data = first.data
            second.start(ready=False)
            self.assertEqual(second.process.wait(timeout=10), 5)
            second.log.close()
            self.assertIn("another process uses the log", second.output())
            self.assertIn(str(first.data), second.output())
            agent.say()
            self.assertEqual(len(first.events(type="ManagerStarted")), 1)
            load.assert_replayed_is_served(first)


class AFailedSync(unittest.TestCase):
    """2.2: it ends acceptance for good; what it may have left behind was never promised."""

    def setUp(self):
        self.air = load.Air()
        self.addCleanup(self.air.close)
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)
        self.mac = "52:54:00:00:00:10"
        self.lamp = self.manager.add_server("lamp", mac_addresses=[self.mac],
                                            wake=self.air.wake_settings())["id"]
        self.node = self.manager.join(self.manager.add_server("node")["id"])
        self.node.say()
        self.node.say()
        self.assertEqual(self.manager.stop(), 0)

    def ask(self, server, target):
        return self.manager.api("PUT", f"/servers/{server}/power", {"power_status": target},
                                headers={"Idempotency-Key": f"{server}-{target}"})

    def fail_at(self, batch, act):
        """A life whose batch of that number cannot be synced: what `act` got, or None."""
        self.manager.start(fault=f"append-fails:{batch}")
        try:
            answer = act()
        except (OSError, http.client.HTTPException):
            answer = None
        self.assertEqual(self.manager.process.wait(timeout=10), 5, self.manager.output())
        self.assertIn("the log could not be written", self.manager.output())
        self.manager.kill()
        self.assertTrue(answer is None or answer.status == 503, answer)
        self.assertTrue((self.manager.data / "unconfirmed-from").exists())
        return answer

    def withdrawn(self):
        return of_type(load.logged_events(self.manager), "PowerWithdrawn")

    def assert_as_before(self, before):
        self.assertEqual(load.served_states(self.manager), before)
        self.assertFalse((self.manager.data / "unconfirmed-from").exists())
        load.assert_replayed_is_served(self.manager)
        self.assertFalse(self.air.packets, "an effect of what was never acknowledged")

    def states(self):
        self.manager.start()
        states = load.served_states(self.manager)
        self.assertEqual(self.manager.stop(), 0)
        return states

    def test_an_on_is_withdrawn_shown_and_has_no_effect(self):
        before = self.states()
        self.fail_at(2, lambda: self.ask(self.lamp, "ON"))
        self.manager.start()
        (event,) = self.withdrawn()
        requested = of_type(load.logged_events(self.manager), "PowerRequested", self.lamp)[-1]
        self.assertEqual(event["data"]["request"], requested["sequence"])
        self.assertEqual(event["cause"], requested["sequence"])
        (shown,) = [n for n in self.manager.notifications() if n["kind"] == "withdrawn"]
        self.assertEqual(shown["server_ids"], [self.lamp])
        self.assertIn("lamp", shown["text"])
        self.assert_as_before(before)
        # It was not answered, so the same wish may come again under the same key: it is new.
        again = self.ask(self.lamp, "ON")
        self.assertEqual((again.status, again["outcome"]), (202, "accepted"))
        self.assertGreater(again["sequence"], event["sequence"])
        wait_until("the packet", lambda: self.air.packets_for(self.mac), 2)
        self.assertEqual(self.manager.status(self.lamp), "Starting")

    def test_an_off_is_withdrawn_and_its_machine_stays_up(self):
        before = self.states()
        self.fail_at(2, lambda: self.ask(self.node.server_id, "OFF"))
        self.manager.start()
        self.assertEqual(len(self.withdrawn()), 1)
        self.assert_as_before(before)
        self.assertEqual(self.node.say(), "ON")
        self.assertEqual(self.manager.status(self.node.server_id), "ON")
        self.assertFalse(of_type(load.logged_events(self.manager), "OrderSent"))

    def test_a_report_is_not_answered_and_nothing_is_withdrawn(self):
        self.fail_at(2, self.node.heartbeat)
        self.manager.start()
        self.assertEqual(self.node.say(), "ON")
        self.assertEqual(self.manager.status(self.node.server_id), "ON")
        self.assertFalse(self.withdrawn())
        load.assert_replayed_is_served(self.manager)

    def test_nothing_that_comes_after_it_is_promised_and_all_that_came_before_is_kept(self):
        told, refused = load.Ledger(), []
        self.manager.start()
        agents = [self.node] + [
            self.manager.join(self.manager.add_server(f"node{i}")["id"], mac=f"52:54:00:00:05:0{i}")
            for i in range(3)]
        self.assertEqual(self.manager.stop(), 0)

        def crowd():
            def speak(agent):
                try:
                    while (answer := agent.heartbeat()).status == 200:
                        told.report(agent, agent.boot.boot_id, agent.report, answer)
                except load.NO_ANSWER:
                    answer = None
                refused.append(answer)
            load.in_parallel(speak, agents)
        self.fail_at(20, crowd)
        self.assertEqual([a.status for a in refused if a], [503] * len([a for a in refused if a]))
        self.assertEqual(len(refused), 4)
        self.assertGreater(len(told.reports), 10)
        events = load.logged_events(self.manager)
        told.assert_kept_by(events)
        doubtful = int((self.manager.data / "unconfirmed-from").read_text().split()[1])
        self.assertLess(max(told.heads), doubtful)
        self.manager.start()
        load.assert_replayed_is_served(self.manager)

    def test_killed_before_or_after_it_was_withdrawn_it_is_withdrawn_once(self):
        before = self.states()
        self.fail_at(2, lambda: self.ask(self.lamp, "ON"))
        for fault in ("append:1", "sync:1"):
            self.manager.start(fault=fault, ready=False)
            self.assertEqual(self.manager.process.wait(timeout=10), -signal.SIGKILL)
            self.manager.kill()
            load.assert_verifies(self.manager)
        self.manager.start()
        self.assertEqual(len(self.withdrawn()), 1)
        shown = [n for n in self.manager.notifications() if n["kind"] == "withdrawn"]
        self.assertEqual(len(shown), 1)
        self.assert_as_before(before)


if __name__ == "__main__":
    support.need_program("strace")
    if not syscalls.is_permitted():
        support.skip("strace is not permitted here (ptrace)")
    if not load.has_fault_points():
        support.skip("this build has no fault points (CPM_FAULT_POINTS)")
    support.main()
