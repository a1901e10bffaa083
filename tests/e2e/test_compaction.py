"""Routine heartbeats past their retention are compacted away (event log 2.3), by a manager that is
killed meanwhile: the log says what the whole one said, and everybody can check it."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import load
import support

EVENTS = 30000
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "event-log.md"


def replay(data, *args):
    done = subprocess.run([support.BIN / "cpm-replay", "--data-dir", data, *args],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Compaction(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="cpm-compaction-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.data = support.make_large_log(self.place, EVENTS, 20)
        self.whole = self.place / "whole"
        shutil.copytree(self.data, self.whole)
        self.manager = support.Manager(data=self.place)
        self.addCleanup(self.manager.close)
        self.manager.set_up()

    def verified(self):
        return json.loads(replay(self.data, "verify", "--output", "json"))

    def compact(self):
        """The newest part, of a megabyte, stays; killed at two steps of it, and once at another."""
        small = {"heartbeat_retention_bytes": 1048576, "heartbeat_retention_days": 36500}
        changed = self.manager.api("PATCH", "/settings", small)
        self.assertEqual(changed.status, 200, changed)
        self.assertEqual(changed["settings"]["heartbeat_retention_bytes"], 1048576)
        faults = ("compact:2", "compacted:2", "append:5") if load.has_fault_points() else ()
        for fault in faults:
            self.manager.kill()
            self.manager.start(fault, ready=False)
            self.assertEqual(self.manager.process.wait(timeout=60), -signal.SIGKILL)
            self.manager.kill()
            self.verified()
            self.manager.start()
        support.wait_until("a third of the log is compacted away",
                           lambda: self.verified()["compacted"] > EVENTS / 3, 300, every=1)

    def test_the_compacted_log_says_what_the_whole_one_said(self):
        self.compact()
        self.assertTrue(self.verified()["clean"])
        before = replay(self.whole, "transitions", "--output", "ndjson").splitlines()
        after = replay(self.data, "transitions", "--output", "ndjson").splitlines()
        self.assertGreater(len(before), 60)
        self.assertEqual(after[:len(before)], before)
        state = ("state", "--at", str(EVENTS), "--output", "json")
        self.assertEqual(replay(self.data, *state), replay(self.whole, *state))
        self.manager.assert_replay_is_served()

        # Every page of the history is there, from either end.
        compacted = self.verified()["compacted"]  # more may go meanwhile
        ranges = self.manager.events(type="HeartbeatsCompacted")
        self.assertGreater(len(ranges), 5)
        gone = sum(event["data"]["count"] for event in ranges)
        self.assertGreaterEqual(gone, compacted)
        self.assertEqual(ranges[0]["actor"]["kind"], "policy")
        self.manager.kill()

        text = replay(self.data, "export")
        (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)
        check = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True,
                               text=True, timeout=60)
        head = json.loads(text.splitlines()[0])["head"]
        self.assertEqual((check.stdout + check.stderr).strip(), f"whole {head}")
        export = self.place / "export.ndjson"
        export.write_text(text)
        replay(self.place / "copy", "import", export)
        self.assertEqual(replay(self.place / "copy", "export"), text)
        backup = self.place / "backup"
        replay(self.data, "backup", backup)
        self.assertEqual(replay(backup, "export"), text)


if __name__ == "__main__":
    support.main()
