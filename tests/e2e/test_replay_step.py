"""cpm-replay step in a terminal: a pseudo-terminal, keys, and what is on the screen then."""

import os
import pty
import re
import select
import struct
import fcntl
import subprocess
import termios
import unittest

import support


class Terminal:
    """A program in a pseudo-terminal of so many columns; what it has drawn since it last cleared
    the screen."""

    def __init__(self, *command, columns=100, rows=40):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm"})
        self.seen = ""

    def press(self, keys):
        os.write(self.master, keys.encode())

    def screen(self):
        while select.select([self.master], [], [], 0.05)[0]:
            try:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                break
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen.split("\x1b[2J")[-1])

    def until(self, text):
        return support.wait_until(f"the terminal shows {text!r}",
                                  lambda: s if text in (s := self.screen()) else None, 30)

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


class StepInATerminal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with support.Manager() as manager:
            manager.set_up()
            server = manager.add_server("東京-1", mac_addresses=["52:54:00:00:00:01"])["id"]
            agent = manager.join(server)
            for _ in range(3):
                agent.say("ON")
            manager.power(server, "OFF")
            agent.say("Stopping")
            cls.events = manager.events(server=server)
            assert manager.stop() == 0
            cls.scratch = manager.scratch
            manager.scratch = support.tempfile.TemporaryDirectory()  # keeps the log
            cls.data = manager.data

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def open(self, **size):
        terminal = Terminal(support.BIN / "cpm-replay", "--data-dir", self.data, "step", "東京-1",
                            **size)
        self.addCleanup(terminal.close)
        return terminal

    def test_keys_go_forward_and_back(self):
        terminal = self.open()
        count = len(self.events)
        terminal.until(f"東京-1: 1 of {count}")
        terminal.until("ServerAdded")
        terminal.press("n")
        terminal.until(": 2 of ")
        terminal.press("\x1b[B")  # arrow down
        screen = terminal.until(": 3 of ")
        self.assertIn(self.events[2]["type"], screen)
        terminal.press("p")
        terminal.until(": 2 of ")
        terminal.press("\x1b[A")
        terminal.until(": 1 of ")
        terminal.press("p")  # there is none before the first
        terminal.press("G")
        terminal.until(f": {count} of ")
        terminal.press("g")
        terminal.until(": 1 of ")

    def test_brackets_go_from_one_change_of_status_to_the_next(self):
        terminal = self.open()
        place = terminal.until("q quit").splitlines()[0]
        shown = []
        for _ in range(4):
            terminal.press("]")
            screen = support.wait_until(
                "another step", lambda: s if place not in (s := terminal.screen()) and
                "q quit" in s else None)
            place = screen.splitlines()[0]
            shown.append(re.search(r"actual_status +(\S+) → (\S+)", screen)[2])
        self.assertEqual(shown, ["ManuallyON", "ON", "BeforeStopping", "Stopping"])
        terminal.press("[")
        self.assertIn("ON → BeforeStopping", terminal.until("BeforeStopping"))

    def test_q_ends_it_with_the_terminal_as_it_was(self):
        for keys in ("q", "\x04"):
            terminal = self.open()
            terminal.until("q quit")
            self.assertFalse(terminal.is_as_before())
            terminal.press(keys)
            self.assertEqual(terminal.process.wait(20), 0)
            self.assertTrue(terminal.is_as_before())

    def test_an_interruption_leaves_the_terminal_as_it_was(self):
        terminal = self.open()
        terminal.until("q quit")
        terminal.process.send_signal(support.signal.SIGINT)
        self.assertEqual(terminal.process.wait(20), -support.signal.SIGINT)
        self.assertTrue(terminal.is_as_before())

    def test_no_line_is_wider_than_the_terminal(self):
        terminal = self.open(columns=40)
        terminal.until(": 1 of ")
        terminal.press("nn")
        for line in terminal.until(": 3 of ").splitlines():
            wide = sum(2 if ord(c) > 0x2e80 else 1 for c in line.rstrip())
            self.assertLessEqual(wide, 40, line)


if __name__ == "__main__":
    support.main()
