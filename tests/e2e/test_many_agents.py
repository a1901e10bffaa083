"""Two hundred real agents whose manager was away come back without a rush."""

import collections
import concurrent.futures
import contextlib
import subprocess
import unittest

import load
import support
from machine import Machine, url_of
from support import let_pass, wait_until

INTERVAL = 5
WINDOW = 2  # seconds: a rush of all would be more than twice what comes in as long in quiet times


def mebibytes_free():
    with open("/proc/meminfo", encoding="ascii") as file:
        sizes = dict(line.split(":") for line in file)
    return int(sizes["MemAvailable"].split()[0]) // 1024


def peak(times, window):
    """The most that came within any window."""
    most, recent = 0, collections.deque()
    for at in times:
        recent.append(at)
        while recent[0] <= at - window:
            recent.popleft()
        most = max(most, len(recent))
    return most


class Many(unittest.TestCase):
    def setUp(self):
        # Some 2 MiB of its own each, more while it starts.
        self.count = min(200, mebibytes_free() // 8)
        self.manager = load.manager_at_fixed_port().set_up()
        self.addCleanup(self.manager.close)
        self.machines = []
        self.addCleanup(self.end_all)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            self.machines += pool.map(self.join, range(self.count))
        for machine in self.machines:
            let_pass(INTERVAL / self.count)  # not in step, as they are after a while
            machine.start()

    def join(self, number):
        machine = Machine(mac=f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}")
        machine.join_as(self.manager, f"n{number}", heartbeat_interval_seconds=INTERVAL,
                        missed_heartbeats=20)
        return machine

    def end_all(self):
        for machine in self.machines:
            if machine.process:
                machine.process.kill()
        for machine in self.machines:
            machine.close()

    def reports(self, after=0):
        """(when, of which server) of each since that sequence."""
        return [(load.seconds(event), event["server_id"])
                for event in self.manager.events(type="HeartbeatReceived")
                if event["sequence"] > after]

    def wait_for_all(self, after=0):
        wait_until("a report of each", lambda: len(
            {server for _, server in self.reports(after)}) == self.count, 60, 0.5)

    def head(self):
        return self.manager.api("GET", "/head")["sequence"]

    def test_they_come_back_at_no_more_than_twice_their_steady_rate(self):
        self.wait_for_all()
        quiet = self.head()
        let_pass(2 * INTERVAL)
        rate = len(self.reports(quiet)) / (2 * INTERVAL)

        before = self.head()
        self.manager.kill()
        let_pass(3 * INTERVAL)
        self.manager.start()
        self.wait_for_all(before)
        let_pass(INTERVAL)
        most = peak([at for at, _ in self.reports(before)], WINDOW) / WINDOW
        print(f"\n{self.count} agents: {rate:.1f} reports/s, after the return at most {most:.1f}/s")
        self.assertLessEqual(most, 2 * rate)
        for machine in self.machines:
            self.assertIsNone(machine.process.poll())
            self.assertEqual(machine.acted(), [])


if __name__ == "__main__":
    support.need_root("a configuration that belongs to root")
    support.main()
