"""What agents may ask (HTTP 3.3), told from outside: joining, reporting, and the manifest call that
is held until there is something to say."""

import base64
import concurrent.futures
import pathlib
import time
import unittest
import uuid

import support

WAKE = {"broadcast_address": "127.0.0.1"}  # magic packets stay on this machine


def mac():
    """A card nobody else has."""
    digits = uuid.uuid4().hex
    return "02:" + ":".join(digits[i:i + 2] for i in range(0, 10, 2))


class Told(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager()
        cls.addClassCleanup(cls.manager.close)
        cls.manager.set_up()
        cls.api = staticmethod(cls.manager.api)

    def add(self, **fields):
        fields = {"standby_time_seconds": 30, "heartbeat_interval_seconds": 10, "wake": WAKE,
                  **fields}
        return self.manager.add_server("node " + uuid.uuid4().hex[:8], **fields)["id"]

    def agent(self, **fields):
        """An agent that reports ON."""
        agent = self.manager.join(self.add(**fields), mac())
        self.assertEqual(agent.say("ON"), "ON")
        return agent

    def check_problem(self, answer, status, kind):
        self.assertEqual((answer.status, answer["type"]), (status, "/problems/" + kind), answer)

    def types(self, server, **query):
        return [e["type"] for e in self.manager.events(server=server, **query)]


class Joining(Told):
    def token(self, server, **body):
        return self.api("POST", f"/servers/{server}/join-token", body)["join_token"]

    def join(self, token, cards, headers=None):
        return self.manager.ask("POST", "/agent/v1/join", {
            "join_token": token, "hostname": "machine", "mac_addresses": cards,
            "agent_version": "1", "os": "Debian 12"}, headers=headers)

    def test_the_first_machine_gives_the_server_its_macs_and_a_token_joins_once(self):
        server, card = self.add(), mac()
        token = self.token(server)
        key = {"Idempotency-Key": "join"}
        joined = self.join(token, [card.upper().replace(":", "-")], key)
        self.assertEqual(joined.status, 200, joined)
        self.assertEqual(joined["server_id"], server)
        self.assertEqual(joined["heartbeat_interval_seconds"], 10)
        self.assertEqual(len(base64.b64decode(joined["order_key"])), 32)
        shown = self.manager.server(server)
        self.assertEqual(shown["mac_addresses"], [card])
        self.assertEqual((shown["agent"]["enrolled"], shown["agent"]["hostname"]),
                         (True, "machine"))

        again = self.join(token, [card.upper().replace(":", "-")], key)
        self.assertEqual((again.status, again.json), (200, {**joined.json, "agent_token": None}))
        self.check_problem(self.join(token, [card]), 401, "not-signed-in")
        self.assertEqual(self.types(server),
                         ["ServerAdded", "JoinTokenCreated", "AgentJoined"])

    def test_of_two_machines_that_race_for_a_token_one_wins(self):
        server = self.add()
        token = self.token(server)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.join(token, [mac()]), range(8)))
        self.assertEqual(sorted(a.status for a in answers), [200] + [401] * 7)

    def test_the_wrong_machine_is_refused_and_named_unless_any_may_join(self):
        card, other = mac(), mac()
        server, neighbour = self.add(mac_addresses=[card]), self.add(mac_addresses=[other])
        token = self.token(server)
        for cards in ([mac()], [card, other], []):
            answer = self.join(token, cards)
            self.check_problem(answer, 409, "wrong-machine")
            self.assertIn("machine", answer["detail"])
        self.assertEqual(self.join(token, [card]).status, 200)  # a refusal spends no token
        stranger = mac()
        joined = self.join(self.token(server, any_machine=True), [stranger, other])
        self.assertEqual(joined.status, 200, joined)
        self.assertEqual(self.manager.server(server)["mac_addresses"], [card, stranger])
        self.assertEqual(self.manager.server(neighbour)["mac_addresses"], [other])

    def test_a_new_join_ends_the_earlier_credential(self):
        first = self.agent()
        second = self.manager.join(first.server_id, any_machine=True)
        self.check_problem(first.heartbeat("ON"), 401, "not-signed-in")
        self.assertEqual(second.say("ON"), "ON")


class Reporting(Told):
    def report(self, agent, **body):
        """A report of just this."""
        return self.manager.ask("POST", "/agent/v1/heartbeat", body, token=agent.token)

    def test_a_report_is_answered_with_what_the_machine_is_to_do(self):
        agent = self.agent()
        answer = agent.heartbeat("ON")
        self.assertEqual(answer["power_status"], "ON")
        self.assertEqual(answer["heartbeat_interval_seconds"], 10)
        self.assertEqual(answer.headers["ETag"], f'"{answer["manifest_version"]}"')
        head = answer["head"]
        last = self.manager.events(server=agent.server_id)[-1]
        self.assertEqual(last["type"], "HeartbeatReceived")
        self.assertEqual((head["sequence"], head["hash"], head["epoch"]),
                         (last["sequence"], last["hash"], 1))
        self.assertEqual(len(base64.b64decode(head["mac"])), 32)
        self.assertEqual(len(base64.b64decode(head["signature"])), 64)
        self.assertNotIn("order", answer.json)
        self.assertNotIn("notice", answer.json)

    def test_a_wrong_report_is_refused_without_an_event(self):
        agent = self.agent()
        before = self.api("GET", "/head")["sequence"]
        for fields in ({"status": "None"}, {"status": None}, {"boot_id": "x"}, {"nonce": "x"},
                       {"report": -1}, {"blocked_by": "x" * 201}):
            self.check_problem(self.report(agent, **{"status": "ON", **fields}), 422, "validation")
        self.assertEqual(agent.say("ON", colour="blue"), "ON")  # it may be newer than the manager
        after = self.manager.events(server=agent.server_id)[-1]["sequence"]
        self.assertEqual(after, before + 1)

    def test_credentials_open_only_their_own_doors(self):
        agent = self.agent()
        ask = self.manager.ask
        self.assertEqual(ask("GET", "/api/v1/servers", token=agent.token).status, 401)
        self.assertEqual(
            ask("POST", "/agent/v1/heartbeat", {"status": "ON"}, self.manager.token).status, 401)
        self.assertEqual(ask("POST", "/agent/v1/heartbeat", {"status": "ON"}).status, 401)

    def test_an_agent_that_cannot_check_a_signature_is_told_on_and_why(self):
        agent = self.agent()
        self.assertEqual(self.manager.power(agent.server_id, "OFF").status, 202)
        answer = agent.heartbeat("ON", nonce=False)
        self.assertEqual(answer["power_status"], "ON")
        self.assertIn("allow_unsigned", answer["notice"])
        self.api("PATCH", f"/servers/{agent.server_id}", {"allow_unsigned": True})
        answer = agent.heartbeat("ON", nonce=False)
        self.assertEqual((answer["power_status"], "order" in answer.json), ("OFF", False))

    def test_a_signed_order_names_server_boot_nonce_and_request(self):
        agent = self.agent(off_method="suspend")
        request = self.manager.power(agent.server_id, "OFF")["sequence"]
        nonce = support.new_nonce()
        order = self.report(agent, status="ON", nonce=nonce, resume_count=0,
                            boot_id=agent.boot.boot_id)["order"]
        self.assertEqual(len(base64.b64decode(order.pop("signature"))), 64)
        self.assertEqual(order, {
            "method": "suspend", "server_id": agent.server_id, "boot_id": agent.boot.boot_id,
            "resume_count": 0, "nonce": nonce, "sequence": request})
        sent = self.manager.events(server=agent.server_id, type="OrderSent")[-1]["data"]
        self.assertEqual((sent["request"], sent["nonce"], sent["way"]),
                         (request, nonce, "heartbeat"))


class Holding(Told):
    """Manifest calls that are held."""

    def held(self, agent, wait=60, **options):
        """A call under way that is held, and when it began; its answer comes as a future."""
        etag = agent.heartbeat("ON").headers["ETag"]
        pool = concurrent.futures.ThreadPoolExecutor(1)
        self.addCleanup(pool.shutdown)
        call = pool.submit(agent.manifest, wait, etag, **options)
        support.let_pass(0.3)
        self.assertFalse(call.done())
        return call

    def answer(self, call, within=5):
        began = time.monotonic()
        answer = call.result(30)
        self.assertLess(time.monotonic() - began, within)
        return answer

    def test_without_a_known_version_it_answers_at_once(self):
        agent = self.agent()
        answer = agent.manifest(wait=60)
        self.assertEqual((answer.status, answer["power_status"]), (200, "ON"))
        same = agent.manifest(wait=0, etag=answer.headers["ETag"])
        self.assertEqual((same.status, same.raw), (304, b""))
        self.assertEqual(same.headers["ETag"], answer.headers["ETag"])
        self.assertEqual(agent.manifest(wait=61).status, 422)

    def test_it_is_held_over_reports_and_ends_with_its_time(self):
        agent = self.agent()
        call = self.held(agent, wait=2)
        agent.say("ON")
        self.assertEqual(self.answer(call).status, 304)

    def test_an_off_reaches_the_agent_at_once_and_is_an_event_first(self):
        agent = self.agent()
        call = self.held(agent)
        request = self.manager.power(agent.server_id, "OFF")["sequence"]
        answer = self.answer(call)
        self.assertEqual((answer.status, answer["power_status"]), (200, "OFF"))
        self.assertEqual(answer["order"]["sequence"], request)
        sent = self.manager.events(server=agent.server_id, type="OrderSent")[-1]
        self.assertEqual((sent["data"]["way"], sent["cause"]), ("manifest", request))
        self.assertLessEqual(sent["sequence"], answer["head"]["sequence"])
        # Known, it is held again and not handed out twice; asked for anew, it comes with a new
        # nonce: right before the act.
        self.assertEqual(agent.manifest(0, answer.headers["ETag"]).status, 304)
        again = agent.manifest()
        self.assertNotEqual(again["order"]["nonce"], answer["order"]["nonce"])
        self.assertEqual(len(self.manager.events(server=agent.server_id, type="OrderSent")), 2)

    def test_without_the_recorded_identity_it_says_on(self):
        agent = self.agent()
        self.manager.power(agent.server_id, "OFF")
        self.assertEqual(agent.manifest(identity=False)["power_status"], "ON")
        self.assertEqual(agent.manifest(nonce=False)["power_status"], "ON")
        agent.reboot()
        self.assertEqual(agent.manifest()["power_status"], "ON")
        self.assertEqual(self.manager.events(server=agent.server_id, type="OrderSent"), [])

    def test_a_new_interval_ends_it(self):
        agent = self.agent()
        call = self.held(agent)
        self.api("PATCH", f"/servers/{agent.server_id}", {"heartbeat_interval_seconds": 20})
        self.assertEqual(self.answer(call)["heartbeat_interval_seconds"], 20)

    def test_revoking_removing_and_replacing_end_it(self):
        revoked, removed, replaced = self.agent(), self.agent(), self.agent()
        calls = [self.held(agent) for agent in (revoked, removed, replaced)]
        self.assertEqual(self.api("DELETE", f"/servers/{revoked.server_id}/agent").status, 200)
        self.assertEqual(
            self.api("DELETE", f"/servers/{removed.server_id}?force=true").status, 200)
        self.manager.join(replaced.server_id, any_machine=True)
        for agent, call, status, kind in zip((revoked, removed, replaced), calls, (401, 410, 401),
                                             ("not-signed-in", "gone", "not-signed-in")):
            self.check_problem(self.answer(call), status, kind)
            self.check_problem(agent.heartbeat("ON"), status, kind)
        self.check_problem(
            self.api("DELETE", f"/servers/{revoked.server_id}/agent"), 404, "not-found")

    def test_stopping_the_manager_ends_it(self):
        with support.Manager() as manager:
            manager.set_up()
            agent = manager.join(manager.add_server("lamp", wake=WAKE)["id"])
            call = self.held(agent)
            began = time.monotonic()
            self.assertEqual(manager.stop(), 0)
            self.assertLess(time.monotonic() - began, 10)
            self.check_problem(self.answer(call), 503, "starting")


class Guards(Told):
    def test_the_machine_the_manager_runs_on_goes_off_only_when_that_is_said(self):
        found = pathlib.Path("/sys/class/net").glob("*/address")
        cards = [path.read_text().strip() for path in found if path.parent.name != "lo"]
        cards = [card for card in cards if len(card) == 17 and card != "00:00:00:00:00:00"]
        if not cards:
            self.skipTest("this machine has no network card")
        server = self.add(mac_addresses=[cards[0]])
        self.check_problem(self.manager.power(server, "OFF"), 409, "own-host")
        self.assertEqual(self.manager.power(server, "OFF", include_manager=True).status, 202)

    def test_two_machines_that_report_as_one_are_set_aside_until_reinstated(self):
        agent = self.agent()
        path = f"/servers/{agent.server_id}"
        self.check_problem(self.api("POST", path + "/agent/reinstate"), 409, "conflict")
        clone = support.Agent(self.manager, agent.server_id, agent.token, agent.order_key)
        clone.boot = agent.boot
        agent.reboot()
        agent.say("ON")
        for _ in range(2):
            clone.report += 10
            self.assertIn("did not count", clone.heartbeat("ON")["notice"])
        self.check_problem(self.manager.power(agent.server_id, "OFF"), 409, "set-aside")
        self.assertEqual(self.api("POST", path + "/agent/reinstate").status, 200)
        self.assertEqual(self.manager.power(agent.server_id, "OFF").status, 202)


if __name__ == "__main__":
    support.main()
