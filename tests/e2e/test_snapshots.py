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
        # A large log was made by nobody who has keys.
        with support.Manager(place / "first") as manager:
            manager.stop()
        log = place / "large" / "data"
        subprocess.run([support.BIN / "make-large-log", log, str(EVENTS), "50"], check=True)
        shutil.copytree(place / "first" / "data" / "keys", log / "keys")
        cls.manager = support.Manager(place / "large").set_up()
        cls.snapshots = log / "snapshots"
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


if __name__ == "__main__":
    support.main()
