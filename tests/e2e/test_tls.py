"""The TLS listener (HTTP 3.5) told from outside: whom a client can trust, what it is spared, and
that the door behind it is the same."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import warnings

import raw
import support
import tls

support.need_program("openssl", "ip")
JSON = "Content-Type: application/json"
A_SECOND_OF_GRACE = 1  # in which the manager lets a peer read the last word


def own_addresses():
    """This machine's addresses but link-local ones, as `ip` lists them."""
    listed = json.loads(subprocess.run(["ip", "-json", "address", "show", "up"], check=True,
                                       capture_output=True).stdout)
    return [entry["local"] for interface in listed for entry in interface.get("addr_info", [])
            if entry["scope"] != "link"]


class Listener(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager(args=tls.LISTEN).set_up()
        cls.addClassCleanup(cls.manager.close)
        cls.bearer = f"Authorization: Bearer {cls.manager.token}"

    def open(self, **options):
        connection = tls.Connection(self.manager, **options)
        self.addCleanup(connection.close)
        return connection

    def open_plain(self):
        connection = raw.Raw(tls.address_of(self.manager))
        self.addCleanup(connection.close)
        return connection

    # --- whom to trust ---

    def test_the_chain_leads_to_the_pinned_authority_and_is_for_the_fixed_name(self):
        own, authority = tls.chain_of(self.manager)
        self.assertEqual(tls.fingerprint(authority), self.manager.ready["ca_pin"])
        self.assertIn(self.manager.ready["ca_pin"], self.manager.output())
        self.assertIn(f"https://{self.manager.ready['https']}", self.manager.output())
        self.assertNotEqual(own, authority)
        self.open(name="cpm-manager").request()
        for name in ("localhost", socket.gethostname().lower(), *own_addresses()):
            with self.subTest(name=name):
                connection = self.open(name=name)
                connection.request()
                self.assertEqual(connection.answer()[0], 200)
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.open(name="evil.example")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.open(context=ssl.create_default_context())

    def test_keys_are_the_managers_alone(self):
        for name in ("ca.key", "ca.crt"):
            mode = (tls.authority_of(self.manager).parent / name).stat().st_mode
            self.assertEqual(mode & 0o777, 0o600)

    def test_only_tls_1_2_and_1_3_with_forward_secrecy(self):
        def speaks(version, ciphers=None):
            context = tls.trusting(tls.authority_of(self.manager))
            context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # tried on purpose
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = version
            try:
                return self.open(context=context).socket.version()
            except ssl.SSLError as error:
                return error.reason

        self.assertEqual(speaks(ssl.TLSVersion.MAXIMUM_SUPPORTED), "TLSv1.3")
        self.assertEqual(speaks(ssl.TLSVersion.TLSv1_2), "TLSv1.2")
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            self.assertEqual(speaks(old), "TLSV1_ALERT_PROTOCOL_VERSION")
        for weak in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-NULL-SHA"):
            refused = speaks(ssl.TLSVersion.TLSv1_2, f"{weak}:@SECLEVEL=0")
            self.assertEqual(refused, "SSLV3_ALERT_HANDSHAKE_FAILURE", weak)

    # --- what is no TLS ---

    def test_plain_http_is_closed_cleanly(self):
        for text in ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "rubbish " * 20_000,
                     "\x16\x03\x01\x00\x02", "\x00" * 4096):
            connection = self.open_plain()
            with contextlib.suppress(BrokenPipeError):
                connection.send(text)
            connection.socket.shutdown(socket.SHUT_WR)
            received = b""
            while data := connection.socket.recv(4096):  # raises when the connection was broken
                received += data
            self.assertNotIn(b"HTTP", received)

    def test_hello_cut_short_or_altered_harms_nobody(self):
        seed = int.from_bytes(os.urandom(4), "big")
        print(f"seed {seed}")
        draw = random.Random(seed)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = tls.trusting(tls.authority_of(self.manager)).wrap_bio(
            incoming, outgoing, server_hostname="cpm-manager")
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        hello = outgoing.read()
        for _ in range(200):
            altered = bytearray(hello[:draw.randrange(len(hello) + 1)])
            for _ in range(draw.randrange(4)):
                if altered:
                    altered[draw.randrange(len(altered))] = draw.randrange(256)
            connection = self.open_plain()
            connection.send(bytes(altered))
            connection.close()
        connection = self.open()
        connection.request()
        self.assertEqual(connection.answer()[0], 200)

    def test_slow_beginnings_share_one_deadline(self):
        def until_closed(connection, give_up=20):
            connection.socket.settimeout(give_up)
            with contextlib.suppress(ssl.SSLError, ConnectionResetError):
                while connection.socket.recv(4096):
                    pass

        def silent(connection):
            until_closed(connection)

        def trickling(connection):
            """A hello that never ends: a byte each quarter of a second."""
            connection.socket.settimeout(0.25)
            for byte in b"\x16\x03\x01\x02\x00\x01" + bytes(100):
                try:
                    connection.send(bytes([byte]))
                    if not connection.socket.recv(1):
                        return
                except TimeoutError:
                    continue
                except OSError:
                    return

        def half(connection):
            """Three seconds for the keys leave two for the head."""
            support.let_pass(3)
            connection.shake_hands()
            connection.send("GET /healthz HTTP/1.1\r\n")
            self.assertEqual(connection.answer()[0], 408)
            until_closed(connection)

        def timed(story):
            connection = self.open(handshake=False)
            start = time.monotonic()
            story(connection)
            return time.monotonic() - start

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for took in pool.map(timed, (silent, trickling, half)):
                self.assertTrue(4.5 < took < 6.5 + A_SECOND_OF_GRACE, took)

    # --- the same door ---

    def test_hsts_on_every_response_over_tls_and_on_none_without(self):
        connection = self.open()
        for line, fields in (("GET /healthz HTTP/1.1", ()), ("GET /nothing HTTP/1.1", ()),
                             ("GET /api/v1/servers HTTP/1.1", ()),
                             ("GET /api/v1/servers HTTP/1.1", (self.bearer,)),
                             ("TRACE / HTTP/1.1", ())):
            connection.request(line, *fields)
            hsts = connection.answer()[1]["strict-transport-security"]
            self.assertGreaterEqual(int(hsts.removeprefix("max-age=")), 180 * 86400)
        self.assertNotIn("strict-transport-security", self.manager.ask("GET", "/healthz").headers)

    def test_bodies_answers_and_requests_sent_ahead(self):
        connection = self.open()
        body = json.dumps({"name": "x" * 60_000})
        for _ in range(3):
            connection.request("POST /api/v1/servers HTTP/1.1", self.bearer, JSON,
                               f"Content-Length: {len(body)}", body=body)
            connection.request("GET /api/openapi.json HTTP/1.1")
        for _ in range(3):
            self.assertEqual(connection.answer()[0], 422)
            status, _, text = connection.answer()
            self.assertEqual(status, 200)
            self.assertEqual(json.loads(text)["openapi"][:3], "3.1")

    def test_every_end_says_goodbye(self):
        connection = self.open()
        connection.request("GET /healthz HTTP/1.1", "Connection: close")
        self.assertEqual(connection.answer()[0], 200)
        self.assertTrue(connection.is_closed())
        refused = self.open()
        refused.request("POST /api/v1/servers HTTP/1.1", self.bearer, JSON,
                        "Content-Length: 200000", body="x" * 200_000)
        self.assertEqual(refused.answer()[0], 413)
        self.assertTrue(refused.is_closed())

    def test_the_event_stream(self):
        stream = self.open()
        stream.request("GET /api/v1/stream HTTP/1.1", self.bearer)
        self.assertEqual(stream.answer()[0], 200)
        stream.events(lambda event: event[0] == "snapshot")
        added = self.manager.add_server("streamed", mac_addresses=["52:54:00:00:00:09"])
        events = stream.events(lambda event: event[0] == "server")
        self.assertEqual(events[-1][1]["id"], added["id"])

    def test_a_peer_that_vanishes_costs_nothing(self):
        for _ in range(20):
            connection = self.open()
            connection.request("POST /api/v1/servers HTTP/1.1", self.bearer, JSON,
                               "Content-Length: 100", body="{")
            descriptor = socket.socket(fileno=connection.socket.detach())
            descriptor.close()  # without TLS's goodbye
        stream = self.open()
        stream.request("GET /api/v1/stream HTTP/1.1", self.bearer)
        stream.answer()
        socket.socket(fileno=stream.socket.detach()).close()
        connection = self.open()
        connection.request()
        self.assertEqual(connection.answer()[0], 200)

    def test_an_idle_connection_costs_at_most_128_kib(self):
        def memory():
            text = pathlib.Path(f"/proc/{self.manager.pid}/smaps_rollup").read_text()
            return int(text.split("Pss:")[1].split()[0])

        context = tls.trusting(tls.authority_of(self.manager))
        before = memory()
        for _ in range(100):
            connection = self.open(context=context)
            connection.request()
            connection.answer()
        each = (memory() - before) / 100
        print(f"an idle TLS connection costs {each:.0f} KiB")
        self.assertLess(each, 128)

    # --- join lines ---

    def test_the_join_line_leads_here_with_the_pin_and_not_to_loopback(self):
        server = self.manager.add_server("joined")["id"]
        made = self.manager.api("POST", f"/servers/{server}/join-token", {})
        words = made["command"].split()
        pin = self.manager.ready["ca_pin"]
        self.assertEqual(words[3:], ["--token", made["join_token"], "--ca-pin", pin])
        port = tls.address_of(self.manager)[1]
        lan = [address for address in own_addresses() if address not in ("127.0.0.1", "::1")]
        hosts = [f"[{address}]" if ":" in address else address for address in lan or ["127.0.0.1"]]
        self.assertIn(words[2], [f"https://{host}:{port}" for host in hosts])


class Cookies(unittest.TestCase):
    def test_the_cookie_over_tls_is_bound_to_this_host_and_to_tls(self):
        with support.Manager(args=tls.LISTEN) as manager:
            def ask(method, path, body=None, **headers):
                connection = http.client.HTTPSConnection(
                    *tls.address_of(manager), context=tls.trusting(tls.authority_of(manager)))
                with contextlib.closing(connection):
                    connection.request(method, path, body and json.dumps(body), {
                        "Content-Type": "application/json", **headers})
                    answer = connection.getresponse()
                    return support.Answer(answer.status, answer.headers, answer.read())

            first = ask("POST", "/api/v1/setup", {
                "setup_code": manager.ready["setup_code"], "username": "alice",
                "password": support.PASSWORD})
            self.assertEqual(first.status, 201)
            cookie, *attributes = first.headers["Set-Cookie"].split("; ")
            self.assertTrue(cookie.startswith("__Host-cpm="))
            for attribute in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
                self.assertIn(attribute, attributes)
            self.assertFalse([word for word in attributes if word.startswith("Domain")])

            token = {"name": "t", "role": "viewer"}
            host = "127.0.0.1:%d" % tls.address_of(manager)[1]
            plain = f"http://{host}"
            for expected, headers in (
                    (403, {"Cookie": cookie}), (403, {"Cookie": cookie, "Origin": plain}),
                    (401, {"Cookie": cookie[len("__Host-"):], "Origin": f"https://{host}"}),
                    (201, {"Cookie": cookie, "Origin": f"https://{host}"})):
                self.assertEqual(ask("POST", "/api/v1/tokens", token, **headers).status, expected)
            over_plain = manager.ask("GET", "/api/v1/session", headers={"Cookie": cookie})
            self.assertEqual(over_plain.status, 401)
            ended = ask("DELETE", "/api/v1/session", Cookie=cookie, Origin=f"https://{host}")
            self.assertIn("__Host-cpm=;", ended.headers["Set-Cookie"])


class Starts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cpm-tls-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def manager(self, *args):
        manager = support.Manager(args=args, started=False)
        self.addCleanup(manager.close)
        return manager

    def ends(self, manager, status, saying):
        """The manager does not start, and says why."""
        manager.start(ready=False)
        self.assertEqual(manager.process.wait(timeout=20), status, manager.output())
        manager.kill()
        self.assertIn(saying, manager.output())

    def refused(self, naming, *args):
        manager = self.manager(*args)
        self.ends(manager, 2, str(naming))
        self.assertFalse((pathlib.Path(manager.data) / "keys").exists())

    def test_the_authority_stays_and_its_certificate_is_made_anew(self):
        manager = self.manager(*tls.LISTEN)
        manager.start()
        pin, (first, authority) = manager.ready["ca_pin"], tls.chain_of(manager)
        for end in (manager.stop, manager.kill):
            end()
            manager.start()
            self.assertEqual(manager.ready["ca_pin"], pin)
            own, same = tls.chain_of(manager)
            self.assertEqual(same, authority)
            self.assertNotEqual(own, first)
        manager.stop()
        manager.args = []
        manager.start()
        self.assertEqual((manager.ready["https"], manager.ready["ca_pin"]), (None, None))

    def test_certificates_are_renewed_without_a_restart(self):
        certificate, key = tls.make_certificate(self.folder, "mine")
        given = ("--tls-certificate", certificate, "--tls-key", key)
        for args in ((), given):
            manager = self.manager(*tls.LISTEN, *args)
            manager.start()
            before = tls.chain_of(manager)
            open_before = raw.Raw(manager.address)
            self.addCleanup(open_before.close)
            if args:
                tls.make_certificate(self.folder, "mine")
            os.kill(manager.pid, signal.SIGHUP)
            support.wait_until("another certificate", lambda: tls.chain_of(manager)[0] != before[0])
            self.assertEqual(tls.chain_of(manager)[1:], before[1:])  # the authority's, if it is its
            if args:
                key.write_text("damaged")
                renewed = tls.chain_of(manager)
                os.kill(manager.pid, signal.SIGHUP)
                support.wait_until("a word", lambda: "stays as it was" in manager.output())
                self.assertIn(f"{key}: ", manager.output())
                self.assertEqual(tls.chain_of(manager), renewed)
            open_before.request()
            self.assertEqual(open_before.answer()[0], 200)
            self.assertEqual(manager.stop(), 0)

    def test_a_damaged_authority_is_named_and_not_replaced(self):
        manager = self.manager(*tls.LISTEN)
        manager.start()
        manager.stop()
        key = tls.authority_of(manager).parent / "ca.key"
        key.write_text("damaged")
        self.ends(manager, 5, f"{key}: is no private key")
        self.assertEqual(key.read_text(), "damaged")

    def test_a_given_certificate_is_shown_and_nothing_is_pinned(self):
        for kind in ("rsa:2048", "ec:"):
            options = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384")
            certificate, key = tls.make_certificate(
                self.folder, kind[:2], *(options if kind == "ec:" else ()))
            manager = self.manager(*tls.LISTEN, "--tls-certificate", certificate, "--tls-key", key)
            manager.start()
            manager.set_up()
            self.assertIsNone(manager.ready["ca_pin"])
            self.assertFalse(tls.authority_of(manager).exists())
            connection = tls.Connection(manager, tls.trusting(certificate), "given.example")
            self.addCleanup(connection.close)
            connection.request()
            self.assertEqual(connection.answer()[0], 200)
            server = manager.add_server("joined")["id"]
            made = manager.api("POST", f"/servers/{server}/join-token", {})
            self.assertNotIn("--ca-pin", made["command"])
            self.assertIn("https://", made["command"])

    def test_a_certificate_that_cannot_be_used_is_named(self):
        certificate, key = tls.make_certificate(self.folder, "mine")
        other = tls.make_certificate(self.folder, "other")[1]
        rubbish = self.folder / "rubbish"
        rubbish.write_text("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")
        locked = self.folder / "locked.key"
        subprocess.run(["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:x",
                        "-out", locked], check=True, capture_output=True)
        weak = tls.make_certificate(self.folder, "weak", "-newkey", "rsa:1024")
        for naming, *files in ((rubbish, rubbish, key), (other, certificate, other),
                               (locked, certificate, locked), (rubbish, certificate, rubbish),
                               (self.folder / "absent", self.folder / "absent", key),
                               (weak[0], *weak)):
            options = (*tls.LISTEN, "--tls-certificate", files[0], "--tls-key", files[1])
            self.refused(f"{naming}: ", *options)
            self.refused(f"{naming}: ", *options, "--check")
        self.refused("--tls-certificate: needs its tls_key", *tls.LISTEN, "--tls-certificate",
                     certificate)
        self.refused("--tls-key: needs its tls_certificate", *tls.LISTEN, "--tls-key", key)
        self.refused("--https: expected", "--https", "8443")

    def test_an_address_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            self.ends(self.manager("--https", address), 4, f"cannot listen on {address}")

    def test_a_stop_ends_what_is_open_at_once_and_says_goodbye(self):
        manager = self.manager(*tls.LISTEN)
        manager.start()
        manager.set_up()
        connections = [tls.Connection(manager, handshake=name != "silent")
                       for name in ("silent", "fresh", "idle", "streaming")]
        silent, fresh, idle, streaming = connections
        for connection in connections:
            self.addCleanup(connection.close)
        idle.request()
        idle.answer()
        streaming.request("GET /api/v1/stream HTTP/1.1", f"Authorization: Bearer {manager.token}")
        streaming.answer()
        streaming.events(lambda event: event[0] == "snapshot")
        start = time.monotonic()
        os.kill(manager.pid, signal.SIGTERM)
        for connection in (fresh, idle, streaming, silent):
            connection.buffer = b""
            self.assertTrue(connection.is_closed())
        self.assertEqual(manager.process.wait(timeout=20), 0)
        self.assertLess(time.monotonic() - start, 5)


LAN = [address for address in own_addresses() if ":" not in address and address != "127.0.0.1"]


@unittest.skipUnless(LAN, "this machine has no address but loopback")
class OtherMachines(unittest.TestCase):
    def test_agents_from_elsewhere_call_over_tls_alone(self):
        with support.Manager(listen="0.0.0.0:0", args=("--https", "0.0.0.0:0")) as manager:
            manager.address = ("127.0.0.1", manager.address[1])
            manager.set_up()
            agent = manager.join(manager.add_server("a")["id"])
            self.assertIn(f"https://{LAN[0]}:{tls.address_of(manager)[1]}/", manager.output())
            ways = {http.client.HTTPConnection(LAN[0], manager.address[1]): 403,
                    http.client.HTTPSConnection(
                        LAN[0], tls.address_of(manager)[1],
                        context=tls.trusting(tls.authority_of(manager))): 200}
            for connection, expected in ways.items():
                with contextlib.closing(connection):
                    connection.request("POST", "/agent/v1/heartbeat", json.dumps({
                        "status": "ON", "boot_id": agent.boot.boot_id, "resume_count": 0,
                        "report": 1}), {"Authorization": f"Bearer {agent.token}",
                                        "Content-Type": "application/json"})
                    answer = connection.getresponse()
                    self.assertEqual(answer.status, expected, answer.read())


if __name__ == "__main__":
    support.main()
