"""A manager behind a reverse proxy (HTTP 3.5, `public_url` and `trusted_proxies`): cookie, Origin,
Host, what is only for this machine, and whom guessing slows down are right; and a stranger who says
that he is a proxy is not believed."""

import http.client
import json
import pathlib
import ssl
import tempfile
import unittest

import proxy
import raw
import support
import tls
from support import PASSWORD

SITE = "https://cpm.example"
OWNER, ATTACKER, STRANGER = "203.0.113.5", "198.51.100.66", "198.51.100.99"


class Behind(unittest.TestCase):
    def setUp(self):
        self.manager = self.start("--trusted-proxies", "127.0.0.1,10.0.0.0/8")
        self.proxy = self.front(self.manager)

    def start(self, *args):
        manager = support.Manager(args=["--public-url", SITE, *args]).set_up()
        self.addCleanup(manager.close)
        return manager

    def front(self, manager, **options):
        """A proxy before it, over TLS."""
        front = proxy.Proxy(manager.address, context, **options)
        self.addCleanup(front.close)
        return front

    def ask(self, method, path, body=None, front=None, caller=OWNER, host="cpm.example", **more):
        """A request of somebody's, through the proxy."""
        front = front or self.proxy
        front.caller = caller
        client = ssl.create_default_context(cafile=str(certificate[0]))
        connection = http.client.HTTPSConnection(*front.address, context=client, timeout=30)
        headers = {"Host": host, **more.get("headers", {})}
        text = None if body is None else json.dumps(body)
        if text is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        answer = support.Answer(answer.status, answer.headers, answer.read())
        connection.close()
        return answer

    def sign_in(self, password=PASSWORD, **options):
        return self.ask("POST", "/api/v1/session", {"username": "alice", "password": password},
                        **options)

    def cookie(self, **options):
        answer = self.sign_in(**options)
        self.assertEqual(answer.status, 200, answer)
        return answer.headers["Set-Cookie"].split(";")[0]

    # --- the cookie, and where changes come from ---

    def test_the_cookie_is_the_secure_sites(self):
        answer = self.sign_in()
        pair, *attributes = answer.headers["Set-Cookie"].split("; ")
        self.assertRegex(pair, r"^__Host-cpm=[A-Za-z0-9_-]{43,}$")
        self.assertLessEqual({"Secure", "HttpOnly", "SameSite=Strict", "Path=/"}, set(attributes))
        self.assertIn("max-age=", answer.headers["Strict-Transport-Security"])
        for name, status in (("__Host-cpm", 200), ("cpm", 401), ("__host-cpm", 401)):
            value = f"{name}={pair.split('=')[1]}"
            asked = self.ask("GET", "/api/v1/session", headers={"Cookie": value})
            self.assertEqual(asked.status, status, name)
        # On this machine itself, without TLS, it is another cookie.
        direct = self.manager.ask("POST", "/api/v1/session", {
            "username": "alice", "password": PASSWORD})
        self.assertTrue(direct.headers["Set-Cookie"].startswith("cpm="))
        self.assertNotIn("Secure", direct.headers["Set-Cookie"])
        self.assertIsNone(direct.headers["Strict-Transport-Security"])

    def test_a_change_comes_from_the_public_site(self):
        for keeps_host in (True, False):
            front = self.front(self.manager, keeps_host=keeps_host)
            cookie = {"Cookie": self.cookie(front=front)}
            backend = "http://%s:%s" % self.manager.address
            for origin, status in ((SITE, 404), ("https://evil.example", 403), (backend, 403),
                                   ("http://cpm.example", 403), ("null", 403),
                                   (SITE + ".evil.example", 403), (None, 403)):
                fields = cookie | ({"Origin": origin} if origin else {})
                answer = self.ask("POST", "/api/v1/notifications/none/dismiss", front=front,
                                  headers=fields)
                self.assertEqual(answer.status, status, (keeps_host, origin))

    def test_a_session_planted_before_signing_in_is_not_taken_over(self):
        planted = {"Cookie": f"__Host-cpm={'A' * 43}"}
        answer = self.ask("POST", "/api/v1/session", {"username": "alice", "password": PASSWORD},
                          headers=planted)
        self.assertEqual(answer.status, 200)
        self.assertNotIn("A" * 43, answer.headers["Set-Cookie"])
        self.assertEqual(self.ask("GET", "/api/v1/session", headers=planted).status, 401)
        # Nor is one that counts given to the next who signs in with it.
        first = answer.headers["Set-Cookie"].split(";")[0]
        again = self.ask("POST", "/api/v1/session", {"username": "alice", "password": PASSWORD},
                         headers={"Cookie": first, "Origin": SITE})
        self.assertNotEqual(again.headers["Set-Cookie"].split(";")[0], first)

    def test_a_name_that_is_not_this_sites_is_not_answered(self):
        for host, status in (("cpm.example", 200), ("cpm.example:443", 200), ("evil.example", 421),
                             ("cpm.example.evil.example", 421), ("198.51.100.66", 421)):
            self.assertEqual(self.ask("GET", "/healthz", host=host).status, status, host)

    # --- who calls ---

    def test_guessing_slows_down_the_guesser_and_not_the_owner(self):
        self.cookie(caller=OWNER)  # somewhere the owner signs in from
        failed = 0
        while True:  # until the pause is long enough for all that is asked below
            answer = self.sign_in("wrong wrong", caller=ATTACKER)
            if answer.status == 429 and answer["remaining_seconds"] > 4:
                break
            failed += answer.status == 401
            support.let_pass(answer["remaining_seconds"] if answer.status == 429 else 0)
        for caller in (ATTACKER, STRANGER):
            refused = self.sign_in(caller=caller)
            self.assertEqual((refused.status, refused["type"]), (429, "/problems/throttled"))
        # Claiming to be the owner, or this machine, is no way around.
        for claim in (OWNER, "127.0.0.1", "::1", "nonsense"):
            answer = self.sign_in(caller=ATTACKER, headers={"X-Forwarded-For": claim})
            self.assertEqual(answer.status, 429, claim)
        self.assertEqual(self.sign_in(caller=OWNER).status, 200)
        told = [event["data"]["address"] for event in self.manager.events(type="SignInFailed")]
        self.assertEqual(told, [ATTACKER] * failed)
        self.assertGreaterEqual(failed, 8)
        told = {event["data"]["address"] for event in self.manager.events(type="SignedIn")}
        self.assertEqual(told, {"127.0.0.1", OWNER})

    def test_agents_come_through_it_over_tls_and_not_plainly(self):
        server = self.manager.add_server("far", mac_addresses=["52:54:00:00:04:01"])["id"]
        token = self.manager.api("POST", f"/servers/{server}/join-token")
        self.assertIn(f"cpm-agent join {SITE} --token", token["command"])
        join = {"join_token": token["join_token"], "hostname": "far",
                "mac_addresses": ["52:54:00:00:04:01"]}
        plain = self.front(self.manager, scheme="http")
        answer = self.ask("POST", "/agent/v1/join", join, front=plain, caller=STRANGER)
        self.assertEqual((answer.status, answer["type"]), (403, "/problems/not-allowed"))
        joined = self.ask("POST", "/agent/v1/join", join, caller=STRANGER)
        self.assertEqual(joined.status, 200, joined)
        fields = {"Authorization": f"Bearer {joined['agent_token']}"}
        answer = self.ask("POST", "/agent/v1/heartbeat", {"status": "ON"}, caller=STRANGER,
                          headers=fields)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.manager.server(server)["agent"]["address"], STRANGER)

    def test_a_proxy_that_does_not_say_how_serves_the_public_url(self):
        front = self.front(self.manager, scheme=None)
        self.assertTrue(self.sign_in(front=front).headers["Set-Cookie"].startswith("__Host-cpm="))

    def test_what_it_says_and_nobody_can_read_is_refused(self):
        for fields in (("X-Forwarded-For: unknown",), ("X-Forwarded-For:",),
                       ("X-Forwarded-Proto: https",),
                       ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: gopher"),
                       ("X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http",
                        "X-Forwarded-Proto: https")):
            with raw.Raw(self.manager.address) as connection:
                connection.request("GET /healthz HTTP/1.1", *fields)
                status, answer, body = connection.answer()
                self.assertEqual((status, answer["connection"]), (400, "close"), body)
                self.assertIn(b"orwarded-", body)
                self.assertTrue(connection.is_closed())

    # --- whom nobody trusts ---

    def test_nobody_is_a_proxy_who_was_not_configured_as_one(self):
        manager = self.start()
        front = self.front(manager)
        answer = self.sign_in(front=front, caller=STRANGER)
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(answer.headers["Set-Cookie"].startswith("cpm="))
        self.assertIsNone(answer.headers["Strict-Transport-Security"])
        told = {event["data"]["address"] for event in manager.events(type="SignedIn")}
        self.assertEqual(told, {"127.0.0.1"})
        answer = manager.ask("GET", "/healthz", headers={"X-Forwarded-For": "unknown"})
        self.assertEqual(answer.status, 200)

    def test_a_network_that_is_none_is_named_at_the_start(self):
        for value in ("cpm.example", "10.0.0.0/33", "0.0.0.0/0", "10.0.0.0/8 ::1"):
            manager = support.Manager(started=False)
            self.addCleanup(manager.close)
            manager.start(args=["--trusted-proxies", value], ready=False)
            self.assertEqual(manager.process.wait(timeout=20), 2)
            self.assertIn("--trusted-proxies: expected addresses or networks", manager.output())
            manager.kill()


if __name__ == "__main__":
    support.need_program("openssl")
    with tempfile.TemporaryDirectory() as folder:
        certificate = tls.make_certificate(pathlib.Path(folder), "proxy")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        support.main()
