"""Who may call what (HTTP 3.5), all of it: every route that http/openapi.yaml describes, asked by
everybody there is. What each may is written here in words; which route is whose, in the document
(`x-access`, which the manager's own table is held to)."""

import email.message
import pathlib
import re
import time
import unittest

import contract
import raw
import support

ROLES = ("viewer", "operator", "admin")
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

VIEWERS = {"viewer session", "viewer token"}
OPERATORS = {"operator session", "operator token"}
ADMINS = {"admin session", "admin token"}
AGENTS = {"agent", "set-aside agent"}
# Whose credential is none, or none any more.
ENDED = {"nobody", "expired session", "signed-out session", "disabled user's session",
         "expired token", "revoked token", "revoked agent", "agent of a removed server"}
EVERYBODY = VIEWERS | OPERATORS | ADMINS | AGENTS | ENDED

# Who is let in, by what the document says of a route.
MAY = {
    "anyone": EVERYBODY,
    "joining": EVERYBODY,
    "viewer": VIEWERS | OPERATORS | ADMINS,
    "operator": OPERATORS | ADMINS,
    "admin": ADMINS,
    "agent": AGENTS,
}
# Who is known, and told that it is not allowed (403); all others are told to sign in (401).
KNOWN = VIEWERS | OPERATORS


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if contract.jsonschema is None:
            support.skip("python3-jsonschema is not installed: tools/setup --tests")
        if not pathlib.Path(FAKETIME).exists():
            support.skip("libfaketime is not installed: tools/setup --tests")
        cls.manager = support.Manager().set_up()
        cls.addClassCleanup(cls.manager.close)
        cls.last_week = {"expired session": cls.session("alice"),
                         "expired token": bearer(cls.token("admin", tomorrow())["token"])}
        # Eight days later: sessions last seven.
        assert cls.manager.stop() == 0
        cls.manager.env |= {"LD_PRELOAD": FAKETIME, "FAKETIME": "+8d", "DONT_FAKE_MONOTONIC": "1",
                            "ASAN_OPTIONS": "verify_asan_link_order=0"}
        cls.manager.start()
        cls.origin = {"Origin": "http://%s:%s" % cls.manager.address}
        cls.callers = {"nobody": {}, **cls.last_week, **cls.tokens(), **cls.agents(),
                       **cls.sessions()}
        assert set(cls.callers) == EVERYBODY, set(cls.callers) ^ EVERYBODY

    # --- everybody ---

    @classmethod
    def tokens(cls):
        """API tokens, and what became of some; each as the fields of a request."""
        made = {f"{role} token": cls.token(role) for role in ROLES}
        made["revoked token"] = cls.token("admin")
        ended = cls.manager.api("DELETE", f"/tokens/{made['revoked token']['id']}")
        assert ended.status == 200, ended
        return {name: bearer(token["token"]) for name, token in made.items()}

    @classmethod
    def token(cls, role, expires_at=None):
        made = cls.manager.api("POST", "/tokens", {
            "name": f"a {role}", "role": role, "expires_at": expires_at})
        assert made.status == 201, made
        return made.json

    @classmethod
    def agents(cls):
        agents = {name: cls.agent(number, name) for number, name in enumerate((
            "agent", "set-aside agent", "revoked agent", "agent of a removed server"))}
        cls.agent_of = {name: agent.server_id for name, agent in agents.items()}
        clone = agents["set-aside agent"]
        first, second = clone.boot, support.Boot()
        for boot in (second, first, second, first):  # two machines report as one server
            clone.boot = boot
            clone.heartbeat()
        assert cls.manager.server(clone.server_id)["set_aside"]
        ended = cls.manager.api("DELETE", f"/servers/{cls.agent_of['revoked agent']}/agent")
        assert ended.status == 200, ended
        gone = cls.manager.api(
            "DELETE", f"/servers/{cls.agent_of['agent of a removed server']}?force=true")
        assert gone.status == 200, gone
        return {name: bearer(agent.token) for name, agent in agents.items()}

    @classmethod
    def agent(cls, number, name):
        mac = f"52:54:00:00:03:{number:02x}"
        server = cls.manager.add_server(name, mac_addresses=[mac], heartbeat_interval_seconds=3600)
        agent = cls.manager.join(server["id"], mac=mac)
        assert agent.heartbeat().status == 200
        return agent

    @classmethod
    def sessions(cls):
        users = {"viewer session": "viewer", "operator session": "operator",
                 "admin session": "admin", "signed-out session": "admin",
                 "disabled user's session": "admin"}
        names = {name: name.replace(" ", "-").replace("'", "") for name in users}
        for name, role in users.items():
            made = cls.manager.api("POST", "/users", {
                "name": names[name], "role": role, "password": support.PASSWORD})
            assert made.status == 201, made
        callers = {name: cls.session(names[name]) for name in users}
        disabled = names["disabled user's session"]
        for ended in (
                cls.manager.ask("DELETE", "/api/v1/session",
                                headers=callers["signed-out session"] | cls.origin),
                cls.manager.api("PATCH", f"/users/{disabled}", {"disabled": True})):
            assert ended.status == 200, ended
        return callers

    @classmethod
    def session(cls, name):
        answer = cls.manager.ask("POST", "/api/v1/session", {
            "username": name, "password": support.PASSWORD})
        assert answer.status == 200, answer
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}

    # --- asking ---

    def ask(self, operation, fields, **more):
        """A request that reaches its handler when it is let in, and changes nothing there: to
        things that do not exist, or with a body that is refused."""
        path = re.sub(r"\{[^}]*\}", "nonsense", operation.path)
        body = {"nonsense": 1} if operation.body else None
        if operation.access == "agent" and operation.body:
            body = {"status": "nonsense"}
        if "text/event-stream" in operation.responses.get(200, {}).get("content", {}):
            return self.ask_stream(path, fields)
        change = self.origin if operation.method != "GET" else {}
        return self.manager.ask(operation.method, path, body, headers=fields | change | more)

    def ask_stream(self, path, fields):
        with raw.Raw(self.manager.address) as connection:
            connection.request(f"GET {path} HTTP/1.1", *[f"{k}: {v}" for k, v in fields.items()])
            status, told, body = connection.answer()
            headers = email.message.Message()
            for name, value in told.items():
                headers[name] = value
            return support.Answer(status, headers, body)

    def events_of_callers(self, after):
        return [event for event in self.manager.api("GET", f"/events?after={after}")["items"]
                if event["actor"]["kind"] in ("user", "token", "agent")]

    # --- the matrix ---

    def test_each_route_is_for_whom_it_is_declared_and_nobody_else(self):
        head = self.manager.api("GET", "/head")["sequence"]
        asked = 0
        for operation in contract.operations():
            may = MAY[operation.access]
            for name, fields in self.callers.items():
                if operation.name == "signOut" and name.endswith(" session"):
                    continue  # told below: it ends what the others need
                asked += 1
                with self.subTest(operation=repr(operation), caller=name):
                    answer = self.ask(operation, fields)
                    if name in may:
                        self.assertNotIn(answer.status, (401, 403), answer)
                        self.assertLess(answer.status, 500, answer)
                    else:
                        self.check_refused(operation, name, answer)
        self.assertGreater(asked, 18 * 30)
        self.assertEqual(self.events_of_callers(head), [])

    def check_refused(self, operation, name, answer):
        expected = 403 if name in KNOWN and operation.access != "agent" else 401
        if name == "agent of a removed server" and operation.access == "agent":
            expected = 410
        self.assertEqual(answer.status, expected, answer)
        self.assertEqual(answer["type"], {
            401: "/problems/not-signed-in", 403: "/problems/not-allowed",
            410: "/problems/gone"}[expected])
        self.assertEqual(answer.headers["WWW-Authenticate"], {401: "Bearer"}.get(expected))
        if expected == 401 and name != "expired token":  # nobody learns what there is
            nobody = self.ask(operation, {})
            self.assertEqual(answer.json["detail"], nobody.json["detail"])

    def test_an_agent_speaks_for_its_own_server_alone(self):
        """Whatever it writes into its requests: the server is the credential's."""
        other = self.agent(200, "other agent")
        mine = self.agent_of["agent"]
        before = self.manager.server(mine)
        for extra in ({"server_id": mine}, {"id": mine}, {"server": mine}):
            self.assertEqual(other.heartbeat("ON", **extra).status, 200)
        answer = self.manager.ask("GET", f"/agent/v1/manifest?server_id={mine}&wait=0",
                                  token=other.token)
        self.assertIn(answer.status, (200, 422), answer)
        after = self.manager.server(mine)
        for shown in (before, after):  # time goes on
            shown.pop("standby")
        self.assertEqual(before, after)

    def test_head_asks_as_get_does_and_is_not_for_agents(self):
        for operation in contract.operations():
            if operation.method != "GET" or operation.name == "getStream":
                continue
            path = re.sub(r"\{[^}]*\}", "nonsense", operation.path)
            for name in ("nobody", "viewer token", "admin token", "agent"):
                with self.subTest(operation=repr(operation), caller=name):
                    got = self.manager.ask("GET", path, headers=self.callers[name])
                    head = self.manager.ask("HEAD", path, headers=self.callers[name])
                    self.assertEqual(head.raw, b"")
                    if operation.access == "agent":
                        self.assertEqual((head.status, head.headers["Allow"]), (405, "GET"))
                    else:
                        self.assertEqual(head.status, got.status)

    def test_no_change_is_made_with_a_cookie_from_elsewhere(self):
        cookie = self.callers["admin session"]
        head = self.manager.api("GET", "/head")["sequence"]
        for operation in contract.operations():
            if operation.method == "GET" or operation.access in ("agent", "joining"):
                continue
            for fields in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"},
                           {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                           {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}):
                if not fields and operation.access == "anyone":
                    continue  # a script signs in without
                with self.subTest(operation=repr(operation), fields=fields):
                    path = re.sub(r"\{[^}]*\}", "nonsense", operation.path)
                    body = {"nonsense": 1} if operation.body else None
                    answer = self.manager.ask(operation.method, path, body, headers=cookie | fields)
                    self.assertEqual(answer.status, 403, answer)
        self.assertEqual(self.events_of_callers(head), [])

    def test_zz_signing_out_is_for_sessions(self):
        sign_out = contract.find("DELETE", "/api/v1/session")
        for name, fields in self.callers.items():
            if name.endswith(" session"):
                with self.subTest(caller=name):
                    expected = 200 if name in MAY["viewer"] else 401
                    self.assertEqual(self.ask(sign_out, fields).status, expected)
                    self.assertEqual(self.ask(sign_out, fields).status, 401)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def tomorrow():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))


if __name__ == "__main__":
    support.main()
