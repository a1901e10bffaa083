"""A restart in the middle of anything (HTTP 3.1, 3.5): what people and agents hold, what is under
way and what is told of it goes on, after a stop and after a power cut alike."""

import unittest

import support
from support import PASSWORD


class Restart(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)
        self.number = 0

    def machine(self, name, **fields):
        self.number += 1
        mac = f"52:54:00:00:06:{self.number:02x}"
        server = self.manager.add_server(name, mac_addresses=[mac], **fields)["id"]
        return self.manager.join(server, mac=mac)

    def restart(self, end):
        if end == "stop":
            self.assertEqual(self.manager.stop(), 0)
        else:
            self.manager.kill()
        self.manager.start()

    def each_end(self):
        for end in ("stop", "kill"):
            with self.subTest(end):
                yield end

    def sign_in(self):
        answer = self.manager.ask("POST", "/api/v1/session", {
            "username": "alice", "password": PASSWORD})
        self.assertEqual(answer.status, 200, answer)
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0],
                "Origin": "http://%s:%s" % self.manager.address}

    def token(self, **fields):
        made = self.manager.api("POST", "/tokens", {"name": "t", "role": "viewer", **fields})
        self.assertEqual(made.status, 201, made)
        return made.json

    def test_credentials_go_on_and_ended_ones_stay_ended(self):
        agent, revoked_agent = self.machine("a"), self.machine("b")
        agent.say(), revoked_agent.say()
        here, gone = self.sign_in(), self.sign_in()
        token, revoked = self.token(), self.token()
        unspent = self.manager.add_server("c")["id"]
        joins = [self.manager.api("POST", f"/servers/{unspent}/join-token")["join_token"]
                 for _ in range(2)]

        def join(join_token):
            return self.manager.ask("POST", "/agent/v1/join", {
                "join_token": join_token, "hostname": "c", "mac_addresses": ["52:54:00:00:06:99"]})

        for answer in (self.manager.ask("DELETE", "/api/v1/session", headers=gone),
                       self.manager.api("DELETE", f"/tokens/{revoked['id']}"),
                       self.manager.api("DELETE", f"/servers/{revoked_agent.server_id}/agent"),
                       join(joins[0])):
            self.assertEqual(answer.status, 200, answer)
        for end in self.each_end():
            self.restart(end)
            for fields, status in ((here, 200), (gone, 401)):
                asked = self.manager.ask("GET", "/api/v1/session", headers=fields)
                self.assertEqual(asked.status, status)
            for secret, status in ((token["token"], 200), (revoked["token"], 401)):
                asked = self.manager.ask("GET", "/api/v1/head", token=secret)
                self.assertEqual(asked.status, status)
            self.assertEqual(agent.say(), "ON")
            self.assertEqual(revoked_agent.heartbeat().status, 401)
            self.assertEqual(join(joins[0]).status, 401)
        self.assertEqual(join(joins[1]).status, 200)

    def test_what_is_told_stays_told_and_what_was_dismissed_stays_away(self):
        loud = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 1}
        agents = [self.machine(name, **loud) for name in ("told", "dismissed")]
        for agent in agents:
            agent.say(), agent.say()

        def told():
            return {server: notification for notification in self.manager.notifications()
                    if notification["kind"] == "crashed" for server in notification["server_ids"]}

        support.wait_until("both are told", lambda: len(told()) == 2)
        away = told()[agents[1].server_id]["id"]
        self.assertEqual(self.manager.api("POST", f"/notifications/{away}/dismiss").status, 200)
        before = self.manager.notifications()
        for end in self.each_end():
            self.restart(end)
            self.assertEqual(self.manager.notifications(), before)
        agents[0].say()  # it goes with its cause, as ever
        support.wait_until("it is gone", lambda: not told())

    def test_a_request_under_way_goes_on_and_is_not_made_twice(self):
        agent = self.machine("n", heartbeat_interval_seconds=1, standby_time_seconds=60)
        agent.say(), agent.say()
        path = f"/servers/{agent.server_id}/power"
        key = {"Idempotency-Key": "once"}
        first = self.manager.api("PUT", path, {"power_status": "OFF"}, headers=key)
        self.assertEqual(first.status, 202, first)
        for end in self.each_end():
            self.restart(end)
            again = self.manager.api("PUT", path, {"power_status": "OFF"}, headers=key)
            self.assertEqual((again.status, again.json), (202, first.json))
            refused = self.manager.power(agent.server_id, "ON")
            self.assertEqual((refused.status, refused["type"]), (409, "/problems/standby"))
        self.assertEqual(agent.say(), "OFF")
        self.assertEqual(agent.say("Stopping"), "OFF")
        self.restart("kill")
        support.wait_until("it is off", lambda: self.manager.status(agent.server_id) == "OFF")
        self.assertEqual(len(self.manager.events(type="PowerRequested")), 1)
        self.manager.assert_replay_is_served()


if __name__ == "__main__":
    support.main()
