"""The compatible wake interface (HTTP 3.4): what a script written for such a handler does, by curl
as its manual says, and that no wake goes around the log, the standby time or the door."""

import concurrent.futures
import json
import subprocess
import unittest

import raw
import support
from support import wait_until

QUICK = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 3, "standby_time_seconds": 60}


class CompatibleWake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager(args=["--compatible-wake", "127.0.0.1:0"]).set_up()
        cls.addClassCleanup(cls.manager.close)
        host, port = cls.manager.ready["compatible_wake"].rsplit(":", 1)
        cls.address = (host, int(port))
        cls.url = f"http://{host}:{port}"
        cls.token = {role: cls.make_token(role) for role in ("viewer", "operator", "admin")}

    @classmethod
    def tearDownClass(cls):
        cls.manager.assert_replay_is_served()

    @classmethod
    def make_token(cls, role):
        made = cls.manager.api("POST", "/tokens", {"name": f"script {role}", "role": role})
        assert made.status == 201, made
        return made["token"]

    def curl(self, *words, token="operator"):
        """(status, body) of a curl call; -X POST sends no Content-Length, as scripts do."""
        words = [*words[:-1], f"{self.url}{words[-1]}"]
        if token:
            words += ["-H", f"X-Auth-Token: {self.token.get(token, token)}"]
        said = subprocess.run(["curl", "-s", "-w", "\n%{http_code}", *words], check=True,
                              stdout=subprocess.PIPE, text=True, timeout=120).stdout
        body, status = said.rsplit("\n", 1)
        return int(status), json.loads(body) if body else None

    def wake(self, name, verify=False, **options):
        return self.curl("-X", "POST", f"/wake/{name}{'?verify=true' if verify else ''}", **options)

    def given(self, name, mac, **fields):
        """A server and its agent."""
        server = self.manager.add_server(name, mac_addresses=[mac], **(QUICK | fields))["id"]
        return server, self.manager.join(server, mac=mac, hostname=f"host-{name}")

    # --- what it answers ---

    def test_health_is_for_anyone(self):
        self.assertEqual(self.curl("/health", token=None), (200, {"status": "ok"}))

    def test_status_names_each_server(self):
        server, agent = self.given("status-1", "52:54:00:00:09:01")
        for role in self.token:
            status, body = self.curl("/status", token=role)
            self.assertEqual(status, 200)
            node, = (node for node in body["nodes"] if node["hostname"] == "status-1")
            self.assertEqual(node, {
                "hostname": "status-1", "status": "Unknown", "power_status": "OFF"})
        agent.say()
        wait_until("ON", lambda: {
            node["hostname"]: node["status"] for node in self.curl("/status")[1]["nodes"]
        }["status-1"] == "ON")
        self.assertEqual(self.manager.server(server)["display_status"], "ON")

    def test_a_wake_is_a_power_request_of_that_token(self):
        server, agent = self.given("plain-1", "52:54:00:00:09:02")
        status, body = self.wake("plain-1")
        self.assertEqual((status, body), (200, {
            "hostname": "plain-1", "status": "Starting", "power_status": "ON",
            "outcome": "accepted"}))
        requested, = self.manager.events(server=server, type="PowerRequested")
        self.assertEqual(requested["actor"], {"kind": "token", "name": "script operator"})
        self.assertEqual(requested["data"]["target"], "ON")
        # The standby time holds here as everywhere.
        status, body = self.wake("plain-1")
        self.assertEqual((status, body["type"]), (409, "/problems/standby"))
        refused, = self.manager.events(server=server, type="PowerRefused")
        self.assertEqual(refused["actor"]["name"], "script operator")
        self.assertEqual(agent.say(), "ON")

    def test_a_machine_is_found_by_its_own_name_too_where_that_is_clear(self):
        self.given("clear-1", "52:54:00:00:09:03")
        self.assertEqual(self.wake("host-clear-1")[0], 200)
        for number in (4, 5):
            server, _ = self.given(f"twin-{number}", f"52:54:00:00:09:1{number}")
            self.manager.join(server, mac=f"52:54:00:00:09:1{number}", hostname="twin")
        status, body = self.wake("twin")
        self.assertEqual((status, body["type"]), (409, "/problems/conflict"))
        self.assertEqual(self.wake("nobody")[0], 404)

    # --- verify ---

    def test_verify_answers_when_the_server_is_on(self):
        server, agent = self.given("verify-on", "52:54:00:00:09:06")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answer = pool.submit(self.wake, "verify-on", verify=True)
            wait_until("the request", lambda: self.manager.status(server) == "Starting")
            self.assertFalse(answer.done())
            agent.say()
            status, body = answer.result(30)
        self.assertEqual((status, body), (200, {
            "hostname": "verify-on", "status": "ON", "power_status": "ON",
            "outcome": "accepted", "verified": True}))
        self.assertIsNotNone(self.manager.server(server)["standby"])  # it did not wait for its end

    def test_verify_answers_when_the_standby_time_has_elapsed(self):
        self.given("verify-late", "52:54:00:00:09:07", standby_time_seconds=2)
        status, body = self.wake("verify-late", verify=True)
        self.assertEqual((status, body), (200, {
            "hostname": "verify-late", "status": "StartupDelayed", "power_status": "ON",
            "outcome": "accepted", "verified": False}))

    def test_verify_of_what_is_on_answers_at_once(self):
        _, agent = self.given("verify-now", "52:54:00:00:09:08")
        agent.say(), agent.say()
        status, body = self.wake("verify-now", verify=True)
        self.assertEqual((status, body["outcome"], body["verified"]), (200, "unchanged", True))

    def test_verify_ends_with_the_server_and_with_the_manager(self):
        with support.Manager(args=["--compatible-wake", "127.0.0.1:0"]) as manager:
            manager.set_up()
            servers = [manager.add_server(f"n{i}", mac_addresses=[f"52:54:00:00:0a:0{i}"], **QUICK)
                       for i in range(2)]
            host, port = manager.ready["compatible_wake"].rsplit(":", 1)

            def verify(name):
                return raw_post((host, int(port)), f"/wake/{name}?verify=true", manager.token)

            with concurrent.futures.ThreadPoolExecutor() as pool:
                first, second = pool.submit(verify, "n0"), pool.submit(verify, "n1")
                wait_until("both asked", lambda: all(
                    manager.status(server["id"]) == "Starting" for server in servers))
                gone = manager.api("DELETE", f"/servers/{servers[0]['id']}?force=true")
                self.assertEqual(gone.status, 200, gone)
                self.assertEqual(first.result(20), 410)
                self.assertEqual(manager.stop(), 0)
                self.assertEqual(second.result(20), 503)

    # --- all ---

    def test_wake_all_asks_for_each_and_one_refusal_does_not_stop_the_rest(self):
        with support.Manager(args=["--compatible-wake", "127.0.0.1:0"]) as manager:
            manager.set_up()
            ids = {name: manager.add_server(name, mac_addresses=[f"52:54:00:00:0b:0{i}"],
                                            **QUICK)["id"]
                   for i, name in enumerate(("c", "a", "b", "on"))}
            agent = manager.join(ids["on"], mac="52:54:00:00:0b:03")
            agent.say(), agent.say()
            self.assertEqual(manager.power(ids["b"], "ON").status, 202)
            host, port = manager.ready["compatible_wake"].rsplit(":", 1)
            with raw.Raw((host, int(port))) as connection:
                connection.request("POST /wake/all HTTP/1.1", f"X-Auth-Token: {manager.token}")
                status, _, body = connection.answer()
            self.assertEqual(status, 200)
            results = json.loads(body)["results"]
            self.assertEqual([(one["hostname"], one["outcome"]) for one in results], [
                ("a", "accepted"), ("b", "refused"), ("c", "accepted"), ("on", "unchanged")])
            self.assertIn("standby", results[1]["detail"])
            for name in ("a", "c"):
                requested, = manager.events(server=ids[name], type="PowerRequested")
                self.assertEqual(requested["actor"]["name"], "story")
            manager.assert_replay_is_served()

    # --- the door ---

    def test_only_an_operators_token_wakes(self):
        server, agent = self.given("guarded", "52:54:00:00:09:09")
        for token, expected in ((None, 401), ("nonsense", 401), ("viewer", 403),
                                (agent.token, 401)):
            self.assertEqual(self.wake("guarded", token=token)[0], expected, token)
            self.assertEqual(self.curl("-X", "POST", "/wake/all", token=token)[0], expected)
        self.assertEqual(self.curl("/status", token=None)[0], 401)
        self.assertEqual(self.manager.events(server=server, type="PowerRequested"), [])
        status, problem = self.wake("guarded", token=None)
        self.assertIn("X-Auth-Token", problem["detail"])
        self.assertEqual(self.wake("guarded", token="admin")[0], 200)

    def test_no_other_credential_counts_and_two_are_refused(self):
        signed_in = self.manager.ask("POST", "/api/v1/session", {
            "username": "alice", "password": support.PASSWORD})
        cookie = signed_in.headers["Set-Cookie"].split(";")[0]
        self.assertEqual(self.curl("-b", cookie, "/status", token=None)[0], 401)
        operator = self.token["operator"]
        for more in (f"X-Auth-Token: {operator}", f"Authorization: Bearer {operator}"):
            self.assertEqual(self.curl("-H", more, "/status")[0], 400)

    def test_nothing_else_is_there_and_the_heads_rules_are_the_same(self):
        for method, path, expected in (
                ("GET", "/api/v1/servers", 404), ("GET", "/agent/v1/manifest", 404),
                ("GET", "/", 404), ("GET", "/wake/all", 405), ("POST", "/health", 405),
                ("POST", "/wake/a/b", 404), ("DELETE", "/wake/all", 405),
                ("POST", "/wake/all?verify=true", 422), ("POST", "/wake/a?verify=maybe", 422)):
            self.assertEqual(self.curl("-X", method, path)[0], expected, (method, path))
        token = f"X-Auth-Token: {self.token['operator']}"
        for line, *fields, expected in (
                ("GET /status HTTP/1.1", token, "Host: elsewhere", 400),  # two of them
                ("POST /wake/all HTTP/1.1", token, "Transfer-Encoding: chunked", 411),
                ("POST /wake/all HTTP/1.1", token, "Content-Length: 0", "Content-Length: 0", 400),
                ("GET /status HTTP/1.1", "X_Auth_Token: x", 400)):
            with raw.Raw(self.address) as connection:
                connection.request(line, *fields)
                self.assertEqual(connection.answer()[0], expected, (line, fields))
        # And the paths of this interface are not on the other one.
        for path in ("/health", "/status"):
            answer = self.manager.ask("GET", path, token=self.token["admin"])
            self.assertNotIn(b'"nodes"', answer.raw)
            self.assertNotIn(b'"ok"', answer.raw)
        answer = self.manager.ask("GET", "/api/v1/head",
                                  headers={"X-Auth-Token": self.token["admin"]})
        self.assertEqual(answer.status, 401)


class Options(unittest.TestCase):
    def test_it_is_off_unless_it_is_configured(self):
        with support.Manager() as manager:
            self.assertIsNone(manager.ready["compatible_wake"])

    def test_a_wrong_address_is_named(self):
        run = subprocess.run([support.BIN / "cpm-manager", "--check", "--compatible-wake", "9876"],
                             capture_output=True, text=True, timeout=30)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--compatible-wake: expected ADDRESS:PORT", run.stderr)


def raw_post(address, target, token):
    """The status of a POST without a body."""
    with raw.Raw(address) as connection:
        connection.request(f"POST {target} HTTP/1.1", f"X-Auth-Token: {token}")
        return connection.answer()[0]


if __name__ == "__main__":
    support.need_program("curl")
    support.main()
