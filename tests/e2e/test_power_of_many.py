"""One power request for many servers, and the guards (HTTP 3.2): over the wire, by a session and by
an API token, and a thousand races for the last slot of min_on."""

import json
import random
import unittest

import raw
import support
from support import PASSWORD

SEED = random.randrange(1 << 32)
RACES = 1000


class PowerOfMany(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)

    def many(self, target="OFF", **fields):
        return self.manager.api("POST", "/power", {"power_status": target, **fields})

    def add(self, *names, **fields):
        return [self.manager.add_server(name, **fields)["id"] for name in names]

    def sign_in(self):
        answer = self.manager.ask("POST", "/api/v1/session",
                                  {"username": "alice", "password": PASSWORD})
        self.assertEqual(answer.status, 200, answer)
        host, port = self.manager.address
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0],
                "Origin": f"http://{host}:{port}"}

    def refusals(self):
        return [(event["server_id"], event["data"]["reason"])
                for event in self.manager.events(type="PowerRefused")]

    def test_each_answers_for_itself(self):
        plain, busy = self.add("plain", "busy", tags=["gpu"])
        guarded, = self.add("guarded", tags=["gpu"], protected=True)
        nobody = "srv_00000000000000aa"
        self.assertEqual(self.manager.power(busy, "ON").status, 202)
        answer = self.many(servers=[plain, busy, guarded, nobody])
        self.assertEqual(answer.status, 200, answer)
        results = answer["results"]
        self.assertEqual([result["server_id"] for result in results],
                         [plain, busy, guarded, nobody])
        self.assertEqual(results[0]["outcome"], "accepted")
        types = [result["problem"]["type"] for result in results[1:]]
        self.assertEqual(types, ["/problems/standby", "/problems/protected", "/problems/not-found"])
        self.assertGreater(results[1]["problem"]["remaining_seconds"], 0)
        self.assertEqual(self.refusals(), [(busy, "standby"), (guarded, "protected")])
        requested = self.manager.events(server=plain, type="PowerRequested")
        self.assertEqual([event["sequence"] for event in requested], [results[0]["sequence"]])
        by_tag = self.many(tag="gpu")
        self.assertEqual([result["server_id"] for result in by_tag["results"]],
                         [busy, guarded, plain])

    def test_a_request_that_is_not_clear_changes_nothing(self):
        one, = self.add("one")
        for fields in ({}, {"servers": []}, {"servers": [one], "tag": "gpu"}, {"servers": one},
                       {"servers": [one, one]}, {"servers": ["one"]}, {"tag": 1},
                       {"servers": [one], "confirm_count": "1"}, {"servers": [one], "confirm": "x"},
                       {"servers": [one], "password": PASSWORD}):
            with self.subTest(fields=fields):
                answer = self.many(**fields)
                self.assertEqual((answer.status, answer["type"]), (422, "/problems/validation"))
        self.assertEqual(self.manager.server(one)["standby"], None)

    def test_a_token_says_how_many_it_switches_off(self):
        servers = self.add(*(f"n{i}" for i in range(6)), tags=["gpu"])
        self.assertEqual(self.many(servers=servers[:5]).status, 200)
        for fields in ({"servers": servers}, {"tag": "gpu"},
                       {"servers": servers, "confirm_count": 5},
                       {"servers": servers[:2], "confirm_count": 3}):
            with self.subTest(fields=fields):
                answer = self.many(**fields)
                self.assertEqual((answer.status, answer["type"]), (409, "/problems/confirm"))
                self.assertEqual([error["field"] for error in answer["errors"]],
                                 ["confirm_count"])
        self.assertEqual(self.refusals(), [(None, "confirm")] * 4)
        self.assertEqual(self.many(servers=servers, confirm_count=6).status, 200)
        self.assertEqual(self.many("ON", servers=servers).status, 200)
        self.manager.assert_replay_is_served()

    def test_a_session_gives_its_password(self):
        self.manager.api("PATCH", "/settings", {"confirm_above": 0})
        one, two = self.add("one", "two")
        session = self.sign_in()
        def ask(server, **fields):
            return self.manager.ask("POST", "/api/v1/power", headers=session,
                                    body={"power_status": "OFF", "servers": [server], **fields})
        self.assertEqual(ask(one).status, 200)  # signing in counts
        wrong = ask(two, password="not the password")
        self.assertEqual((wrong.status, wrong["type"]), (409, "/problems/confirm"))
        self.assertEqual([error["field"] for error in wrong["errors"]], ["password"])
        self.assertEqual(ask(two, password=PASSWORD).status, 200)
        self.assertEqual(self.manager.events(type="SignInFailed"), [])
        self.assertNotIn(PASSWORD, json.dumps(self.manager.events()))

    def test_a_repetition_answers_the_same_whatever_its_password(self):
        one, two = self.add("one", "two")
        headers = {**self.sign_in(), "Idempotency-Key": "k1"}
        body = {"power_status": "OFF", "servers": [one]}
        first = self.manager.ask("POST", "/api/v1/power", {**body, "password": PASSWORD},
                                 headers=headers)
        self.assertEqual(first.status, 200, first)
        again = self.manager.ask("POST", "/api/v1/power", body, headers=headers)
        self.assertEqual((again.status, again.json), (200, first.json))
        other = self.manager.ask("POST", "/api/v1/power", {**body, "servers": [two]},
                                 headers=headers)
        self.assertEqual((other.status, other["type"]), (422, "/problems/key-reused"))
        self.assertEqual(len(self.manager.events(type="PowerRequested")), 1)
        # Not even a hash of a password is kept where it is not needed.
        for path in (self.manager.data / "log").rglob("*"):
            if path.is_file():
                self.assertNotIn(PASSWORD.encode(), path.read_bytes())

    def test_removing_a_server_that_is_not_off_takes_force_and_a_password(self):
        one, two = self.add("one", "two")
        session = self.sign_in()
        def remove(path, body=None):
            return self.manager.ask("DELETE", f"/api/v1/servers/{path}", body, headers=session)
        self.assertEqual(remove(one).status, 409)
        wrong = remove(f"{one}?force=true", {"password": "not the password"})
        self.assertEqual((wrong.status, wrong["type"]), (409, "/problems/confirm"))
        self.assertEqual(remove(f"{one}?force=true", {"passwort": PASSWORD}).status, 422)
        self.assertEqual(remove(f"{one}?force=true", {"password": PASSWORD}).status, 200)
        self.assertEqual(remove(f"{two}?force=true").status, 200)  # signing in counts

    def test_a_thousand_races_for_the_last_slot_have_one_winner_each(self):
        print(f"seed {SEED}")
        chance = random.Random(SEED)
        self.manager.api("PATCH", "/settings", {"standby_time_seconds": 1, "wake_stagger_ms": 0})
        bearer = f"Authorization: Bearer {self.manager.token}"
        racers = [raw.Raw(self.manager.address) for _ in range(8)]
        for racer in racers:
            self.addCleanup(racer.close)

        def send(racer, line, body):
            racer.request(f"{line} HTTP/1.1", bearer, "Content-Type: application/json",
                          f"Content-Length: {len(body)}", body=body)

        def answered(racer):
            status, _, body = racer.answer()
            return status, json.loads(body)

        servers = []
        for first in range(0, RACES + 1, len(racers)):
            batch = list(zip(racers, range(first, min(first + len(racers), RACES + 1))))
            for racer, number in batch:
                body = json.dumps({"name": f"n{number}", "tags": ["gpu"]})
                send(racer, "POST /api/v1/servers", body)
            for racer, _ in batch:
                status, server = answered(racer)
                self.assertEqual(status, 201, server)
                servers.append(server["id"])
        self.assertEqual(self.many("ON", tag="gpu").status, 200)
        support.wait_until("the standby times of all to pass", timeout=60, condition=lambda: len(
            self.manager.events(type="StandbyElapsed")) == len(servers))

        off = json.dumps({"power_status": "OFF"})
        for race in range(RACES):
            least = json.dumps({"min_on": {"gpu": len(servers) - 1}})
            send(racers[0], "PATCH /api/v1/settings", least)
            self.assertEqual(answered(racers[0])[0], 200)
            rivals = chance.sample(range(len(servers)), 2)
            for racer, rival in zip(racers, rivals):
                send(racer, f"PUT /api/v1/servers/{servers[rival]}/power", off)
            outcomes = [answered(racer) for racer in racers[:2]]
            statuses = sorted(status for status, _ in outcomes)
            self.assertEqual(statuses, [202, 409], f"race {race}: {outcomes}")
            won = [status for status, _ in outcomes].index(202)
            self.assertEqual(outcomes[1 - won][1]["type"], "/problems/min-on")
            servers.pop(rivals[won])
        wanted = [server for server in self.manager.served()[1].values() if server[0] == "ON"]
        self.assertEqual(len(wanted), 1)


if __name__ == "__main__":
    support.main()
