"""The agent against managers that are gone, hang, or answer anything but what a manager answers:
it never acts, says each trouble once, and keeps running."""

import contextlib
import json
import pathlib
import secrets
import socket
import subprocess
import threading
import time
import unittest

import support
from hostile_answers import HEAD, MANAGER, REPLIES, answer, manifest, off, order_for
from machine import Machine
from support import let_pass, wait_until

class FakeManager:
    """Answers joins, and everything else with the bytes `reply(request)` gives; None: nothing."""

    def __init__(self, reply):
        self.reply, self.requests, self.open = reply, [], []
        # An agent of another test may still look for its manager where this one listens now.
        self.token = secrets.token_hex(8)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rwb")
        try:
            while line := stream.readline():
                size, head = 0, line.decode()
                while (field := stream.readline().decode()).strip():
                    head += field
                    if field.lower().startswith("content-length:"):
                        size = int(field.split(":")[1])
                request = (head, json.loads(stream.read(size)) if size else {})
                if " /agent/v1/join " in head:
                    text = answer({"server_id": "srv_x", "agent_token": self.token,
                                   "order_key": MANAGER.public,
                                   "heartbeat_interval_seconds": 1})
                elif f"Authorization: Bearer {self.token}\r\n" not in head:
                    break
                else:
                    self.requests.append(request)
                    text = self.reply(request)
                if text is not None:
                    stream.write(text)
                    stream.flush()
                    if b"Connection: close" in text or b"Content-Length" not in text:
                        break
        except (OSError, ValueError):
            pass
        finally:
            connection.close()

    def close(self):
        """As a manager that is killed: nobody listens, and every connection ends."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # ends accept(), which holds it open
        self.socket.close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def return_(self):
        self.socket = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()


@support.together
class Hostile(unittest.TestCase):
    def start(self, reply, number=0):
        fake = FakeManager(reply)
        self.addCleanup(fake.close)
        machine = Machine(mac=f"52:54:00:00:02:{number:02x}")
        self.addCleanup(machine.close)
        machine.join(fake.url, "token")
        return fake, machine.start()

    def test_no_answer_of_this_list_leads_to_an_act_and_each_is_told_once(self):
        began = [(name, said, *self.start(reply, number))
                 for number, (name, (reply, said)) in enumerate(REPLIES.items())]
        for name, said, fake, machine in began:
            slow = name in ("401", "410")
            wait_until(f"requests after {name}",
                       lambda: len(fake.requests) >= (1 if slow else 3), 30)
        let_pass(2)
        for name, said, fake, machine in began:
            self.assertIsNone(machine.process.poll(), f"{name}: {machine.said()}")
            self.assertEqual(machine.acted(), [], name)
            lines = [line for line in machine.said().splitlines() if said in line]
            self.assertEqual(len(lines), 1, f"{name}: {machine.said()}")
            heartbeats = [body for head, body in fake.requests if " /agent/v1/heartbeat" in head]
            self.assertEqual({body["status"] for body in heartbeats}, {"ON"}, name)
            reports = [body["report"] for body in heartbeats]
            self.assertEqual(reports, sorted(set(reports)), name)

    def test_the_genuine_order_they_are_made_from_is_obeyed(self):
        fake, machine = self.start(lambda r: off(order_for(r)), 102)
        wait_until("the act", machine.acted, 20)

    def test_a_manager_that_hangs_or_trickles_is_left_after_ten_seconds(self):
        hangs, waiting = self.start(lambda r: None, 100)

        def trickle(_):
            let_pass(0.5)
            return b"H"
        slow, dripping = self.start(trickle, 101)
        wait_until("another question", lambda: len(hangs.requests) >= 2, 20)
        wait_until("another question", lambda: len(slow.requests) >= 2, 20)
        for machine in (waiting, dripping):
            self.assertEqual(machine.acted(), [])
            self.assertIn("no whole answer", machine.said())

    def test_a_join_while_it_runs_keeps_nothing_of_the_manager_before(self):
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
            return  # a chroot: no systemctl of its own can be had
        head = {**HEAD, "epoch": 7, "hash": "former"}
        former, machine = self.start(lambda r: answer({**manifest(), "head": head}), 110)
        wait_until("reports", lambda: len(former.requests) >= 2)
        asked = machine.root / "asked"
        machine.script("systemctl", f'echo "$2" >> {asked}\n[ "$2" = enable ] || '
                                    f"kill {machine.process.pid}; sleep 1; true")
        later = FakeManager(lambda r: answer(manifest()))
        self.addCleanup(later.close)
        inside = f'mount --bind {machine.root}/systemctl /usr/bin/systemctl && exec "$@"'
        subprocess.run(["unshare", "--mount", "sh", "-c", inside, "sh", support.BIN / "cpm-agent",
                        "--config", machine.config, "join", later.url, "--token", "token",
                        "--mac", machine.mac], check=True, capture_output=True)
        self.assertEqual(asked.read_text().split(), ["stop", "enable", "restart"])
        self.assertEqual(machine.process.wait(15), 0)
        self.assertFalse((machine.root / "state/head.json").exists())
        self.assertFalse((machine.root / "run/state.json").exists())

    def test_a_manager_that_is_gone_is_asked_ever_more_rarely(self):
        fake, machine = self.start(lambda r: answer(manifest()))
        wait_until("a report", lambda: fake.requests)
        fake.close()
        wait_until("the trouble", lambda: "cannot be reached" in machine.said())
        before = machine.cpu_seconds()
        let_pass(5)
        self.assertLess(machine.cpu_seconds() - before, 0.2)
        self.assertEqual(machine.acted(), [])
        self.assertIsNone(machine.process.poll())

    def test_a_manifest_that_flaps_does_not_make_it_spin(self):
        fake, machine = self.start(
            lambda r: answer({**manifest(), "manifest_version": str(time.monotonic()),
                              "heartbeat_interval_seconds": 5}))
        wait_until("reports", lambda: len(fake.requests) >= 2)
        let_pass(4)
        self.assertLess(len(fake.requests), 8)
        self.assertEqual(machine.acted(), [])

    def test_a_manager_that_returns_gets_one_report_and_no_burst(self):
        times = []

        def count(_):
            times.append(time.monotonic())
            return answer(manifest())
        fake, machine = self.start(count, 4)
        wait_until("reports", lambda: len(times) >= 3)
        fake.close()
        wait_until("the trouble", lambda: "cannot be reached" in machine.said())
        seen = len(times)
        fake.return_()
        wait_until("its return", lambda: len(times) >= seen + 3, 30)
        gaps = [b - a for a, b in zip(times[seen:], times[seen + 1:])]
        self.assertGreater(min(gaps), 0.5)
        self.assertIn("the manager answers again", machine.said())


if __name__ == "__main__":
    support.need_root("a configuration that belongs to root")
    support.main()
