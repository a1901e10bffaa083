"""Running it (HTTP 3.6, 3.7): a writer that hangs, what the operator reads, what SIGHUP rereads,
the example configuration, and a clean stop in the middle of everything."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import hung
import load
import support
import tls
from support import let_pass, wait_until

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "packaging/manager.toml"


class Scratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="cpm-operation-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def manager(self, **options):
        manager = support.Manager(**options)
        self.addCleanup(manager.close)
        return manager


@unittest.skipUnless(hung.is_permitted(), "ptrace is not permitted here")
class HungWriter(Scratch):
    def test_healthz_says_so_after_10_seconds_and_nobody_is_lost_for_it(self):
        manager = self.manager().set_up()
        agent = manager.join(manager.add_server(
            "node", heartbeat_interval_seconds=1, missed_heartbeats=3)["id"])
        agent.say()
        self.assertEqual(manager.ask("GET", "/healthz").status, 200)
        began = time.monotonic()
        writer = hung.Hung(manager.pid, "cpm-writer")
        try:
            wait_until("503", lambda: manager.ask("GET", "/healthz").status == 503, 60)
            self.assertGreater(time.monotonic() - began, 9)
            self.assertEqual(manager.ask("GET", "/healthz").json, {"status": "hung"})
            # What was served is served on; only what has to be decided waits.
            self.assertEqual(manager.server(agent.server_id)["display_status"], "ON")
        finally:
            writer.release()
        wait_until("200", lambda: manager.ask("GET", "/healthz").status == 200)
        agent.say()
        self.assertEqual(manager.events(type="HeartbeatLost"), [])
        self.assertEqual(manager.stop(), 0)


class OperatorsLines(Scratch):
    def test_each_event_is_a_line_with_its_sequence_but_routine_heartbeats_are_none(self):
        manager = self.manager().set_up()
        agent = manager.join(manager.add_server("node")["id"])
        for _ in range(5):
            agent.say()
        self.assertEqual(manager.power(agent.server_id, "OFF").status, 202)
        self.assertEqual(manager.power(agent.server_id, "ON").status, 409)
        lines = manager.output()
        for event in manager.events():
            if event["type"] in ("ManagerStarted", "HeartbeatReceived"):
                continue  # before the door was open; some are routine
            name = " node" if event["server_id"] else ""
            line = f"cpm-manager: {event['sequence']} {event['type']}{name}"
            self.assertIn(f"\n{line}", "\n" + lines)
        self.assertRegex(lines, r"PowerRequested node: OFF, standby time 300 s \(token:story\), ")
        self.assertRegex(lines, r"PowerRefused node: ON: standby \(token:story\)")
        told = len(re.findall(r"HeartbeatReceived node: ON", lines))
        self.assertIn(told, (1, 2), "of five, the first and perhaps the second changed something")

    def test_what_others_write_begins_no_line_and_steers_no_terminal(self):
        manager = self.manager().set_up()
        manager.ask("POST", "/api/v1/session", {
            "username": "x\n999 PowerRequested\x1b[2J\x9b", "password": "twelve characters"})
        agent = manager.join(manager.add_server("node")["id"])
        agent.heartbeat("ON", blocked_by="y\n998 PowerRequested\x7f")
        self.assertNotRegex(manager.output(), r"(?m)^(cpm-manager: )?99[89]")
        self.assertNotRegex(manager.output(), "[\x00-\x09\x0b-\x1f\x7f\x80-\x9f]")


class Hangup(Scratch):
    """SIGHUP rereads what can be reread, and says what needs a restart."""

    def setUp(self):
        super().setUp()
        self.file = self.scratch / "manager.toml"
        self.file.write_text("")

    def start(self, *args):
        self.running = self.manager(args=["--config", self.file, *args])
        self.said = ""
        return self.running

    def hang_up(self, text, says):
        """Another file, and SIGHUP; waits until it has said `says`."""
        self.file.write_text(text)
        before = len(self.running.output())
        os.kill(self.running.pid, signal.SIGHUP)
        wait_until(says, lambda: says in self.running.output()[before:])
        return self.running.output()[before:]

    def status_for(self, host):
        return self.running.ask("GET", "/healthz", headers={"Host": host}).status

    def test_names_count_at_once_and_the_rest_from_the_next_start(self):
        self.start()
        self.assertEqual(self.status_for("cpm.example"), 421)
        said = self.hang_up('host_names = ["cpm.example"]\nconnections = 99\n',
                            "connections: its new value counts from the next start")
        self.assertIn("host_names: the new value counts", said)
        self.assertEqual(self.status_for("cpm.example"), 200)
        # Flags win over the file, so that nothing has changed there.
        self.hang_up('host_names = ["other.example"]\nhttp = "127.0.0.1:1"\n', "host_names")
        self.assertNotIn("cpm-manager: http:", self.running.output())
        self.assertEqual(self.status_for("cpm.example"), 421)
        self.assertEqual(self.status_for("other.example"), 200)
        self.hang_up("", "host_names: the new value counts")
        self.assertEqual(self.status_for("other.example"), 421)
        self.assertEqual(self.running.stop(), 0)

    def test_a_broken_file_is_named_with_its_line_and_all_stays(self):
        self.file.write_text('host_names = ["cpm.example"]\n')
        self.start()
        said = self.hang_up('\nhost_names = ["other.example"]\nhttps = "nowhere"\n',
                            "the options stay as they were")
        self.assertIn(f"{self.file}:3: https: expected", said)
        self.assertEqual(self.status_for("cpm.example"), 200)
        self.assertEqual(self.running.stop(), 0)

    def test_other_files_of_a_certificate_count_at_once(self):
        one, other = (tls.make_certificate(self.scratch, name) for name in ("one", "other"))
        text = 'tls_certificate = "%s"\ntls_key = "%s"\n'
        self.file.write_text(text % one)
        manager = self.start(*tls.LISTEN)
        before = tls.chain_of(manager)
        self.hang_up(text % other, "the TLS certificate was renewed")
        self.assertNotEqual(tls.chain_of(manager), before)
        said = self.hang_up("", "its new value counts from the next start")
        self.assertIn("tls_certificate: its", said)
        self.assertEqual(manager.stop(), 0)


class Example(Scratch):
    """packaging/manager.toml: what it shows can be used."""

    def check(self, text):
        file = self.scratch / "manager.toml"
        file.write_text(text)
        run = subprocess.run([support.BIN / "cpm-manager", "--check", "--config", file],
                             capture_output=True, text=True, timeout=20)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_it_is_fine_as_it_is_and_with_every_line_taken(self):
        example = EXAMPLE.read_text()
        self.check(example)
        every = re.sub(r"(?m)^#(\w+ = )", r"\1", example)
        for name, file in zip(("fullchain.pem", "privkey.pem"),
                              tls.make_certificate(self.scratch, "own")):
            every = every.replace(f"/etc/cpm/tls/{name}", str(file))
        self.check(every)

    def test_it_shows_every_option_there_is(self):
        text = subprocess.run([support.BIN / "cpm-manager", "--help"], capture_output=True,
                              text=True, timeout=20).stdout
        flags = set(re.findall(r"--([a-z-]+)", text)) - {
            "help", "version", "config", "check", "accept-truncated-log", "data-dir"}
        shown = set(re.findall(r"(?m)^#?(\w+) = ", EXAMPLE.read_text()))
        self.assertLessEqual({flag.replace("-", "_") for flag in flags}, shown)


class Install(Scratch):
    def test_cmake_installs_what_the_units_name(self):
        subprocess.run(["cmake", "--install", support.BIN.parent, "--prefix", "/usr"], check=True,
                       env={**os.environ, "DESTDIR": str(self.scratch)}, capture_output=True,
                       timeout=120)
        units = list(self.scratch.glob("usr/lib/systemd/system/*.service"))
        self.assertEqual({unit.name for unit in units}, {
            "cpm-manager.service", "cpm-agent.service", "cpm-agent-hooks.service"})
        programs = {program for unit in units
                    for program in re.findall(r"/usr/bin/cpm-\S+", unit.read_text())}
        self.assertEqual(programs, {"/usr/bin/cpm-manager", "/usr/bin/cpm-agent"})
        for path in (*programs, "/usr/bin/cpm-replay", "/usr/lib/sysusers.d/cpm-manager.conf",
                     "/usr/lib/sysusers.d/cpm-agent.conf", "/usr/share/man/man1/cpm-replay.1",
                     "/usr/share/polkit-1/rules.d/50-cpm-agent.rules",
                     "/usr/share/doc/cpm/manager.toml", "/usr/share/doc/cpm/raw-frames.conf"):
            self.assertTrue((self.scratch / path.lstrip("/")).is_file(), path)


class CleanStop(Scratch):
    """3.7: SIGTERM drains and stops within 10 s, whatever is going on."""

    def test_in_the_middle_of_everything(self):
        manager = self.manager(args=tls.LISTEN).set_up()
        ledger, machines = load.Ledger(), []
        for i in range(4):
            mac = f"52:54:00:00:08:{i:02x}"
            server = manager.add_server(f"node{i}", mac_addresses=[mac], standby_time_seconds=60)
            machines.append(load.Machine(ledger, manager.join(server["id"], mac=mac), 0.02))
        open_ones = [self.stream_that_nobody_reads(manager) for _ in range(8)]
        open_ones += [self.connection(manager.address, b"POST /api/v1/servers HTTP/1.1\r\nHo")
                      for _ in range(8)]
        open_ones += [self.connection(tls.address_of(manager), b"\x16\x03") for _ in range(8)]
        for machine in machines:
            machine.start()
        held = load.threading.Thread(target=self.hold, args=(machines[0].agent,))
        wait_until("reports", lambda: len(ledger.reports) > 40)
        held.start()
        let_pass(0.5)  # until the call is held; sooner, it would only prove less
        began = time.monotonic()
        os.kill(manager.pid, signal.SIGTERM)
        self.assertEqual(manager.process.wait(timeout=10), 0, manager.output())
        print(f"\nstopped after {time.monotonic() - began:.1f} s, {len(ledger.reports)} reports")
        for machine in machines:
            machine.end()
        held.join(timeout=40)
        for one in open_ones:
            one.close()
        manager.log.close()
        ledger.unexpected.clear()  # 503 while it stops is what they may hear
        events = load.logged_events(manager)
        ledger.assert_kept_by(events)
        self.assertEqual(events[len(events)]["type"], "ManagerStopped")
        load.assert_verifies(manager)

    def connection(self, address, beginning):
        one = socket.create_connection(address, timeout=20)
        one.sendall(beginning)
        return one

    def stream_that_nobody_reads(self, manager):
        return self.connection(manager.address, (
            "GET /api/v1/stream HTTP/1.1\r\nHost: %s:%d\r\nAuthorization: Bearer %s\r\n\r\n" %
            (*manager.address, manager.token)).encode())

    def hold(self, agent):
        try:
            agent.manifest(wait=60, etag=agent.manifest().headers["ETag"])
        except (*load.NO_ANSWER, TypeError):
            pass  # the manager has gone


if __name__ == "__main__":
    support.main()
