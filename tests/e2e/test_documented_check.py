"""The thirty lines of docs/event-log.md with which anybody can check a log: they find whole what is
whole, and name what is not."""

import json
import pathlib
import re
import subprocess
import sys
import unittest

import support

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "event-log.md"


class DocumentedCheck(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        (cls.code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)
        with support.Manager() as manager:
            manager.set_up()
            server = manager.add_server("n", mac_addresses=["52:54:00:00:00:01"])["id"]
            agent = manager.join(server)
            for status in ("ON", "ON", "ON", "Stopping"):
                agent.say(status)
            status, text = manager.replay("export")
            assert status == 0, text
        cls.lines = text.splitlines()

    def check(self, lines):
        run = subprocess.run([sys.executable, "-c", self.code], input="\n".join(lines) + "\n",
                             capture_output=True, text=True, timeout=60)
        return (run.stdout + run.stderr).strip()

    def test_it_is_thirty_lines(self):
        self.assertLessEqual(len([line for line in self.code.splitlines() if line.strip()]), 30)

    def test_a_whole_log_is_whole(self):
        self.assertEqual(self.check(self.lines), f"whole {len(self.lines) - 1}")

    def test_what_is_not_whole_is_named(self):
        lines = self.lines
        self.assertEqual(self.check(lines[:4] + lines[5:]), "event 4 is missing")
        self.assertEqual(self.check(lines[:-1]), f"the end is missing {len(lines) - 2}")
        self.assertEqual(self.check(lines[:1] + lines[2:]), "event 1 is missing")
        changed = lines[:4] + [json.dumps({**json.loads(lines[4]), "record": self.edited(4)})]
        self.assertEqual(self.check(changed + lines[5:]),
                         "event 5 does not follow the record before it")
        foreign = [json.dumps({**json.loads(lines[0]), "log_id": "00" * 32})] + lines[1:]
        self.assertEqual(self.check(foreign), "event 1 does not follow the record before it")

    def edited(self, number):
        """The record of a line with one letter of its last bytes changed."""
        record = json.loads(self.lines[number])["record"]
        at = len(record) - 8
        return record[:at] + ("B" if record[at] != "B" else "C") + record[at + 1:]


if __name__ == "__main__":
    support.main()
