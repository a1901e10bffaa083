"""What people and scripts may ask (HTTP 3.1, 3.2), told from outside: setup and sessions, servers,
power, tokens, idempotency, settings, the audit trail and notifications."""

import json
import unittest
import uuid

import support
from support import PASSWORD

WAKE = {"broadcast_address": "127.0.0.1"}  # magic packets stay on this machine


class Told(unittest.TestCase):
    """One manager for all stories of a class."""

    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager()
        cls.addClassCleanup(cls.manager.close)
        cls.manager.set_up()
        cls.api = staticmethod(cls.manager.api)

    def check_problem(self, answer, status, kind, *fields):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(answer["type"], f"/problems/{kind}", answer)
        self.assertEqual(answer["status"], status)
        if fields:
            self.assertEqual({fault["field"] for fault in answer["errors"]}, set(fields), answer)
        return answer

    def head(self):
        return self.api("GET", "/head")["sequence"]

    def events_after(self, sequence):
        return self.api("GET", f"/events?after={sequence}")["items"]

    def check_no_event(self, since):
        self.assertEqual(self.events_after(since), [])

    def of_this_site(self, cookie):
        host, port = self.manager.address
        return {"Cookie": cookie, "Origin": f"http://{host}:{port}"}


class Setup(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager()
        self.addCleanup(self.manager.close)

    def set_up(self, headers=None, **fields):
        body = {"setup_code": self.manager.ready["setup_code"], "username": "alice",
                "password": PASSWORD, **fields}
        return self.manager.ask("POST", "/api/v1/setup", body, headers=headers)

    def test_the_code_opens_it_once_and_no_password_is_kept(self):
        wrong = self.set_up(setup_code="AAAA-AAAA-AAAA")
        self.assertEqual((wrong.status, wrong["type"]), (403, "/problems/not-allowed"))
        short = self.set_up(password="short")
        self.assertEqual((short.status, short["errors"][0]["field"]), (422, "password"))

        key = {"Idempotency-Key": "first"}
        done = self.set_up(headers=key)
        self.assertEqual(done.status, 201, done)
        self.assertEqual((done["kind"], done["name"], done["role"]), ("session", "alice", "admin"))
        cookie = done.headers["Set-Cookie"]
        self.assertTrue(cookie.startswith("cpm="), cookie)
        for word in ("HttpOnly", "SameSite=Strict"):
            self.assertIn(word, cookie)

        again = self.set_up(headers=key)
        self.assertEqual((again.status, again.raw), (done.status, done.raw))
        self.assertIsNone(again.headers["Set-Cookie"])
        self.assertEqual(self.set_up().status, 409)
        self.assertEqual(self.set_up(setup_code="AAAA-AAAA-AAAA").status, 409)

        self.manager.stop()
        self.manager.start()
        again = self.set_up(headers=key, setup_code="AAAA-AAAA-AAAA")
        self.assertEqual((again.status, again.raw), (done.status, done.raw))
        other = self.set_up(headers={"Idempotency-Key": "second"}, setup_code="AAAA-AAAA-AAAA")
        self.assertEqual((other.status, other["type"]), (409, "/problems/conflict"))

        who = self.manager.ask("GET", "/api/v1/session",
                               headers={"Cookie": cookie.split(";")[0]})
        self.assertEqual(who["name"], "alice")
        self.manager.stop()
        self.assertNotIn(PASSWORD, self.manager.output())
        stored = b"".join(f.read_bytes() for f in self.manager.data.rglob("*") if f.is_file())
        self.assertNotIn(PASSWORD.encode(), stored)
        self.assertNotIn(cookie.split("=")[1].split(";")[0].encode(), stored)


class Sessions(Told):
    def sign_in(self, username="alice", password=PASSWORD):
        return self.manager.ask("POST", "/api/v1/session",
                                {"username": username, "password": password})

    def test_a_session_lives_from_signing_in_to_signing_out(self):
        signed = self.sign_in()
        self.assertEqual(signed.status, 200, signed)
        cookie = signed.headers["Set-Cookie"].split(";")[0]
        who = self.manager.ask("GET", "/api/v1/session", headers={"Cookie": cookie})
        self.assertEqual((who["kind"], who["name"], who["role"]), ("session", "alice", "admin"))
        self.assertEqual(self.manager.ask("GET", "/api/v1/session").status, 401)

        out = self.manager.ask("DELETE", "/api/v1/session", headers=self.of_this_site(cookie))
        self.assertEqual(out.status, 200, out)
        self.assertIn("Max-Age=0", out.headers["Set-Cookie"])
        self.assertEqual(
            self.manager.ask("GET", "/api/v1/session", headers={"Cookie": cookie}).status, 401)

    def test_a_wrong_password_is_an_event_that_tells_no_name_that_does_not_exist(self):
        since = self.head()
        for name in ("alice", "nobody"):
            answer = self.sign_in(name, "wrong wrong wrong")
            self.check_problem(answer, 401, "not-signed-in")
        events = self.events_after(since)
        self.assertEqual([e["type"] for e in events], ["SignInFailed", "SignInFailed"])
        self.assertEqual([e["data"]["username"] for e in events], ["alice", None])
        self.assertEqual({e["data"]["address"] for e in events}, {"127.0.0.1"})
        self.assertNotIn("wrong wrong", json.dumps(events))

    def test_a_token_says_who_it_is_and_cannot_sign_out(self):
        who = self.api("GET", "/session")
        self.assertEqual((who["kind"], who["name"]), ("token", "story"))
        self.check_problem(self.api("DELETE", "/session"), 409, "conflict")


class Servers(Told):
    def test_a_server_is_added_read_edited_and_removed(self):
        self.check_problem(self.api("POST", "/servers", {}), 422, "validation", "name")
        made = self.api("POST", "/servers", {
            "name": "node1", "mac_addresses": ["52-54-00-00-01-01"], "tags": ["gpu"],
            "standby_time_seconds": 60, "wake": {**WAKE, "secure_on": "c0a80001"}})
        self.assertEqual(made.status, 201, made)
        path = "/servers/" + made["id"]
        self.assertEqual(made["mac_addresses"], ["52:54:00:00:01:01"])
        self.assertEqual((made["actual_status"], made["power_status"]), ("Unknown", "OFF"))
        self.assertEqual(made["heartbeat_status"], {"previous": "None", "current": "None"})

        read = self.api("GET", path)
        self.assertEqual(read.json, made.json)
        self.assertEqual(read.headers["ETag"], made.headers["ETag"])

        edited = self.api("PATCH", path, {"note": "below", "standby_time_seconds": None},
                          headers={"If-Match": read.headers["ETag"]})
        self.assertEqual(edited.status, 200, edited)
        self.assertEqual((edited["note"], edited["standby_time_seconds"]), ("below", 300))
        self.assertEqual(edited["wake"]["broadcast_address"], "127.0.0.1")
        self.assertNotEqual(edited.headers["ETag"], read.headers["ETag"])
        unchanged = self.api("PATCH", path, {"note": "below"})
        self.assertEqual(unchanged.headers["ETag"], edited.headers["ETag"])

        for method, body in (("PATCH", {"note": "late"}), ("DELETE", None)):
            stale = self.api(method, path, body, headers={"If-Match": read.headers["ETag"]})
            self.check_problem(stale, 412, "stale")
        version = {"If-Match": edited.headers["ETag"]}
        self.check_problem(self.api("DELETE", path, headers=version), 409, "conflict")  # not OFF
        removed = self.api("DELETE", path + "?force=true", headers=version)
        self.assertEqual(removed.status, 200, removed)
        self.check_problem(self.api("GET", path), 404, "not-found")
        self.check_problem(self.api("DELETE", path), 404, "not-found")

        events = self.manager.events(server=made["id"])
        self.assertEqual([e["type"] for e in events],
                         ["ServerAdded", "ServerUpdated", "ServerRemoved"])
        self.assertEqual(removed["sequence"], events[-1]["sequence"])
        self.assertEqual(edited["sequence"], events[1]["sequence"])
        self.assertNotIn("c0a80001", json.dumps(events))

    def test_names_and_macs_are_unique_and_what_is_wrong_is_named(self):
        self.manager.add_server("taken", mac_addresses=["52:54:00:00:02:01"])
        since = self.head()
        self.check_problem(self.api("POST", "/servers", {"name": "taken"}), 409, "conflict")
        self.check_problem(self.api("POST", "/servers", {
            "name": "other", "mac_addresses": ["525400000201"]}), 409, "conflict")
        self.check_problem(
            self.api("POST", "/servers", {"name": "x", "nmae": 1, "protected": "yes",
                                          "heartbeat_interval_seconds": 3601,
                                          "wake": {"ports": [0]}}),
            422, "validation", "nmae", "protected", "heartbeat_interval_seconds", "wake.ports")
        self.check_problem(self.api("POST", "/servers", {"name": "x" * 201}),
                           422, "validation", "name")
        self.check_problem(self.api("POST", "/servers", '{"name":"a","name":"b"}'),
                           400, "malformed")
        self.check_problem(self.api("POST", "/servers", "[" * 20 + "]" * 20), 400, "malformed")
        self.check_problem(self.api("GET", "/servers/srv_1"), 404, "not-found")
        self.check_no_event(since)

    def test_the_table_is_filtered_sorted_and_paged(self):
        for number in range(5):
            self.manager.add_server(f"list{number}", tags=["listed"], note=f"note {number}")
        names = [f"list{number}" for number in range(5)]
        found = self.api("GET", "/servers?tag=listed&sort=-name&limit=3")
        self.assertEqual([s["name"] for s in found["items"]], names[:1:-1])
        rest = self.api("GET", "/servers?tag=listed&sort=-name&limit=3&cursor="
                        + found["next_cursor"])
        self.assertEqual([s["name"] for s in rest["items"]], names[1::-1])
        self.assertIsNone(rest["next_cursor"])
        self.assertEqual([s["name"] for s in self.api("GET", "/servers?q=NOTE%203")["items"]],
                         ["list3"])
        self.assertEqual(self.api("GET", "/servers?tag=listed&status=ON")["items"], [])
        self.check_problem(self.api("GET", "/servers?limit=0&stauts=ON"),
                           422, "validation", "limit", "stauts")

    def test_two_edits_of_different_fields_both_hold(self):
        path = "/servers/" + self.manager.add_server("both")["id"]
        self.api("PATCH", path, {"note": "a"})
        self.api("PATCH", path, {"tags": ["b"]})
        server = self.api("GET", path)
        self.assertEqual((server["note"], server["tags"]), ("a", ["b"]))


class Power(Told):
    def add(self, name, **fields):
        return self.manager.add_server(name, standby_time_seconds=30, wake=WAKE, **fields)["id"]

    def test_a_request_is_accepted_then_refused_until_its_standby_time_has_passed(self):
        server = self.add("asked")
        accepted = self.manager.power(server, "ON")
        self.assertEqual((accepted.status, accepted["outcome"]), (202, "accepted"))
        self.assertEqual(accepted["server"]["actual_status"], "Starting")
        self.assertEqual(accepted["server"]["standby"]["remaining_seconds"], 30)

        for target in ("OFF", "ON"):
            refused = self.check_problem(self.manager.power(server, target), 409, "standby")
            self.assertTrue(25 <= refused["remaining_seconds"] <= 30, refused)
            self.assertEqual(refused.headers["Retry-After"], str(refused["remaining_seconds"]))
            self.assertTrue(refused["standby_until"].endswith("Z"))
        events = self.manager.events(server=server, family="power")
        self.assertEqual([e["type"] for e in events],
                         ["PowerRequested", "PowerRefused", "PowerRefused"])
        self.assertEqual(events[0]["sequence"], accepted["sequence"])
        self.assertEqual(events[0]["actor"], {"kind": "token", "name": "story"})

    def test_what_already_holds_is_unchanged_and_no_event(self):
        server = self.manager.add_server("held", standby_time_seconds=1)["id"]
        self.assertEqual(self.manager.power(server, "OFF").status, 202)  # it is silent: OFF now
        support.wait_until("the standby time has passed",
                           lambda: self.manager.server(server)["standby"] is None)
        self.assertEqual(self.manager.status(server), "OFF")
        since = self.head()
        again = self.manager.power(server, "OFF")
        self.assertEqual((again.status, again["outcome"]), (200, "unchanged"))
        self.check_no_event(since)

    def test_a_protected_server_goes_off_with_its_name_only(self):
        server = self.add("crown", protected=True)
        self.check_problem(self.manager.power(server, "OFF"), 409, "protected")
        self.check_problem(self.manager.power(server, "OFF", confirm="crwn"), 409, "protected")
        self.assertEqual(self.manager.power(server, "OFF", confirm="crown").status, 202)

    def test_what_is_wrong_is_named(self):
        server = self.add("wrong")
        since = self.head()
        for body, field in (({}, "power_status"), ({"power_status": "on"}, "power_status"),
                            ({"power_status": "ON", "force": True}, "force")):
            answer = self.api("PUT", f"/servers/{server}/power", body)
            self.check_problem(answer, 422, "validation", field)
        self.check_problem(self.manager.power("srv_00000000000000ff", "ON"), 404, "not-found")
        self.check_no_event(since)

    def test_an_operator_may_switch_and_a_viewer_may_look(self):
        server = self.add("roles")
        tokens = {}
        for role in ("viewer", "operator"):
            tokens[role] = self.api("POST", "/tokens", {"name": role, "role": role})["token"]
        path = f"/api/v1/servers/{server}"
        for role, status in (("viewer", 403), ("operator", 202)):
            asked = self.manager.ask("PUT", path + "/power", {"power_status": "ON"},
                                     token=tokens[role])
            self.assertEqual(asked.status, status, asked)
            self.assertEqual(self.manager.ask("GET", path, token=tokens[role]).status, 200)
            edit = self.manager.ask("PATCH", path, {"note": ""}, token=tokens[role])
            self.check_problem(edit, 403, "not-allowed")


class Tokens(Told):
    def test_a_token_is_shown_once_works_and_ends(self):
        key = {"Idempotency-Key": str(uuid.uuid4())}
        body = {"name": "backup", "role": "viewer", "expires_at": "2999-01-01T00:00:00Z"}
        made = self.api("POST", "/tokens", body, headers=key)
        self.assertEqual(made.status, 201, made)
        self.assertEqual(made["expires_at"], "2999-01-01T00:00:00.000Z")
        secret = made["token"]
        again = self.api("POST", "/tokens", body, headers=key)
        self.assertEqual(again.json, {**made.json, "token": None})

        listed = self.api("GET", "/tokens")
        self.assertNotIn(secret, listed.raw.decode())
        self.assertIn(made["id"], [t["id"] for t in listed["items"]])
        self.assertEqual(self.manager.ask("GET", "/api/v1/head", token=secret).status, 200)
        self.assertEqual(self.api("DELETE", "/tokens/" + made["id"]).status, 200)
        self.assertEqual(self.manager.ask("GET", "/api/v1/head", token=secret).status, 401)
        self.check_problem(self.api("DELETE", "/tokens/" + made["id"]), 404, "not-found")
        self.check_problem(self.api("DELETE", "/tokens/%22%C3%A4"), 404, "not-found")

    def test_what_is_wrong_is_named(self):
        self.check_problem(self.api("POST", "/tokens", {"role": "root", "expires_at": "soon"}),
                           422, "validation", "name", "role", "expires_at")
        past = {"name": "x", "role": "viewer", "expires_at": "2001-01-01T00:00:00Z"}
        self.check_problem(self.api("POST", "/tokens", past), 422, "validation", "expires_at")

    def test_tokens_are_listed_in_pages(self):
        for number in range(3):
            self.api("POST", "/tokens", {"name": f"page{number}", "role": "viewer"})
        seen, cursor = [], ""
        while cursor is not None:
            page = self.api("GET", "/tokens?limit=2" + (cursor and "&cursor=" + cursor))
            seen += [t["id"] for t in page["items"]]
            cursor = page["next_cursor"]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(set(seen), {t["id"] for t in self.api("GET", "/tokens")["items"]})


class Idempotency(Told):
    def test_the_same_request_answers_the_same_and_happens_once_also_after_a_restart(self):
        key = {"Idempotency-Key": "once"}
        first = self.api("POST", "/servers", {"name": "once"}, headers=key)
        self.assertEqual(first.status, 201, first)
        head = self.head()
        again = self.api("POST", "/servers", {"name": "once"}, headers=key)
        self.assertEqual((again.status, again.raw), (first.status, first.raw))
        self.check_no_event(head)
        other = self.api("POST", "/servers", {"name": "another"}, headers=key)
        self.check_problem(other, 422, "key-reused")

        power = f"/servers/{first['id']}/power"
        key = {"Idempotency-Key": "power"}
        accepted = self.api("PUT", power, {"power_status": "ON"}, headers=key)
        self.manager.kill()
        self.manager.start()
        again = self.api("PUT", power, {"power_status": "ON"}, headers=key)
        self.assertEqual((again.status, again.raw), (202, accepted.raw))

    def test_a_refusal_is_not_remembered_and_a_bad_key_is_refused(self):
        key = {"Idempotency-Key": "later"}
        wrong = self.api("POST", "/servers", {"name": ""}, headers=key)
        self.check_problem(wrong, 422, "validation", "name")
        right = self.api("POST", "/servers", {"name": "later"}, headers=key)
        self.assertEqual(right.status, 201, right)
        for text in ("x" * 201, "two words"):
            bad = self.api("POST", "/servers", {"name": "y"}, headers={"Idempotency-Key": text})
            self.check_problem(bad, 422, "validation", "Idempotency-Key")

    def test_a_join_token_is_not_shown_twice_neither_alone_nor_in_its_line(self):
        path = "/servers/" + self.manager.add_server("line")["id"] + "/join-token"
        key = {"Idempotency-Key": "line"}
        made = self.api("POST", path, headers=key)
        self.assertEqual(made.status, 201, made)
        self.assertIn(made["join_token"], made["command"])
        self.assertTrue(made["command"].startswith("cpm-agent join http://"))
        again = self.api("POST", path, headers=key)
        self.assertEqual(again.json, {**made.json, "join_token": None, "command": None})


class Settings(Told):
    def test_settings_are_read_changed_and_hold_for_servers_that_say_nothing(self):
        server = self.manager.add_server("follows")["id"]
        changed = self.api("PATCH", "/settings", {"standby_time_seconds": 77})
        self.assertEqual(changed["settings"]["standby_time_seconds"], 77)
        self.assertEqual(self.api("GET", "/settings").json, changed["settings"])
        self.assertEqual(self.manager.server(server)["standby_time_seconds"], 77)
        self.assertIsNone(self.api("PATCH", "/settings", {"standby_time_seconds": 77})["sequence"])
        self.check_problem(
            self.api("PATCH", "/settings", {"standby_time_seconds": 0, "stanby": 1,
                                            "agents_over_plain_http": "true"}),
            422, "validation", "standby_time_seconds", "stanby", "agents_over_plain_http")


class Trail(Told):
    def test_the_audit_trail_is_paged_in_both_directions_and_filtered(self):
        server = self.manager.add_server("trail")["id"]
        for number in range(20):
            self.api("PATCH", f"/servers/{server}", {"note": str(number)})
        everything = [e["sequence"] for e in self.manager.events()]
        self.assertEqual(everything, list(range(1, len(everything) + 1)))
        for first in ("", "&before=1000000"):
            seen, cursor = [], ""
            while cursor is not None:
                page = self.api("GET", f"/events?limit=7{first}" + (cursor and f"&cursor={cursor}"))
                seen += [e["sequence"] for e in page["items"]]
                cursor = page["next_cursor"]
            self.assertEqual(seen, everything[::-1] if first else everything)
        self.assertEqual({e["type"] for e in self.manager.events(server=server)},
                         {"ServerAdded", "ServerUpdated"})
        self.assertEqual(len(self.manager.events(type="ServerUpdated")), 20)
        head = self.api("GET", "/head")
        last = self.api("GET", "/events?before=1000000&limit=1")["items"][0]
        self.assertEqual((head["sequence"], head["hash"], head["epoch"]),
                         (last["sequence"], last["hash"], 1))

    def test_there_is_no_rollback_to_accept(self):
        self.check_problem(self.api("POST", "/rollback/accept"), 409, "conflict")


class Notifications(Told):
    def test_a_notification_is_listed_and_dismissed_once(self):
        server = self.manager.add_server("late", standby_time_seconds=1, wake=WAKE)["id"]
        self.manager.power(server, "ON")
        support.wait_until("it is late", lambda: self.manager.status(server) == "StartupDelayed")
        told = support.wait_until("it is told", self.manager.notifications)[0]
        self.assertEqual((told["kind"], told["server_ids"]), ("startup_delayed", [server]))
        path = f"/notifications/{told['id']}/dismiss"
        key = {"Idempotency-Key": "dismiss"}
        done = self.api("POST", path, headers=key)
        self.assertEqual(done.status, 200, done)
        self.assertEqual(self.manager.notifications(), [])
        self.assertEqual(self.api("POST", path, headers=key).raw, done.raw)
        self.check_problem(self.api("POST", path), 404, "not-found")


class Process(Told):
    def test_it_says_that_it_lives_and_is_ready_and_what_it_can_do(self):
        self.assertEqual(self.manager.ask("GET", "/healthz").json, {"status": "ok"})
        self.assertEqual(self.manager.ask("GET", "/readyz").json, {"status": "ok"})
        document = self.manager.ask("GET", "/api/openapi.json")
        self.assertEqual(document["openapi"], "3.1.0")
        self.assertIn("/api/v1/servers/{id}/power", document["paths"])


if __name__ == "__main__":
    support.main()
