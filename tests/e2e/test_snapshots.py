"""Starts from a snapshot (event log 2.3): what is served is what follows from the events, whether
there are snapshots, damaged ones or none."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import support
from support import wait_until

EVENTS = 110_000


class Snapshots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="cpm-snapshots-")
        place = pathlib.Path(cls.place.name)
        cls.snapshots = support.make_large_log(place, EVENTS, 50) / "snapshots"
        cls.manager = support.Manager(place).set_up()
        wait_until("a snapshot", cls.written, 120)

    @classmethod
    def tearDownClass(cls):
        cls.manager.close()
        cls.place.cleanup()

    @classmethod
    def written(cls):
        return sorted(cls.snapshots.glob("0*"))

    def start(self):
        """What the operator is told of this start."""
        before = len(self.manager.output())
        self.manager.start()
        told = self.manager.output()[before:]
        wait_until("a snapshot that counts", lambda: self.verified(), 120)
        self.manager.assert_replay_is_served()
        return told

    def verified(self):
        status, text = self.manager.replay("verify")
        return status == 0 and " snapshot" in text

    def test_a_start_reads_the_snapshot_and_the_tail(self):
        sequence = int(self.written()[-1].name)
        self.assertGreaterEqual(sequence, EVENTS)
        self.assertEqual(self.manager.stop(), 0)
        told = self.start()
        found = re.search(rf"begins with the snapshot at event {sequence}; (\d+) events", told)
        self.assertTrue(found, told)
        self.assertLess(int(found[1]), 10_000)

    def test_a_damaged_one_is_passed_over_and_none_is_needed(self):
        file = self.written()[-1]
        whole = file.read_bytes()
        self.assertEqual(self.manager.stop(), 0)
        file.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
        status, text = self.manager.replay("verify")
        self.assertEqual(status, 1, text)
        told = self.start()  # in its place another one is made
        self.assertIn(f"the snapshot at event {int(file.name)} is damaged", told)
        self.assertIn("it is passed over", told)

        self.assertEqual(self.manager.stop(), 0)
        shutil.rmtree(self.snapshots)
        self.assertNotIn("snapshot", self.start())

    def damaged_copy(self):
        """A copy of the data directory, with a bit flipped in an early record."""
        copy = pathlib.Path(self.place.name) / "copy"
        shutil.copytree(self.manager.data, copy / "data")
        for table in sorted((copy / "data" / "log").glob("*.sst")):
            whole = table.read_bytes()
            table.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
            run = subprocess.run([support.BIN / "cpm-replay", "--data-dir", copy / "data", "log",
                                  "--to", "5000"], capture_output=True, text=True, timeout=60)
            if run.returncode == 3:
                return copy, re.search(r"event \d+", run.stderr)[0]
            table.write_bytes(whole)
        raise AssertionError("no table holds an early record")

    def test_damage_before_the_snapshot_is_found_behind_the_start_and_at_the_next_one(self):
        self.assertEqual(self.manager.stop(), 0)
        copy, event = self.damaged_copy()
        self.start()
        manager = support.Manager(copy, started=False)
        self.addCleanup(manager.close)
        manager.start(ready=False)  # it may serve for a moment
        self.assertEqual(manager.process.wait(timeout=60), 3, manager.output())
        self.assertIn("begins with the snapshot", manager.output())
        # That was what RocksDB met behind the writer, or what was read behind the start; what the
        # writer could not compact because of it may be said before or after.
        self.assertIn("from a backup", manager.output())
        for _ in range(2):
            manager.start(ready=False)
            self.assertEqual(manager.process.wait(timeout=60), 3, manager.output())
            self.assertIn(event, manager.output().splitlines()[-1])
            self.assertIn("from a backup", manager.output().splitlines()[-1])


if __name__ == "__main__":
    support.main()
