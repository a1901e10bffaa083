"""A small file system that is filled to the brim and freed again (event log 2.2, "Space"): who is
refused what, in which order, and that nobody and nothing comes to harm. Needs root: the file system
is mounted where nobody else sees it."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import load
import support
from support import wait_until

MIB = 1 << 20
RESERVE, LAST = 64, 16  # MiB: what is set, and its quarter
TIMEOUT = 5  # seconds of silence that mean Crashed


class Disk:
    """A file system of 300 MiB, and the file of somebody else that fills it."""

    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="cpm-disk-")
        self.place = pathlib.Path(self.scratch.name)
        self.filler = self.place / "filler"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", self.place], check=True)

    def free(self):
        disk = os.statvfs(self.place)
        return disk.f_bavail * disk.f_frsize

    def fill(self, leave):
        """At once, but for so many bytes."""
        with open(self.filler, "ab") as file:
            piece = 16 * MIB
            while piece >= 4096:
                try:
                    if self.free() - leave >= piece:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, piece)
                        continue
                except OSError:
                    pass  # the log was quicker
                piece //= 2

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def close(self):
        subprocess.run(["umount", "--lazy", self.place], check=True)
        self.scratch.cleanup()


class Reporter(load.Actor):
    """An agent that reports whatever it is answered: taken, or refused because of the disk."""

    def __init__(self, manager, ledger, name):
        super().__init__(0.1)
        added = manager.add_server(name, heartbeat_interval_seconds=1, missed_heartbeats=TIMEOUT)
        self.agent = manager.join(added["id"], mac=f"52:54:00:00:06:{int(name[4:]):02x}")
        self.ledger, self.taken, self.refused = ledger, 0, 0
        self.agent.say()
        self.agent.say()

    def act(self):
        answer = self.agent.heartbeat()
        if answer.status == 200:
            self.taken += 1
            self.ledger.report(self.agent, self.agent.boot.boot_id, self.agent.report, answer)
        else:
            assert answer.status == 507, answer
            self.refused += 1


class DiskFull(unittest.TestCase):
    def setUp(self):
        self.disk = Disk()
        self.addCleanup(self.disk.close)
        self.ledger = load.Ledger()
        self.manager = support.Manager(
            data=self.disk.place, env={"CPM_SPACE_RESERVE_MIB": str(RESERVE)}).set_up()
        self.addCleanup(self.manager.close)

    def ready(self):
        return self.manager.ask("GET", "/readyz")["status"]

    def ask(self, server_id, target="OFF"):
        answer = self.manager.power(server_id, target)
        if answer.status == 202:
            self.ledger.request(server_id, None, target, answer)
        return answer

    def assert_refused(self, answer):
        self.assertEqual((answer.status, answer["type"]), (507, "/problems/no-space"))
        self.assertIn("free some space", answer["detail"])

    def assert_reads_go_on(self, reporters):
        for reporter in reporters:
            self.assertEqual(self.manager.status(reporter.agent.server_id), "ON")
        self.assertEqual(self.manager.api("GET", "/events?limit=10").status, 200)
        self.assertEqual(self.manager.ask("GET", "/").status, 200)

    def fill_and_free(self, server_id, reporters, hold):
        self.disk.fill(leave=(RESERVE + LAST) // 2 * MIB)
        wait_until("it is known", lambda: self.ready() == "no_space")
        self.assert_refused(self.ask(server_id))
        self.assert_refused(self.manager.api("POST", "/servers", {"name": "late"}))
        for reporter in reporters:
            taken = reporter.taken
            wait_until("reports are taken", lambda: reporter.taken > taken)
        self.assert_reads_go_on(reporters)

        self.disk.fill(leave=0)
        for reporter in reporters:
            refused = reporter.refused
            wait_until("reports are refused", lambda: reporter.refused > refused)
        self.assert_refused(self.ask(server_id))
        self.assert_refused(reporters[0].agent.heartbeat())
        support.let_pass(hold)
        self.assert_reads_go_on(reporters)

        self.disk.empty()
        wait_until("it recovers", lambda: self.ready() == "ok")
        self.assertEqual(self.ask(server_id).status, 202)
        for reporter in reporters:
            taken = reporter.taken
            wait_until("reports are taken", lambda: reporter.taken > taken)

    def test_ten_times_full_and_freed_nothing_is_lost_and_nobody_crashed(self):
        lamps = [self.manager.add_server(f"lamp{i}")["id"] for i in range(10)]
        reporters = [Reporter(self.manager, self.ledger, f"node{i}") for i in range(3)]
        pid = self.manager.pid
        for reporter in reporters:
            reporter.start()
        try:
            for i, lamp in enumerate(lamps):
                # Twice for longer than the silence that would mean Crashed.
                self.fill_and_free(lamp, reporters, TIMEOUT + 0.5 if i in (0, 9) else 0.2)
        finally:
            for reporter in reporters:
                reporter.end()
        self.assertEqual((self.manager.pid, self.manager.process.poll()), (pid, None))
        load.assert_replayed_is_served(self.manager)
        events = load.logged_events(self.manager)
        self.ledger.assert_kept_by(events)
        self.ledger.assert_nothing_beside(events)
        self.assertFalse(load.of_type(events, "HeartbeatLost"))
        print(f"{sum(r.taken for r in reporters)} reports were taken, "
              f"{sum(r.refused for r in reporters)} refused", flush=True)
        self.assertEqual(self.manager.stop(), 0, self.manager.output())
        load.assert_verifies(self.manager)

    def test_killed_on_a_full_disk_it_says_so_until_there_is_room(self):
        """RocksDB would abort: nothing is opened before there is room for it."""
        reporter = Reporter(self.manager, self.ledger, "node0")
        for _ in range(20):
            reporter.act()
        self.disk.fill(leave=0)
        self.manager.kill()
        for leave in (0, LAST * MIB):
            self.disk.empty()
            self.disk.fill(leave)
            before = self.files()
            self.manager.start(ready=False)
            self.assertEqual(self.manager.process.wait(timeout=20), 5, self.manager.output())
            self.manager.log.close()
            self.assertIn("is nearly full", self.manager.output())
            self.assertEqual(self.files(), before)
        self.disk.empty()
        self.manager.start()
        reporter.act()
        self.assertEqual(reporter.refused, 0)
        self.ledger.assert_kept_by(load.logged_events(self.manager))
        load.assert_replayed_is_served(self.manager)

    def files(self):
        files = (file for file in self.manager.data.rglob("*") if file.is_file())
        return {file: (file.stat().st_mtime_ns, file.stat().st_size) for file in files}


def in_mounts_of_its_own():
    """Starts this file again where its mounts are seen by nobody else."""
    if not os.environ.get("CPM_OWN_MOUNTS"):
        os.environ["CPM_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, "-B", *sys.argv])


if __name__ == "__main__":
    support.need_root("a file system of its own")
    support.need_private_mounts()
    in_mounts_of_its_own()
    support.main()
