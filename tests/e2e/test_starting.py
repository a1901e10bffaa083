"""How a manager starts, refuses to start, and stops (HTTP 3.6, 3.7; event log 2.2)."""

import json
import os
import pathlib
import signal
import stat
import subprocess
import tempfile
import threading
import time
import unittest

import load
import support
from load import of_type
from support import wait_until


def run(*args, env=None):
    """A manager that is expected to end by itself: its exit status, and what it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CPM_")}
    ended = subprocess.run([support.BIN / "cpm-manager", *args], env={**clean, **(env or {})},
                           capture_output=True, text=True, timeout=20)
    return ended.returncode, ended.stdout + ended.stderr


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


class Scratch(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="cpm-starting-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def manager(self, **options):
        manager = support.Manager(**options)
        self.addCleanup(manager.close)
        return manager


class WrongUsage(Scratch):
    """3.7: exit status 2, and each fault named with its place."""

    def assert_refused(self, says, *args, env=None):
        data = self.scratch / "data"
        status, text = run("--data-dir", data, *args, env=env)
        self.assertEqual(status, 2, text)
        for part in says:
            self.assertIn(part, text)
        self.assertFalse(data.exists(), "it touched the data directory")

    def config(self, text):
        file = self.scratch / "manager.toml"
        file.write_text(text)
        return file

    def test_flags_are_refused_by_name(self):
        self.assert_refused(["--colour"], "--colour", "red")
        self.assert_refused(["--http", "ADDRESS:PORT"], "--http", "nowhere")
        self.assert_refused(["--http", "ADDRESS:PORT"], "--http", "127.0.0.1:65536")
        self.assert_refused(["--http", "ADDRESS:PORT"], "--http", "localhost:80")
        self.assert_refused(["--https", "ADDRESS:PORT"], "--https", "nowhere")
        for url in ("cpm.example", "https://", "https://cpm example", "https://cpm.example/cpm"):
            self.assert_refused(["--public-url", "https://"], "--public-url", url)
        self.assert_refused(["--ready-file"], "--ready-file")
        self.assert_refused(["stray"], "stray")

    def test_a_broken_configuration_file_is_named_with_its_line(self):
        file = self.config('http = "127.0.0.1:0"\nhost_names = [\n= 3\n')
        self.assert_refused([f"{file}:3:"], "--config", file)
        self.assert_refused([f"{file}:3:"], env={"CPM_CONFIG": str(file)})

    def test_a_configuration_file_that_is_not_there_is_named(self):
        self.assert_refused([f"{self.scratch}/none.toml cannot be read: No such file"],
                            "--config", self.scratch / "none.toml")
        self.assert_refused([f"{self.scratch} cannot be read: Is a directory"],
                            "--config", self.scratch)

    def test_all_faults_of_a_file_are_told_at_once(self):
        file = self.config('data_dri = "/x"\n\nhttp = "nowhere"\nspace_reserve_mib = -3\n'
                           'public_url = true\n')
        self.assert_refused([f"{file}:1: data_dri: is not an option of cpm-manager; did you mean "
                             "data_dir?", f"{file}:3: http: expected ADDRESS:PORT",
                             f"{file}:4: space_reserve_mib: expected",
                             f"{file}:5: public_url: expected"], "--config", file)
        self.assert_refused([f"{file}:2: frobnicate: is not an option of cpm-manager; see"],
                            "--config", self.config("\nfrobnicate = 1\n"))

    def test_what_is_missing_beside_a_value_is_named_at_that_value(self):
        file = self.config('\n\ntls_key = "/some/key"\n')
        self.assert_refused([f"{file}:3: tls_key: needs its tls_certificate"], "--config", file)

    def test_a_wrong_variable_is_named(self):
        self.assert_refused(["CPM_HTTP", "ADDRESS:PORT"], env={"CPM_HTTP": "x"})
        self.assert_refused(["CPM_SPACE_RESERVE_MIB", "MiB"], env={"CPM_SPACE_RESERVE_MIB": "x"})

    def test_check_reads_all_and_starts_nothing(self):
        good = self.config('http = "127.0.0.1:0"\nhost_names = ["a.example", "b.example"]\n')
        data = self.scratch / "data"
        status, text = run("--check", "--config", good, "--data-dir", data)
        self.assertEqual(status, 0, text)
        self.assertIn("fine", text)
        self.assertFalse(data.exists())
        self.assert_refused(["--http"], "--check", "--http", "x")
        self.assert_refused([":1: http"], "--check", "--config", self.config('http = "x"'))

    def test_flags_win_over_variables_over_the_file(self):
        file = self.config(f'data_dir = "{self.scratch}/file"\nhttp = "wrong"\n')
        manager = self.manager(started=False, args=["--config", file])
        manager.env = {"CPM_HTTP": "also wrong"}
        # Support gives --http and --data-dir as flags; wrong values are faults wherever they are.
        manager.start(ready=False)
        self.assertEqual(manager.process.wait(timeout=10), 2)
        manager.log.close()
        file.write_text(f'data_dir = "{self.scratch}/file"\nhttp = "127.0.0.1:1"\n')
        manager.env = {"CPM_HTTP": "127.0.0.1:2", "CPM_DATA_DIR": str(self.scratch / "env")}
        manager.start()
        self.assertGreater(manager.address[1], 2)
        self.assertTrue((manager.data / "log").is_dir())
        self.assertFalse((self.scratch / "file").exists() or (self.scratch / "env").exists())

    def test_help_and_version_are_no_faults(self):
        status, text = run("--help")
        self.assertEqual(status, 0)
        for flag in ("--config", "--data-dir", "--http", "--https", "--ready-file",
                     "--accept-truncated-log", "--check"):
            self.assertIn(flag, text)
        status, text = run("--version")
        self.assertEqual((status, text.split()[0]), (0, "cpm-manager"))


class Refusing(Scratch):
    def refused(self, manager, code, *args):
        """It ends with this status; what it said since."""
        before = len(manager.output()) if hasattr(manager, "log") else 0
        manager.start(ready=False, args=args)
        self.assertEqual(manager.process.wait(timeout=20), code, manager.output())
        manager.log.close()
        return manager.output()[before:]


class Refused(Refusing):
    def test_a_taken_address_is_4_and_leaves_no_event(self):
        first = self.manager()
        second = self.manager(listen="%s:%d" % first.address, started=False)
        said = self.refused(second, 4)
        self.assertIn("%s:%d" % first.address, said)
        self.assertEqual(load.logged_events(second), {})
        load.assert_verifies(second)
        first.set_up()
        second.listen = "127.0.0.1:0"
        second.start()
        second.set_up()
        (started,) = second.events(type="ManagerStarted")
        self.assertEqual(started["sequence"], 1)

    def test_an_address_of_another_machine_is_4(self):
        manager = self.manager(listen="192.0.2.1:8080", started=False)
        self.assertIn("192.0.2.1:8080", self.refused(manager, 4))

    def test_a_directory_that_cannot_be_used_is_5(self):
        (self.scratch / "data").write_text("a file")
        manager = self.manager(data=self.scratch, started=False)
        self.assertIn(str(self.scratch / "data"), self.refused(manager, 5))

    def test_a_ready_file_that_cannot_be_written_is_5_and_the_log_is_closed_cleanly(self):
        data = self.scratch / "data"
        status, text = run("--data-dir", data, "--http", "127.0.0.1:0", "--ready-file",
                           self.scratch / "no" / "ready", env={"CPM_SPACE_RESERVE_MIB": "16"})
        self.assertEqual(status, 5, text)
        self.assertIn(str(self.scratch / "no" / "ready"), text)
        manager = self.manager(data=self.scratch)
        self.assertEqual(manager.stop(), 0)
        load.assert_verifies(manager)

    def test_a_missing_witness_is_3(self):
        manager = self.manager().set_up()
        self.assertEqual(manager.stop(), 0)
        (manager.data / "head-witness").unlink()
        said = self.refused(manager, 3)
        self.assertIn("head witness", said)
        self.assertIn("--accept-truncated-log", said)

    def test_a_missing_database_is_3(self):
        manager = self.manager().set_up()
        self.assertEqual(manager.stop(), 0)
        (manager.data / "log" / "CURRENT").unlink()
        self.assertIn("the database is gone", self.refused(manager, 3))

    def test_a_damaged_key_is_not_replaced(self):
        """Agents hold the public half of the order key: a new one would strand them."""
        manager = self.manager().set_up()
        self.assertEqual(manager.stop(), 0)
        for key in ("order.key", "witness.key"):
            content = (manager.data / "keys" / key).read_bytes()
            (manager.data / "keys" / key).write_bytes(content[:-1])
            self.assertIn(key, self.refused(manager, 5))
            (manager.data / "keys" / key).write_bytes(content)
        manager.start()
        self.assertEqual(manager.stop(), 0)


class Truncated(Refusing):
    """2.2, 3.3: a log that ends before its witness does not start, and can be accepted."""

    def setUp(self):
        super().setUp()
        self.fleet = self.manager().set_up()
        manager = self.fleet
        self.node = manager.join(manager.add_server("node", standby_time_seconds=60)["id"])
        self.node.say()
        self.node.say()
        self.assertEqual(manager.power(self.node.server_id, "OFF").status, 202)
        self.assertEqual(self.node.say(), "OFF")
        self.assertEqual(manager.stop(), 0)
        self.cut()

    def cut(self):
        """The log as it was a while ago, under the witness of its end: an old copy put back."""
        manager = self.fleet
        old = self.scratch / "old"
        support.shutil.copytree(manager.data / "log", old)
        manager.start()
        self.node.say()
        self.assertEqual(manager.stop(), 0)
        self.witnessed = manager.data.joinpath("head-witness").read_text()
        support.shutil.rmtree(manager.data / "log")
        old.rename(manager.data / "log")

    def test_it_is_3_and_names_both_ends(self):
        said = self.refused(self.fleet, 3)
        events = load.logged_events(self.fleet, status=3)
        witnessed = self.witnessed.split()[3]
        self.assertIn(f"it ends at event {len(events)}, but had reached event {witnessed}", said)
        self.assertIn("--accept-truncated-log", said)
        self.assertEqual(self.fleet.data.joinpath("head-witness").read_text(), self.witnessed)
        # Also under a start that could not have served.
        self.refused(self.fleet, 3)

    def test_accepted_it_starts_rolled_back_until_an_administrator_accepts_it(self):
        manager = self.fleet
        manager.start(args=["--accept-truncated-log"])
        self.assert_rolled_back(manager)
        manager.kill()
        manager.start()  # without the flag, too: it is accepted once, and still rolled back
        self.assert_rolled_back(manager)
        accepted = manager.api("POST", "/rollback/accept")
        self.assertEqual(accepted.status, 200, accepted)
        ready = manager.ask("GET", "/readyz")
        self.assertEqual((ready.status, ready["status"]), (200, "ok"))
        self.assertEqual(manager.api("GET", "/head")["epoch"], 2)
        (event,) = manager.events(type="RollbackAccepted")
        self.assertEqual(event["data"]["epoch"], 2)
        self.assertEqual(manager.api("POST", "/rollback/accept").status, 409)
        lamp = manager.add_server("lamp")["id"]
        self.assertEqual(manager.power(lamp, "ON").status, 202)
        # The OFF is nobody's word any more: what the log lost may have been an ON.
        self.assertEqual(self.node.say(), "ON")
        self.assertEqual(manager.stop(), 0)
        manager.start()
        self.assertEqual(manager.ask("GET", "/readyz").status, 200)
        self.assertEqual(manager.api("GET", "/head")["epoch"], 2)
        load.assert_replayed_is_served(manager)

    def assert_rolled_back(self, manager):
        ready = manager.ask("GET", "/readyz")
        self.assertEqual((ready.status, ready["status"]), (503, "rolled_back"))
        self.assertEqual(manager.ask("GET", "/healthz").status, 200)
        for target in ("ON", "OFF"):
            refused = manager.power(self.node.server_id, target)
            self.assertEqual((refused.status, refused["type"]), (503, "/problems/rolled-back"))
        answer = self.node.heartbeat()
        self.assertEqual((answer.status, answer["power_status"]), (200, "ON"))
        self.assertNotIn("order", answer.json)
        self.assertIn("older", answer["notice"])
        manifest = self.node.manifest()
        self.assertEqual((manifest.status, manifest["power_status"]), (200, "ON"))
        self.assertEqual(manager.api("GET", "/head")["epoch"], 1)


class Serving(Scratch):
    def test_the_ready_file_says_where_it_serves_and_is_for_its_owner_alone(self):
        manager = self.manager()
        file = pathlib.Path(manager.scratch.name) / "ready.json"
        self.assertEqual(mode(file), 0o600)
        ready = json.loads(file.read_text())
        self.assertEqual(ready.keys(), {"http", "https", "urls", "compatible_wake", "ca_pin",
                                        "setup_code", "pid"})
        self.assertEqual(ready["pid"], manager.process.pid)
        self.assertIsNone(ready["https"])
        self.assertRegex(ready["http"], r"^127\.0\.0\.1:[1-9]\d*$")
        self.assertRegex(ready["setup_code"], r"^[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$")
        self.assertEqual(manager.ask("GET", "/readyz").status, 200)
        url = f"http://{ready['http']}/#setup={ready['setup_code']}"
        self.assertEqual(ready["urls"], [url])
        self.assertIn(url, manager.output())
        self.assertFalse(file.with_name("ready.json.new").exists())

    def test_a_setup_code_is_new_at_each_start_until_it_was_used(self):
        manager = self.manager()
        codes = [manager.ready["setup_code"]]
        for _ in range(2):
            self.assertEqual(manager.stop(), 0)
            manager.start()
            codes.append(manager.ready["setup_code"])
        self.assertEqual(len(set(codes)), 3)
        old = manager.ask("POST", "/api/v1/setup", {
            "setup_code": codes[0], "username": "mallory", "password": support.PASSWORD})
        self.assertIn(old.status, (401, 403))
        manager.set_up()
        again = manager.ask("POST", "/api/v1/setup", {
            "setup_code": codes[-1], "username": "mallory", "password": support.PASSWORD})
        self.assertEqual(again.status, 409)
        said = len(manager.output())
        self.assertEqual(manager.stop(), 0)
        manager.start()
        self.assertIsNone(manager.ready["setup_code"])
        self.assertNotIn("setup", manager.output()[said:].lower())
        self.assertEqual(manager.api("GET", "/servers").status, 200)

    def test_the_data_directory_keeps_secrets_to_its_owner(self):
        manager = self.manager().set_up()
        agent = manager.join(manager.add_server("node")["id"])
        agent.say()
        self.assertEqual(mode(manager.data / "keys"), 0o700)
        for key in ("order.key", "witness.key"):
            self.assertEqual(mode(manager.data / "keys" / key), 0o600, key)
        secrets = [support.PASSWORD, manager.token, agent.token]
        self.assertEqual(manager.stop(), 0)
        for file in manager.data.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                for secret in secrets:
                    self.assertNotIn(secret.encode(), content, file)

    def test_a_signal_ends_what_is_held_and_it_stops_at_once(self):
        self.assertLess(self.stop_by(signal.SIGTERM), 2)
        self.assertLess(self.stop_by(signal.SIGINT), 2)

    def test_requests_that_never_end_hold_a_stop_up_for_less_than_10_seconds(self):
        half = "POST /agent/v1/heartbeat HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        body = ("Authorization: Bearer %s\r\nContent-Length: 90\r\n"
                "Content-Type: application/json\r\n\r\n{")
        self.assertLess(self.stop_by(signal.SIGTERM, half, half + body), 10)

    def stop_by(self, number, *halves):
        """A clean stop among held calls, and connections that sent these beginnings of requests;
        how many seconds it took."""
        manager = self.manager().set_up()
        agent = manager.join(manager.add_server("node")["id"])
        agent.say()
        agent.say()
        held = {}

        def hold(name, ask):
            try:
                held[name] = ask()
            except load.NO_ANSWER as error:
                held[name] = error

        etag = agent.manifest().headers["ETag"]
        stream = manager.connection()
        stream.request("GET", "/api/v1/stream",
                       headers={"Authorization": f"Bearer {manager.token}"})
        opened = stream.getresponse()
        self.assertEqual(opened.status, 200)
        self.assertIn(b"event: snapshot", opened.readline() + opened.readline())
        idle = manager.connection()
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        begun = [manager.connection() for _ in halves]
        for connection, text in zip(begun, halves):
            values = (manager.address[1], agent.token)
            connection.connect()
            connection.sock.sendall((text % values[:text.count("%")]).encode())
        manifest = threading.Thread(target=hold, args=(
            "manifest", lambda: agent.manifest(wait=60, etag=etag)))
        manifest.start()
        support.let_pass(0.5)  # until the call is held; sooner, it would only prove less
        began = time.monotonic()
        os.kill(manager.pid, number)
        self.assertEqual(manager.process.wait(timeout=10), 0, manager.output())
        took = time.monotonic() - began
        manifest.join(timeout=10)
        opened.read()  # the stream has ended, it does not hang
        self.assertIn("manifest", held)
        if isinstance(held["manifest"], support.Answer):
            self.assertIn(held["manifest"].status, (304, 503))
        for connection in (stream, idle, *begun):
            connection.close()
        manager.log.close()
        events = load.logged_events(manager)
        self.assertEqual(events[len(events)]["type"], "ManagerStopped")
        witness = manager.data.joinpath("head-witness").read_text().split()
        self.assertEqual(witness[3], str(len(events)))
        self.assertEqual(witness[5], events[len(events)]["hash"])
        load.assert_verifies(manager)
        manager.start()
        self.assertEqual(manager.status(agent.server_id), "ON")
        return took

    def test_sighup_does_not_end_it(self):
        manager = self.manager().set_up()
        os.kill(manager.pid, signal.SIGHUP)
        self.assertEqual(manager.api("GET", "/servers").status, 200)
        self.assertEqual(manager.stop(), 0)
        self.assertEqual(len(of_type(load.logged_events(manager), "ManagerStarted")), 1)

    def test_without_a_listener_it_runs_and_stops(self):
        manager = self.manager(listen="off", started=False)
        manager.start(ready=False)
        file = pathlib.Path(manager.scratch.name) / "ready.json"
        wait_until("the ready file", file.exists)
        self.assertIsNone(json.loads(file.read_text())["http"])
        self.assertEqual(manager.stop(), 0)


if __name__ == "__main__":
    support.main()
