"""Who may call what (HTTP 3.1, 3.5): credentials and their places, roles, changes that another site
makes a browser send, passwords, and how sessions end."""

import json
import os
import pathlib
import time
import unittest

import raw
import support
from support import PASSWORD

EVERY_ROLE = ("viewer", "operator", "admin")


class Callers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager().set_up()
        cls.addClassCleanup(cls.manager.close)
        cls.origin = f"http://{cls.manager.address[0]}:{cls.manager.address[1]}"

    def ask(self, *args, **options):
        return self.manager.ask(*args, **options)

    def sign_in(self):
        answer = self.ask("POST", "/api/v1/session", {"username": "alice", "password": PASSWORD})
        self.assertIn(answer.status, (200, 201), answer)
        return answer.headers["Set-Cookie"]

    def cookie(self):
        return self.sign_in().split(";")[0]

    def token(self, role, **fields):
        made = self.manager.api("POST", "/tokens", {"name": f"a {role}", "role": role, **fields})
        self.assertEqual(made.status, 201, made)
        return made.json

    def agent(self, name, number):
        server = self.manager.add_server(name, mac_addresses=[f"52:54:00:00:01:{number:02x}"])
        return self.manager.join(server["id"], mac=f"52:54:00:00:01:{number:02x}")

    # --- credentials in their places ---

    def test_neither_token_works_in_the_others_place(self):
        agent = self.agent("places", 1)
        agent.say()
        for token in (self.manager.token, "cpm_agent_nonsense", ""):
            for method, path in (("POST", "/agent/v1/heartbeat"), ("GET", "/agent/v1/manifest")):
                answer = self.ask(method, path, {"status": "ON"} if method == "POST" else None,
                                  headers={"Authorization": f"Bearer {token}"})
                self.assertEqual(answer.status, 401, answer)
                self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
        for path in ("/api/v1/servers", "/api/v1/events", "/api/v1/stream", "/api/v1/session"):
            self.assertEqual(self.ask("GET", path, token=agent.token).status, 401)
        for headers in ({"Cookie": self.cookie()}, {"Authorization": "Basic YWxpY2U6eA=="},
                        {"Authorization": self.manager.token}, {}):
            self.assertEqual(self.ask("POST", "/agent/v1/heartbeat", {"status": "ON"},
                                      headers=headers).status, 401)

    def test_a_bad_bearer_is_not_made_good_by_a_cookie(self):
        headers = {"Cookie": self.cookie(), "Authorization": "Bearer wrong"}
        self.assertEqual(self.ask("GET", "/api/v1/servers", headers=headers).status, 401)

    def test_an_agent_is_told_whether_it_was_revoked_or_its_server_removed(self):
        revoked, removed = self.agent("revoked", 2), self.agent("removed", 3)
        ended = self.manager.api("DELETE", f"/servers/{revoked.server_id}/agent")
        self.assertEqual(ended.status, 200)
        self.assertEqual(revoked.heartbeat().status, 401)
        gone = self.manager.api("DELETE", f"/servers/{removed.server_id}?force=true")
        self.assertIn(gone.status, (200, 204), gone)
        answer = removed.heartbeat()
        self.assertEqual((answer.status, answer["type"]), (410, "/problems/gone"))

    def test_each_route_is_for_the_roles_it_declares(self):
        server = self.manager.add_server("roles")["id"]
        tokens = {role: self.token(role)["token"] for role in EVERY_ROLE}
        calls = [("viewer", "GET", "/servers", None), ("viewer", "GET", f"/servers/{server}", None),
                 ("viewer", "GET", "/events", None), ("viewer", "GET", "/notifications", None),
                 ("viewer", "GET", "/head", None), ("viewer", "GET", "/settings", None),
                 ("operator", "PUT", f"/servers/{server}/power", {"power_status": "NO"}),
                 ("operator", "POST", "/notifications/none/dismiss", None),
                 ("admin", "POST", "/servers", {"nonsense": 1}),
                 ("admin", "PATCH", f"/servers/{server}", {"nonsense": 1}),
                 ("admin", "DELETE", "/servers/srv_0000000000000001", None),
                 ("admin", "POST", f"/servers/{server}/join-token", {"nonsense": 1}),
                 ("admin", "DELETE", "/servers/srv_0000000000000001/agent", None),
                 ("admin", "POST", "/servers/srv_0000000000000001/agent/reinstate", None),
                 ("admin", "GET", "/tokens", None), ("admin", "POST", "/tokens", {"nonsense": 1}),
                 ("admin", "DELETE", "/tokens/tok_none", None),
                 ("admin", "PATCH", "/settings", {"nonsense": 1}),
                 ("admin", "POST", "/rollback/accept", None)]
        for least, method, path, body in calls:
            with self.subTest(call=f"{method} {path}"):
                self.assertEqual(self.ask(method, "/api/v1" + path, body).status, 401)
                for role in EVERY_ROLE:
                    answer = self.ask(method, "/api/v1" + path, body, token=tokens[role])
                    if EVERY_ROLE.index(role) < EVERY_ROLE.index(least):
                        self.assertEqual((answer.status, answer["type"]),
                                         (403, "/problems/not-allowed"))
                    else:
                        self.assertNotIn(answer.status, (401, 403, 500), answer)

    def test_a_token_ends_when_it_is_revoked_or_expires(self):
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        revoked, expiring = self.token("viewer"), self.token("viewer", expires_at=soon)
        for made in (revoked, expiring):
            self.assertEqual(self.ask("GET", "/api/v1/head", token=made["token"]).status, 200)
        self.assertEqual(self.manager.api("DELETE", f"/tokens/{revoked['id']}").status, 200)
        self.assertEqual(self.ask("GET", "/api/v1/head", token=revoked["token"]).status, 401)
        support.wait_until("the token to expire", lambda: self.ask(
            "GET", "/api/v1/head", token=expiring["token"]).status == 401)

    def test_a_credential_that_ends_while_the_body_comes_has_ended(self):
        token, agent = self.token("admin"), self.agent("revoked meanwhile", 9)
        agent.say()
        cookie, server = self.cookie(), self.manager.add_server("meanwhile")["id"]
        body = json.dumps({"power_status": "ON"})
        line = f"PUT /api/v1/servers/{server}/power HTTP/1.1"
        calls = [(line, (f"Authorization: Bearer {token['token']}",)),
                 (line, (f"Cookie: {cookie}", f"Origin: {self.origin}")),
                 ("POST /agent/v1/heartbeat HTTP/1.1", (f"Authorization: Bearer {agent.token}",))]
        connections = [raw.Raw(self.manager.address) for _ in calls]
        for connection, (line, fields) in zip(connections, calls):
            connection.request(line, *fields, "Content-Type: application/json",
                               f"Content-Length: {len(body)}", body=body[:5])
        served = raw.Raw(self.manager.address)
        served.request()
        self.assertEqual(served.answer()[0], 200)  # the heads above came before
        for ended in (self.manager.api("DELETE", f"/tokens/{token['id']}"),
                      self.ask("DELETE", "/api/v1/session",
                               headers={"Cookie": cookie, "Origin": self.origin}),
                      self.manager.api("DELETE", f"/servers/{agent.server_id}/agent")):
            self.assertEqual(ended.status, 200, ended)
        head = self.manager.api("GET", "/head")["sequence"]
        for connection in connections:
            connection.send(body[5:])
            self.assertEqual(connection.answer()[0], 401)
        for connection in (*connections, served):
            connection.close()
        self.assertEqual(self.manager.api("GET", "/head")["sequence"], head)

    # --- sessions ---

    def test_the_cookie_is_for_this_site_alone(self):
        attributes = self.sign_in().split("; ")
        name, value = attributes[0].split("=")
        self.assertEqual(name, "cpm")
        self.assertGreaterEqual(len(value), 43)  # 256 bits in base64url
        self.assertLessEqual({"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"},
                             set(attributes))
        self.assertFalse([a for a in attributes if a.startswith("Domain")])

    def test_two_cookies_of_our_name_are_none(self):
        cookie = self.cookie()
        for value, status in ((cookie, 200), (f"a=b; {cookie}; c=d", 200),
                              (f"{cookie}; cpm=x", 401), (f"cpm=x; {cookie}", 401),
                              (f"__Host-{cookie}", 401),
                              (cookie.upper(), 401)):
            answer = self.ask("GET", "/api/v1/session", headers={"Cookie": value})
            self.assertEqual(answer.status, status, value)

    def test_signing_out_ends_the_session_and_no_other(self):
        first, second = self.cookie(), self.cookie()
        out = self.ask("DELETE", "/api/v1/session",
                       headers={"Cookie": first, "Origin": self.origin})
        self.assertIn(out.status, (200, 204), out)
        for cookie, status in ((first, 401), (second, 200)):
            self.assertEqual(self.ask("GET", "/api/v1/session", headers={"Cookie": cookie}).status,
                             status)

    def test_a_session_and_a_token_survive_a_restart(self):
        with support.Manager() as manager:
            manager.set_up()
            cookie = manager.ask("POST", "/api/v1/session", {
                "username": "alice", "password": PASSWORD}).headers["Set-Cookie"].split(";")[0]
            self.assertEqual(manager.stop(), 0)
            manager.start()
            self.assertEqual(manager.ask("GET", "/api/v1/session", headers={
                "Cookie": cookie}).status, 200)
            self.assertEqual(manager.api("GET", "/head").status, 200)

    # --- changes from elsewhere ---

    def test_a_change_with_a_cookie_must_come_from_this_site(self):
        cookie = self.cookie()
        path = "/api/v1/notifications/none/dismiss"
        foreign = [{}, {"Origin": "http://evil.example"}, {"Origin": "null"},
                   {"Origin": self.origin.replace("http", "https")}, {"Origin": self.origin + "0"},
                   {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                   {"Sec-Fetch-Site": "none"},
                   {"Origin": self.origin, "Sec-Fetch-Site": "cross-site"},
                   {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}]
        for headers in foreign:
            answer = self.ask("POST", path, headers={"Cookie": cookie, **headers})
            self.assertEqual(answer.status, 403, headers)
            self.assertEqual(answer["type"], "/problems/not-allowed")
        for headers in ({"Origin": self.origin}, {"Sec-Fetch-Site": "same-origin"},
                        {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}):
            answer = self.ask("POST", path, headers={"Cookie": cookie, **headers})
            self.assertEqual(answer.status, 404, headers)
        self.assertEqual(self.ask("POST", path, token=self.manager.token).status, 404)
        self.assertEqual(self.ask("GET", "/api/v1/servers", headers={
            "Cookie": cookie, "Sec-Fetch-Site": "cross-site"}).status, 200)

    def test_another_site_cannot_sign_a_browser_in(self):
        answer = self.ask("POST", "/api/v1/session", {"username": "alice", "password": PASSWORD},
                          headers={"Origin": "http://evil.example"})
        self.assertEqual(answer.status, 403)
        self.assertNotIn("Set-Cookie", answer.headers)

    # --- passwords ---

    def test_guessing_slows_down_and_says_for_how_long(self):
        with support.Manager() as manager:
            manager.set_up()

            def guess(password="wrong wrong wrong"):
                return manager.ask("POST", "/api/v1/session", {
                    "username": "alice", "password": password})

            free = 0
            while (refused := guess()).status == 401:
                free += 1  # a slow machine may outlast the first pauses, which double
                self.assertLess(free, 12)
            self.assertGreaterEqual(free, 5)
            self.assertEqual((refused.status, refused["type"]), (429, "/problems/throttled"))
            self.assertEqual(int(refused.headers["Retry-After"]), refused["remaining_seconds"])
            self.assertLessEqual(refused["remaining_seconds"], 2 ** (free - 5))
            answer = support.wait_until("the pause to end", lambda: (
                lambda a: a if a.status != 429 else None)(guess(PASSWORD)))
            self.assertIn(answer.status, (200, 201))
            self.assertEqual(guess().status, 401)  # forgiven: the next five are free again
            failed = manager.events(type="SignInFailed")
            self.assertEqual(len(failed), free + 1)  # what was not looked at is no event

    def test_a_name_that_does_not_exist_takes_as_long(self):
        def processor_time(manager):
            """Seconds; unlike the answer's time, the same on a busy machine."""
            threads = pathlib.Path(f"/proc/{manager.pid}/task").glob("*/schedstat")
            return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

        def took(manager, name):
            start = processor_time(manager)
            answer = manager.ask("POST", "/api/v1/session", {
                "username": name, "password": "wrong wrong wrong"})
            self.assertEqual(answer.status, 401)
            return processor_time(manager) - start, answer.json

        with support.Manager() as manager:
            manager.set_up()
            known, unknown = [], []
            for i in range(2):
                known.append(took(manager, "alice"))
                unknown.append(took(manager, f"nobody{i}"))
            self.assertEqual({json.dumps(j) for _, j in known}, {json.dumps(j) for _, j in unknown})
            fastest_known, fastest_unknown = (min(t for t, _ in all_) for all_ in (known, unknown))
            self.assertGreaterEqual(fastest_known, 0.01)  # it was hashed
            self.assertTrue(0.4 < fastest_unknown / fastest_known < 2.5, (known, unknown))

    def test_the_door_stays_open_while_passwords_are_looked_at(self):
        with support.Manager() as manager:
            manager.set_up()
            body = json.dumps({"username": "alice", "password": PASSWORD})
            connections = [raw.Raw(manager.address) for _ in range(30)]
            for connection in connections:
                connection.request(
                    "POST /api/v1/session HTTP/1.1", "Content-Type: application/json",
                    f"Content-Length: {len(body)}", body=body)
            start = time.monotonic()
            self.assertEqual(manager.ask("GET", "/healthz").status, 200)
            self.assertLess(time.monotonic() - start, 1)
            statuses = [connection.answer()[0] for connection in connections]
            for connection in connections:
                connection.close()
            self.assertLessEqual(set(statuses), {200, 201, 429})
            self.assertGreater(sum(status < 300 for status in statuses), 3)
            self.assertIn(429, statuses)


if __name__ == "__main__":
    support.main()
