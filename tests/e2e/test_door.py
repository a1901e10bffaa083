"""The door (HTTP 3.5) told from outside, byte by byte: the framing rules, the limits, the deadlines
and the names it answers to. Whatever it refuses for its framing ends the connection."""

import json
import os
import resource
import signal
import socket
import time
import unittest

import raw
import support

JSON = "Content-Type: application/json"


class Door(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager().set_up()
        cls.addClassCleanup(cls.manager.close)
        cls.bearer = f"Authorization: Bearer {cls.manager.token}"

    def open(self, **options):
        connection = raw.Raw(self.manager.address, **options)
        self.addCleanup(connection.close)
        return connection

    def check_secured(self, fields):
        self.assertIn("default-src 'none'", fields["content-security-policy"])
        self.assertIn("frame-ancestors 'none'", fields["content-security-policy"])
        self.assertIn("require-trusted-types-for 'script'", fields["content-security-policy"])
        self.assertEqual(fields["x-content-type-options"], "nosniff")
        self.assertEqual(fields["referrer-policy"], "no-referrer")
        self.assertEqual(fields["cache-control"], "no-store")
        self.assertNotIn("server", fields)
        self.assertFalse([name for name in fields if "version" in name or "powered" in name])
        self.assertFalse([name for name in fields if name.startswith("access-control")])

    def check_problem(self, answer, status):
        got, fields, body = answer
        self.assertEqual(got, status, body)
        self.assertEqual(fields["content-type"], "application/problem+json")
        self.check_secured(fields)
        problem = json.loads(body)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["type"].startswith("/problems/"))
        self.assertTrue(problem["title"] and problem["detail"])
        return problem

    def check_refused(self, connection, status):
        """One answer with this status, and then the end: nothing behind it is read as a request."""
        answer = connection.answer()
        problem = self.check_problem(answer, status)
        self.assertEqual(answer[1].get("connection"), "close")
        self.assertTrue(connection.is_closed())
        return problem

    def refused(self, status, line="GET /healthz HTTP/1.1", *fields, body="", host=None):
        connection = self.open()
        connection.request(line, *fields, body=body, host=host)
        with self.subTest(line=line[:80], fields=[field[:80] for field in fields], host=host):
            return self.check_refused(connection, status)

    # --- framing ---

    def test_the_length_of_a_body_is_beyond_doubt_or_the_connection_ends(self):
        post = "POST /api/v1/tokens HTTP/1.1"
        smuggled = "GET /api/v1/head HTTP/1.1\r\nHost: x\r\n\r\n"
        chunks = "5\r\nhello\r\n0\r\nX-Late: 1\r\n\r\n"
        self.refused(411, post, self.bearer, JSON, "Transfer-Encoding: chunked", body=chunks)
        self.refused(501, post, self.bearer, JSON, "Transfer-Encoding: gzip", body=smuggled)
        self.refused(501, post, self.bearer, JSON, "Transfer-Encoding: gzip, chunked", body=chunks)
        self.refused(400, post, self.bearer, JSON, "Transfer-Encoding: chunked",
                     "Content-Length: 3", body=chunks)
        self.refused(400, post, self.bearer, JSON, "Transfer-Encoding: chunked",
                     "Transfer-Encoding: identity", body=chunks)
        self.refused(400, "POST /api/v1/tokens HTTP/1.0", self.bearer, JSON,
                     "Transfer-Encoding: chunked", body=chunks)
        self.refused(400, post, self.bearer, JSON, "Content-Length: 2", "Content-Length: 2",
                     body="{}" + smuggled)
        self.refused(400, post, self.bearer, JSON, "Content-Length: 2", "Content-Length: 3",
                     body="{} " + smuggled)
        for length in ("2, 2", "+2", "-2", "0x2", "2 2", "", "two"):
            self.refused(400, post, self.bearer, JSON, f"Content-Length: {length}", body="{}")
        for alike in ("Content_Length: 2", "content_length: 2", "Transfer_Encoding: chunked"):
            self.refused(400, post, self.bearer, JSON, "Content-Length: 2", alike, body="{}")
        self.refused(411, post, self.bearer, JSON)
        self.refused(400, "GET /healthz HTTP/1.1", JSON, "Content-Length: 2", body="{}")
        self.refused(400, post, self.bearer, JSON, "Content-Length: 99999999999999999999999")
        self.refused(413, post, self.bearer, JSON, "Content-Length: 18446744073709551615")

    def test_a_change_that_announces_no_body_has_none_and_nothing_behind_it_is_read(self):
        post = "POST /api/v1/rollback/accept HTTP/1.1"
        smuggled = "POST /api/v1/rollback/accept HTTP/1.1\r\nHost: x\r\n\r\n"
        for body in ("", "{}", smuggled):
            connection = self.open()
            connection.request(post, self.bearer, body=body)  # as curl -X POST sends it
            self.check_refused(connection, 409)
        self.refused(411, post, self.bearer, JSON)
        self.refused(411, "POST /api/v1/rollback/accept HTTP/1.0", self.bearer)

    def test_a_head_that_two_readers_would_read_differently_is_refused(self):
        self.refused(400, host="")
        self.refused(400, "GET /healthz HTTP/1.1", f"Host: {self.manager.address[0]}")
        self.refused(400, "GET /healthz HTTP/1.1", self.bearer, self.bearer)
        self.refused(400, "GET /healthz HTTP/1.1", "Cookie: cpm=a", "Cookie: cpm=b")
        self.refused(400, "GET /healthz HTTP/1.1", "X-Long: one\r\n two")
        self.refused(400, "GET /healthz HTTP/1.1", "X-Space : one")
        self.refused(400, "GET /healthz HTTP/1.1", "no colon here")
        self.refused(400, "GET /healthz HTTP/1.1", "X-Nul: a\0b")
        self.refused(400, "GET /healthz HTTP/1.1", "X-Cr: a\rb")
        self.refused(400, " GET /healthz HTTP/1.1")
        for bytes_ in (b"GET /healthz HTTP/1.1\nHost: localhost\n\n", b"\x16\x03\x01\x02\x00\x01",
                       b"GET /healthz HTTP/1.1\r\nHost: localhost\n\r\n", b"\n\n", b"\r\n\r\n\r\n"):
            connection = self.open()
            connection.send(bytes_)
            with self.subTest(bytes=bytes_):
                self.check_refused(connection, 400)

    def test_a_target_is_a_path_of_uri_bytes_or_names_the_same_host(self):
        for target in ("/healthz\x80", "/h\xe9", '/"', "/<a>", "/a|b", "/a\\b", "/a#b", "/%", "/%2",
                       "/%zz", "/%00", "/%0a", "/a%2fb", "/a%5Cb", "/%ff", "/%c0%af", "*",
                       "healthz", "http://", "ftp://localhost/healthz", "/?a=%ff",
                       f"http://other/healthz", "http://localhost:1/healthz"):
            self.refused(400, f"GET {target} HTTP/1.1")
        connection = self.open()
        connection.request(f"GET http://{connection.host}/healthz HTTP/1.1")
        self.assertEqual(connection.answer()[0], 200)
        self.refused(505, "GET /healthz HTTP/2.0")
        self.refused(505, "GET /healthz HTTP/1.2")

    def test_methods_are_known_and_in_upper_case(self):
        for line in ("CONNECT localhost:80 HTTP/1.1", "TRACE /healthz HTTP/1.1",
                     "OPTIONS /healthz HTTP/1.1"):
            connection = self.open()
            connection.request(line)
            answer = connection.answer()
            self.check_problem(answer, 405)
            self.assertIn("GET", answer[1]["allow"])
            self.assertTrue(connection.is_closed())
        for method in ("get", "Get", "PROPFIND", "PRI"):
            self.refused(501, f"{method} /healthz HTTP/1.1")
        self.refused(400, "G(T /healthz HTTP/1.1")

    def test_a_body_is_json_and_comes_unasked_and_unpacked(self):
        post = "POST /api/v1/tokens HTTP/1.1"
        for field in ("X-No: type", "Content-Type: text/plain", "Content-Type: application/jsonx",
                      "Content-Type: application/x-www-form-urlencoded",
                      "Content-Type: application/json; charset=latin-1"):
            self.refused(415, post, self.bearer, "Content-Length: 2", field, body="{}")
        self.refused(415, post, self.bearer, JSON, "Content-Encoding: gzip", "Content-Length: 2",
                     body="{}")
        self.refused(417, post, self.bearer, JSON, "Expect: 100-continue", "Content-Length: 2")
        connection = self.open()
        connection.request(post, self.bearer, "Content-Type: Application/JSON; charset=UTF-8",
                           "Content-Length: 2", body="{}")
        self.check_problem(connection.answer(), 422)

    def test_upgrade_is_ignored(self):
        connection = self.open()
        connection.request("GET /healthz HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c")
        self.assertEqual(connection.answer()[0], 200)

    # --- names ---

    def test_it_answers_to_its_own_names_alone(self):
        port = self.manager.address[1]
        for host in ("localhost", f"LOCALHOST:{port}", "127.0.0.1", "[::1]", f"[::1]:{port}"):
            connection = self.open()
            connection.request(host=host)
            with self.subTest(host=host):
                self.assertEqual(connection.answer()[0], 200)
        for host in ("evil.example", "localhost.evil.example", "127.0.0.2", "10.0.0.1", "[::2]",
                     "localhost."):
            problem = self.refused(421, host=host)
            self.assertEqual(problem["type"], "/problems/wrong-host")
        for host in ("local host", "localhost:http", "localhost:1:2", "[::1", "a/b", "a@localhost"):
            self.refused(400, host=host)

    # --- routes ---

    def test_routes(self):
        connection = self.open()
        for path in ("/nothing", "/api/v1/servers/", "//healthz", "/healthz/"):
            connection.request(f"GET {path} HTTP/1.1")
            self.check_problem(connection.answer(), 404)
        connection.request("GET /api/v1/setup HTTP/1.1")
        answer = connection.answer()
        self.check_problem(answer, 405)
        self.assertEqual(answer[1]["allow"], "POST")
        connection.request("PATCH /api/v1/servers HTTP/1.1", "Content-Length: 0")
        self.assertEqual(connection.answer()[1]["allow"], "GET, POST, HEAD")
        connection.request("HEAD /healthz HTTP/1.1")
        status, fields, _ = connection.answer(head_only=True)
        self.assertEqual(status, 200)
        connection.request("GET /healthz HTTP/1.1")
        status, same, body = connection.answer()
        self.assertEqual((status, len(body)), (200, int(fields["content-length"])))
        self.check_secured(same)
        self.assertNotIn("connection", same)

    def test_requests_sent_ahead_are_answered_in_order(self):
        connection = self.open()
        body = json.dumps({"name": "x" * 300, "role": "king"})
        for _ in range(20):
            connection.request("POST /api/v1/tokens HTTP/1.1", self.bearer, JSON,
                               f"Content-Length: {len(body)}", body=body)
            connection.request("GET /api/v1/head HTTP/1.1", self.bearer)
        for _ in range(20):
            self.check_problem(connection.answer(), 422)
            status, _, text = connection.answer()
            self.assertEqual(status, 200)
            self.assertEqual(sorted(json.loads(text)), ["epoch", "hash", "sequence"])

    def test_an_older_client_and_one_that_asks_are_closed_to(self):
        for line, field in (("GET /healthz HTTP/1.0", "X: y"),
                            ("GET /healthz HTTP/1.1", "Connection: x, Close")):
            connection = self.open()
            connection.request(line, field)
            self.assertEqual(connection.answer()[1]["connection"], "close")
            self.assertTrue(connection.is_closed())

    # --- limits ---

    def test_each_limit_is_named_by_what_refuses_it(self):
        self.refused(414, f"GET /{'a' * 2048} HTTP/1.1")
        self.refused(414, f"GET /{'a' * 9000} HTTP/1.1")
        self.refused(431, "GET /healthz HTTP/1.1", *[f"X-{i}: a" for i in range(64)])
        self.refused(431, "GET /healthz HTTP/1.1", f"X: {'a' * 8192}")
        connection = self.open()
        connection.request(f"GET /{'a' * 2047} HTTP/1.1", *[f"X-{i}: a" for i in range(63)])
        self.assertEqual(connection.answer()[0], 404)
        for path, size in (("/api/v1/session", 4096), ("/api/v1/setup", 4096),
                           ("/agent/v1/join", 16384), ("/api/v1/servers", 65536)):
            field = f"Content-Length: {size + 1}"
            problem = self.refused(413, f"POST {path} HTTP/1.1", self.bearer, JSON, field)
            self.assertIn(str(size), problem["detail"])
            connection = self.open()
            connection.request(f"POST {path} HTTP/1.1", self.bearer, JSON,
                               f"Content-Length: {size}", body=" " * size)
            self.check_problem(connection.answer(), 400)

    def test_a_refusal_arrives_though_its_body_was_still_under_way(self):
        connection = self.open()
        connection.request("POST /api/v1/servers HTTP/1.1", self.bearer, JSON,
                           "Content-Length: 200000", body="x" * 200000)
        self.check_refused(connection, 413)

    def test_deadlines_are_set_once_a_phase(self):
        def trickle(connection, text):
            """One byte each quarter of a second, until the peer has answered or closed."""
            start = time.monotonic()
            connection.socket.settimeout(0.25)
            for byte in text:
                try:
                    connection.send(byte)
                    connection.fill()
                    break
                except TimeoutError:
                    continue
                except (raw.Closed, OSError):
                    break
            connection.socket.settimeout(20)
            return time.monotonic() - start

        head, silent, body = self.open(), self.open(), self.open()
        start = time.monotonic()
        took = trickle(head, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + "a" * 200)
        self.check_refused(head, 408)
        self.assertTrue(4.5 < took < 7, took)
        self.assertTrue(silent.is_closed())  # it never said a word, and is told none
        self.assertTrue(4.5 < time.monotonic() - start < 8)
        body.request("GET /healthz HTTP/1.1")
        body.buffer = b""
        with self.open() as slow:
            slow.request("POST /api/v1/tokens HTTP/1.1", self.bearer, JSON, "Content-Length: 200")
            took = trickle(slow, "{" + " " * 198)
            self.check_refused(slow, 408)
            self.assertTrue(9.5 < took < 13, took)

    def test_a_manager_that_did_not_turn_counts_a_peers_deadline_anew(self):
        connection = self.open()
        connection.send("GET /healthz HTTP/1.1\r\n")
        served = self.open()
        served.request()
        self.assertEqual(served.answer()[0], 200)  # the bytes of the other came before
        os.kill(self.manager.pid, signal.SIGSTOP)
        support.let_pass(6)
        os.kill(self.manager.pid, signal.SIGCONT)
        support.let_pass(1)
        connection.send("Host: localhost\r\n\r\n")
        self.assertEqual(connection.answer()[0], 200)

    def test_a_reader_that_reads_nothing_takes_no_memory_but_a_place(self):
        before = self.memory()
        connections = [self.open() for _ in range(20)]
        for connection in connections:
            connection.socket.setblocking(False)
            request = (f"GET /api/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000).encode()
            sent = 0
            try:
                while sent < len(request):
                    sent += connection.socket.send(request[sent:])
            except BlockingIOError:
                pass
        served = self.open()
        served.request()
        self.assertEqual(served.answer()[0], 200)
        self.assertLess(self.memory() - before, 64 << 20)

    def memory(self):
        with open(f"/proc/{self.manager.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()


class Places(unittest.TestCase):
    """Connections in all: 1,024, of which a quarter is kept for agents."""

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        if hard < 2048:
            support.skip("the test needs 2,048 file descriptors")

    def test_a_quarter_of_the_places_is_kept_for_agents(self):
        with support.Manager() as manager:
            manager.set_up()
            agent = manager.join(manager.add_server("a", mac_addresses=["52:54:00:00:00:01"])["id"])
            bearer = f"Authorization: Bearer {agent.token}"
            opened = []

            def connect(*fields, path="/healthz"):
                connection = raw.Raw(manager.address)
                connection.request(f"GET {path} HTTP/1.1", *fields)
                answer = connection.answer()
                if answer[1].get("connection") == "close":
                    connection.close()
                else:
                    opened.append(connection)
                return answer

            try:
                for _ in range(768):
                    self.assertEqual(connect()[0], 200)
                status, fields, body = connect()
                self.assertEqual((status, fields["connection"]), (429, "close"), body)
                self.assertIn("people", json.loads(body)["detail"])
                # Without a credential that is good nobody takes an agent's place.
                status, fields, _ = connect("Authorization: Bearer x", path="/agent/v1/manifest")
                self.assertEqual((status, fields["connection"]), (401, "close"))
                for _ in range(256):
                    self.assertEqual(connect(bearer, path="/agent/v1/manifest")[0], 200)
                status, fields, body = connect()
                self.assertEqual((status, fields["connection"]), (429, "close"), body)
                self.assertIn("1024", json.loads(body)["detail"])
                opened.pop(0).close()
                support.wait_until("a place to be free again", lambda: connect()[0] == 200)
            finally:
                for connection in opened:
                    connection.close()
            self.assertEqual(manager.ask("GET", "/healthz").status, 200)

    def test_the_limits_are_options(self):
        with support.Manager(args=["--connections", "12", "--connections-for-agents", "4"],
                             env={"CPM_CONNECTIONS_PER_ADDRESS": "2"}) as manager:
            connections = [raw.Raw(manager.address) for _ in range(12)]
            statuses = []
            for connection in connections:
                connection.request()
                statuses.append(connection.answer()[0])
            self.assertEqual(statuses, [200] * 8 + [429] * 4)
            for connection in connections:
                connection.close()
        for args, told in (
                (["--connections", "7"], "--connections: expected a whole number from 8 to 65536"),
                (["--connections", "many"], "--connections: expected a whole number"),
                (["--connections-per-address", "0"], "--connections-per-address: expected a"),
                (["--connections-for-agents", "-1"], "--connections-for-agents: expected a"),
                (["--connections-for-agents", "1024"],
                 "for-agents: expected fewer than there are connections")):
            manager = support.Manager(started=False)
            self.addCleanup(manager.close)
            manager.start(args=args, ready=False)
            self.assertEqual(manager.process.wait(timeout=20), 2)
            self.assertIn(told, manager.output())
            manager.kill()

    def test_without_file_descriptors_it_neither_spins_nor_ends(self):
        with support.Manager() as manager:
            support.let_pass(2.5)  # nothing is left to write, so the log needs no file
            limit = resource.prlimit(manager.pid, resource.RLIMIT_NOFILE)
            self.assertEqual(limit[0], limit[1])  # it takes all it may have
            used = len(os.listdir(f"/proc/{manager.pid}/fd"))
            resource.prlimit(manager.pid, resource.RLIMIT_NOFILE, (used + 5, limit[1]))
            connections = [socket.create_connection(manager.address) for _ in range(20)]
            before = self.processor_time(manager.pid)
            support.let_pass(1.5)
            self.assertLess(self.processor_time(manager.pid) - before, 0.3)
            self.assertIn("cannot accept connections", manager.output())
            resource.prlimit(manager.pid, resource.RLIMIT_NOFILE, limit)
            for connection in connections:
                connection.close()
            self.assertEqual(manager.ask("GET", "/healthz").status, 200)

    def test_where_descriptors_are_few_connections_are_and_the_log_keeps_its_own(self):
        with support.Manager(prefix=["prlimit", "--nofile=300:300"]) as manager:
            connections = [raw.Raw(manager.address) for _ in range(44)]
            refused = raw.Raw(manager.address)
            self.assertEqual(refused.answer()[0], 429)
            for connection in [*connections, refused]:
                connection.close()
            support.wait_until("a place", lambda: manager.ask("GET", "/healthz").status == 200)
            manager.set_up()

    def processor_time(self, pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    support.main()
