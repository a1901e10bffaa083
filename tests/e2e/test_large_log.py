"""A large log: read within bounded memory, with progress, and only as far as it must be.

CPM_LARGE_LOG is the number of events (default 1,000,000; ten million take some minutes)."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import support

EVENTS = int(os.environ.get("CPM_LARGE_LOG", "1000000"))
MOST_MEMORY_KIB = 512 * 1024


class Ran:
    """A run of cpm-replay: what it printed, the bytes it read, its largest size in KiB."""

    def __init__(self, data, *args):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen([support.BIN / "cpm-replay", "--data-dir", data, *args],
                                       stdout=out, stderr=err)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            io = pathlib.Path(f"/proc/{process.pid}/io").read_text().split()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.status = process.returncode
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read().decode(), err.read().decode()
        self.read = int(io[io.index("rchar:") + 1])
        self.memory = usage.ru_maxrss


class LargeLog(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="cpm-large-")
        cls.data = pathlib.Path(cls.place.name) / "data"
        subprocess.run([support.BIN / "make-large-log", cls.data, str(EVENTS), "1000"], check=True)
        cls.whole = Ran(cls.data, "verify", "--output", "json")

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def assert_modest(self, run):
        self.assertEqual(run.status, 0, run.err)
        self.assertLess(run.memory, MOST_MEMORY_KIB)
        self.assertRegex(run.err, r"cpm-replay: \d+ % read\n")

    def assert_reads_little(self, run):
        """The write-ahead log, at most 64 MiB, is read by all of them."""
        self.assert_modest(run)
        self.assertLess(run.read, self.whole.read / 2)

    def test_verify_reads_all_of_it_and_shows_progress(self):
        self.assert_modest(self.whole)
        self.assertEqual(json.loads(self.whole.out)["events"], EVENTS)
        self.assertIn("cpm-replay: 50 % read\n", self.whole.err)

    def test_the_transitions_of_one_server_do_not_read_the_rest(self):
        run = Ran(self.data, "transitions", "node-7", "--output", "ndjson")
        self.assert_reads_little(run)
        rows = [json.loads(line) for line in run.out.splitlines()]
        self.assertEqual([row["to"] for row in rows[:3]], ["Unknown", "ManuallyON", "ON"])
        self.assertIn("OFF", [row["to"] for row in rows])

    def test_an_early_state_does_not_read_the_rest(self):
        by_number = Ran(self.data, "state", "--at", "5000", "--output", "json")
        self.assert_reads_little(by_number)
        state = json.loads(by_number.out)
        self.assertEqual(state["sequence"], 5000)
        # All reports of a round came in the same moment.
        by_time = Ran(self.data, "state", "--at", state["at"], "--output", "json")
        self.assert_reads_little(by_time)
        self.assertEqual(json.loads(by_time.out)["at"], state["at"])

    def test_the_other_commands_are_modest_too(self):
        for args in (["stats"], ["what-if", "--missed", "1"]):
            self.assert_modest(Ran(self.data, *args))


if __name__ == "__main__":
    support.main()
