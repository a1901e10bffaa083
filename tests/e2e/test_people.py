"""Users, their passwords and their sessions (HTTP 3.2, 3.5), told over the wire: who may do what to
whom, and that what ended has ended at once, open streams too."""

import json
import unittest
import urllib.parse

import raw
import support
from support import PASSWORD

NEW = "a new passphrase"


class People(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)
        self.origin = f"http://{self.manager.address[0]}:{self.manager.address[1]}"

    def add(self, name, role="viewer", password=PASSWORD):
        made = self.manager.api("POST", "/users", {
            "name": name, "role": role, "password": password})
        self.assertEqual(made.status, 201, made)
        return made

    def sign_in(self, name, password=PASSWORD, **headers):
        return self.manager.ask("POST", "/api/v1/session",
                                {"username": name, "password": password}, headers=headers)

    def session(self, name, password=PASSWORD):
        answer = self.sign_in(name, password)
        self.assertEqual(answer.status, 200, answer)
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "Origin": self.origin}

    def by(self, session, method, path, body=None, **headers):
        return self.manager.ask(method, "/api/v1" + path, body, headers={**session, **headers})

    def is_signed_in(self, session):
        return self.by(session, "GET", "/session").status == 200

    def stream(self, session):
        connection = raw.Raw(self.manager.address)
        self.addCleanup(connection.close)
        connection.request("GET /api/v1/stream HTTP/1.1", f"Cookie: {session['Cookie']}")
        self.assertEqual(connection.answer()[0], 200)
        connection.events(lambda message: message[0] == "snapshot")
        return connection

    def ends(self, connection):
        """The stream ends, whatever it said before."""
        try:
            while True:
                connection.fill()
        except (raw.Closed, ConnectionResetError):
            return True

    # --- users ---

    def test_users_are_added_read_changed_and_removed(self):
        bob = self.add("bob", "operator")
        self.assertNotIn("password", json.dumps(bob.json))
        for name in ("é \"quoted\" & more?", "..."):
            self.add(name)
            path = "/users/" + urllib.parse.quote(name, safe="")
            self.assertEqual(self.manager.api("GET", path)["name"], name)
        first = self.manager.api("GET", "/users?limit=2")
        second = self.manager.api("GET", f"/users?limit=2&cursor={first['next_cursor']}")
        names = [user["name"] for user in first["items"] + second["items"]]
        self.assertEqual(names, sorted(names))
        self.assertEqual((len(names), second["next_cursor"]), (4, None))

        version = bob.headers["ETag"]
        self.assertEqual(self.manager.api("GET", "/users/bob").headers["ETag"], version)
        changed = self.manager.api("PATCH", "/users/bob", {"role": "viewer"},
                                   headers={"If-Match": version})
        self.assertEqual((changed.status, changed["role"]), (200, "viewer"))
        for method, body in (("PATCH", {"role": "admin"}), ("DELETE", None)):
            stale = self.manager.api(method, "/users/bob", body, headers={"If-Match": version})
            self.assertEqual((stale.status, stale["type"]), (412, "/problems/stale"))
        self.assertEqual(self.manager.api("PATCH", "/users/bob", {})["sequence"], None)
        self.assertEqual(self.manager.api("DELETE", "/users/bob").status, 200)
        self.assertEqual(self.manager.api("GET", "/users/bob").status, 404)
        told = [(event["type"], event["data"]["username"], event["actor"]["name"])
                for event in self.manager.events(family="people")
                if event["type"].startswith("User") and event["data"]["username"] == "bob"]
        self.assertEqual(told, [(kind, "bob", "story")
                                for kind in ("UserAdded", "UserChanged", "UserRemoved")])

    def test_a_user_that_cannot_be_is_refused(self):
        self.add("bob")
        right = {"name": "carol", "role": "viewer", "password": PASSWORD}
        for wrong in ({"name": ""}, {"name": "a/b"}, {"name": ".."}, {"name": "a\nb"},
                      {"name": "x" * 65}, {"role": "king"}, {"password": "short"},
                      {"password": "é" * 11}, {"email": "x"}):
            with self.subTest(wrong=wrong):
                answer = self.manager.api("POST", "/users", right | wrong)
                self.assertEqual((answer.status, answer["type"]), (422, "/problems/validation"))
        again = self.manager.api("POST", "/users", right | {"name": "bob"})
        self.assertEqual((again.status, again["type"]), (409, "/problems/conflict"))

    def test_the_last_administrator_stays(self):
        for method, path, body in (("DELETE", "", None), ("PATCH", "", {"role": "operator"}),
                                   ("PATCH", "", {"disabled": True})):
            answer = self.manager.api(method, f"/users/alice{path}", body)
            self.assertEqual((answer.status, answer["type"]), (409, "/problems/conflict"))
        self.add("bob", "admin")
        self.assertEqual(self.manager.api("DELETE", "/users/alice").status, 200)
        self.assertEqual(self.manager.api("DELETE", "/users/bob").status, 409)

    def test_roles_hold_from_the_next_request_on(self):
        server = self.manager.add_server("n")["id"]
        self.add("bob", "viewer")
        bob = self.session("bob")
        ask = lambda: self.by(bob, "PUT", f"/servers/{server}/power", {"power_status": "ON"}).status
        self.assertEqual(ask(), 403)
        self.manager.api("PATCH", "/users/bob", {"role": "operator"})
        self.assertEqual(ask(), 202)
        self.manager.api("PATCH", "/users/bob", {"role": "viewer"})
        self.assertEqual(ask(), 403)

    # --- what ends a session ---

    def test_whatever_ends_a_session_ends_it_and_its_stream_at_once(self):
        ways = {
            "disabled": lambda name, session: self.manager.api(
                "PATCH", f"/users/{name}", {"disabled": True}),
            "removed": lambda name, session: self.manager.api("DELETE", f"/users/{name}"),
            "password set": lambda name, session: self.manager.api(
                "PUT", f"/users/{name}/password", {"password": NEW}),
            "own password set": lambda name, session: self.by(
                session, "PUT", f"/users/{name}/password",
                {"password": NEW, "current_password": PASSWORD}),
            "ended": lambda name, session: self.by(
                session, "DELETE", f"/sessions/{self.own(session)['id']}"),
            "signed out": lambda name, session: self.by(session, "DELETE", "/session"),
        }
        self.add("witness")
        witness = self.session("witness")
        for way, end in ways.items():
            with self.subTest(way=way):
                name = way.replace(" ", "-")
                self.add(name)
                session = self.session(name)
                stream = self.stream(session)
                self.assertTrue(self.is_signed_in(session))
                answer = end(name, session)
                self.assertEqual(answer.status, 200, answer)
                self.assertFalse(self.is_signed_in(session))
                self.assertTrue(self.ends(stream))
        self.assertTrue(self.is_signed_in(witness))
        self.assertEqual(self.sign_in("disabled").status, 401)
        self.assertEqual(self.sign_in("removed").status, 401)
        for name in ("password-set", "own-password-set"):
            self.assertEqual(self.sign_in(name).status, 401)
            self.assertEqual(self.sign_in(name, NEW).status, 200)

    def own(self, session):
        items = self.by(session, "GET", "/sessions")["items"]
        return next(item for item in items if item["current"])

    def test_ended_sessions_stay_ended_after_a_restart(self):
        self.add("bob"), self.add("carol")
        bob, carol = self.session("bob"), self.session("carol")
        self.manager.api("PUT", "/users/bob/password", {"password": NEW})
        self.manager.kill()
        self.manager.start()
        self.assertFalse(self.is_signed_in(bob))
        self.assertTrue(self.is_signed_in(carol))

    # --- passwords ---

    def test_whose_password_one_may_set(self):
        self.add("bob", "operator"), self.add("carol")
        bob, alice = self.session("bob"), self.session("alice")
        def put(session, name, **body):
            return self.by(session, "PUT", f"/users/{name}/password", {"password": NEW, **body})
        self.assertEqual(put(bob, "carol").status, 403)
        self.assertEqual(put(bob, "nobody").status, 403)
        for body in ({}, {"current_password": "wrong"}):
            answer = put(bob, "bob", **body)
            self.assertEqual((answer.status, answer["type"]), (409, "/problems/confirm"))
            self.assertEqual(answer["errors"][0]["field"], "current_password")
        self.assertEqual(put(alice, "carol", current_password=PASSWORD).status, 422)
        self.assertEqual(put(alice, "nobody").status, 404)
        self.assertEqual(put(alice, "carol").status, 200)
        self.assertEqual(put(alice, "alice").status, 409)
        token = self.manager.api("POST", "/tokens", {"name": "bob", "role": "operator"})["token"]
        answer = self.manager.ask("PUT", "/api/v1/users/bob/password", {"password": NEW},
                                  token=token)
        self.assertEqual(answer.status, 403)  # a token is no user, whatever its name
        self.assertTrue(self.is_signed_in(bob))
        self.assertNotIn(NEW, json.dumps(self.manager.events()))

    # --- sessions ---

    def test_sessions_are_seen_and_ended_by_whom_they_concern(self):
        self.add("bob"), self.add("carol")
        bob, other, carol, alice = (self.session(name) for name in ("bob", "bob", "carol", "alice"))
        def listed(session):
            return self.by(session, "GET", "/sessions")["items"]
        self.assertEqual([item["username"] for item in listed(bob)], ["bob", "bob"])
        self.assertEqual(sum(item["current"] for item in listed(bob)), 1)
        self.assertEqual({item["username"] for item in listed(alice)}, {"alice", "bob", "carol"})
        for item in listed(bob):
            self.assertEqual(item["address"], "127.0.0.1")
        carols = self.own(carol)["id"]
        self.assertEqual(self.by(bob, "DELETE", f"/sessions/{carols}").status, 404)
        others = next(item["id"] for item in listed(bob) if not item["current"])
        self.assertEqual(self.by(bob, "DELETE", f"/sessions/{others}").status, 200)
        self.assertFalse(self.is_signed_in(other))
        self.assertEqual(self.by(alice, "DELETE", f"/sessions/{carols}").status, 200)
        self.assertFalse(self.is_signed_in(carol))
        token = self.manager.api("POST", "/tokens", {"name": "bob", "role": "viewer"})["token"]
        self.assertEqual(self.manager.ask("GET", "/api/v1/sessions", token=token)["items"], [])
        # The id is no secret, and opens nothing.
        cookie = {"Cookie": "cpm=" + self.own(bob)["id"]}
        self.assertEqual(self.by(cookie, "GET", "/session").status, 401)

    def test_a_repeated_sign_in_opens_no_second_session(self):
        self.add("bob")
        key = {"Idempotency-Key": "sign-in-1"}
        first = self.sign_in("bob", **key)
        again = self.sign_in("bob", **key)
        self.assertEqual((first.status, again.status), (200, 200))
        self.assertEqual(first.json, again.json)
        self.assertIn("Set-Cookie", first.headers)
        self.assertNotIn("Set-Cookie", again.headers)
        self.assertEqual(self.sign_in("bob", "not the password", **key).status, 401)
        signed_in = [event for event in self.manager.events(type="SignedIn")
                     if event["data"]["username"] == "bob"]
        self.assertEqual(len(signed_in), 1)
        self.assertEqual(self.sign_in("alice", **key).status, 200)  # his own keys

    def test_no_session_is_fixed_by_a_cookie_that_was_there_before(self):
        self.add("mallory")
        planted = "cpm=" + "A" * 43
        mallorys = self.session("mallory")["Cookie"]
        secrets = {planted, mallorys}
        for cookie in (planted, mallorys, f"{planted}; {mallorys}"):
            answer = self.sign_in("alice", Cookie=cookie, Origin=self.origin)
            self.assertEqual(answer.status, 200, answer)
            given = answer.headers["Set-Cookie"].split(";")[0]
            self.assertNotIn(given, secrets)
            secrets.add(given)
        self.assertFalse(self.is_signed_in({"Cookie": planted}))
        self.assertEqual(self.by({"Cookie": mallorys}, "GET", "/session")["name"], "mallory")
        # Nor by one in the place of a token, or of a token in its place.
        value = given.split("=")[1]
        for fields in ({"Authorization": f"Bearer {value}"},
                       {"Cookie": f"cpm={self.manager.token}"}):
            self.assertFalse(self.is_signed_in(fields))

    def test_nobody_learns_who_there_is(self):
        self.add("bob"), self.add("carol")
        self.manager.api("PATCH", "/users/carol", {"disabled": True})
        answers = [self.sign_in(name, password).json for name, password in (
            ("bob", "not the password"), ("nobody", "not the password"), ("carol", PASSWORD))]
        self.assertEqual(answers[0]["type"], "/problems/not-signed-in")
        self.assertEqual(answers, [answers[0]] * 3)
        names = [event["data"]["username"] for event in self.manager.events(type="SignInFailed")]
        self.assertEqual(names, ["bob", None, "carol"])
        bob = self.session("bob")
        for name in ("alice", "nobody"):
            for method, path, body in (("GET", f"/users/{name}", None), ("GET", "/users", None),
                                       ("PUT", f"/users/{name}/password", {"password": NEW})):
                self.assertEqual(self.by(bob, method, path, body).status, 403)

    # --- tokens ---

    def test_a_token_says_when_it_was_last_used(self):
        made = self.manager.api("POST", "/tokens", {"name": "ci", "role": "viewer"})
        def shown():
            tokens = self.manager.api("GET", "/tokens")["items"]
            return next(token for token in tokens if token["id"] == made["id"])["last_used_at"]
        self.assertEqual((made["last_used_at"], shown()), (None, None))
        before = self.manager.api("GET", "/head")["sequence"]
        self.manager.ask("GET", "/api/v1/head", token=made["token"])
        self.assertRegex(shown(), r"^\d{4}-")
        self.assertEqual(self.manager.api("GET", "/head")["sequence"], before)

    # --- versions ---

    def test_what_is_changed_has_a_version_also_in_a_repeated_answer(self):
        server = self.manager.add_server("n")["id"]
        for method, path, body in (
                ("POST", "/servers", {"name": "m"}), ("POST", "/users", {
                    "name": "bob", "role": "viewer", "password": PASSWORD}),
                ("PATCH", f"/servers/{server}", {"note": "x"}),
                ("PATCH", "/users/bob", {"role": "operator"}),
                ("PATCH", "/settings", {"confirm_above": 7})):
            with self.subTest(path=path):
                headers = {"Idempotency-Key": f"{method}{path}"}
                first = self.manager.api(method, path, body, headers=headers)
                again = self.manager.api(method, path, body, headers=headers)
                self.assertIn(first.status, (200, 201), first)
                self.assertRegex(first.headers["ETag"], r'^"\d+"$')
                self.assertEqual(again.headers["ETag"], first.headers["ETag"])
        version = self.manager.api("GET", "/settings").headers["ETag"]
        def change(value, version):
            return self.manager.api("PATCH", "/settings", {"confirm_above": value},
                                    headers={"If-Match": version}).status
        self.assertEqual([change(8, version), change(9, version), change(9, "*")], [200, 412, 200])


if __name__ == "__main__":
    support.main()
