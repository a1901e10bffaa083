"""Two segments that broadcasts do not cross: sleeping machines, whose cards are told by nothing but
frames on the wire, are woken by a directed broadcast, by a SecureOn password and by a relay."""

import concurrent.futures
import json
import unittest

import far
import network
import support
from support import let_pass, wait_until

PASSWORD = "0102030405ff"
FAST = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 3, "standby_time_seconds": 120}

# What the unit of the agent leaves it.
NO_CAPABILITY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


class WakeAcrossSegments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.segment = network.Segment()
        cls.addClassCleanup(cls.segment.close)
        cls.far = far.FarSegment()
        cls.addClassCleanup(cls.far.close)
        cls.manager = support.Manager(listen=f"{network.MANAGER_ADDRESS}:0",
                                      args=["--https", f"{network.MANAGER_ADDRESS}:0"])
        cls.addClassCleanup(cls.manager.close)
        cls.manager.set_up()
        changed = cls.manager.api("PATCH", "/settings", {
            "agents_over_plain_http": True, "release_standby_when_settled": True})
        assert changed.status == 200, changed

    @classmethod
    def tearDownClass(cls):
        cls.manager.assert_replay_is_served()

    # --- machines and their servers ---

    def given(self, name, on, **fields):
        """A server, and the machine with the real agent that has joined as it; off."""
        machine = far.AgentMachine(on)
        self.addCleanup(machine.close)
        server = self.manager.add_server(name, mac_addresses=[on.mac], **FAST, **fields)["id"]
        made = self.manager.api("POST", f"/servers/{server}/join-token", {})
        machine.join(f"https://{self.manager.ready['https']}", made["join_token"],
                     "--ca-pin", self.manager.ready["ca_pin"])
        return server, machine

    def given_an_old_agent(self, name, on):
        """A running server with the documentation's agent, which knows nothing of relaying."""
        server = self.manager.add_server(
            name, mac_addresses=[on.mac], allow_unsigned=True, **FAST)["id"]
        token = self.manager.join(server, mac=on.mac, hostname=name).token
        on.boot("http://{}:{}".format(*self.manager.address), token)
        self.addCleanup(on.cut_power)
        self.until(server, "ON")
        return server

    def until(self, server, status):
        wait_until(f"{status}", lambda: self.manager.status(server) == status, 60)

    def ask(self, server, target):
        asked = self.manager.power(server, target)
        self.assertEqual(asked.status, 202, asked)

    def put_to_sleep(self, server, machine):
        """It is switched off as ordered, by its own agent."""
        machine.boot_anew()
        self.until(server, "ON")
        self.ask(server, "OFF")
        wait_until("it goes down", machine.acted, 30)
        machine.kill()
        self.until(server, "OFF")

    def wakes(self, server, relay=None):
        """What the log says of packets the manager sent, or one relay."""
        return [event["data"] for event in self.manager.events(server=server, type="WakeSent")
                if event["data"]["relay"] == relay]

    # --- the stories, one after the other: the last one's relay would help the others ---

    def test_0_a_held_call_is_answered_at_once_when_its_machine_is_to_wake_another(self):
        on = self.segment.add_machine()
        card = far.Card(on, lambda: None)
        helper = self.manager.add_server("helper", heartbeat_interval_seconds=3600)["id"]
        agent = self.manager.join(helper, mac="52:54:00:77:01:01")
        agent.say(), agent.say()
        server = self.manager.add_server("near", mac_addresses=[on.mac], **FAST, wake={
            "broadcast_address": "10.77.0.255"})["id"]
        etag = agent.manifest().headers["ETag"]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            held = pool.submit(agent.manifest, wait=60, etag=etag)
            self.ask(server, "ON")
            answer = held.result(30)  # the manager's own packets come first
        self.assertEqual(answer.status, 200, answer)
        self.assertGreaterEqual(len(self.wakes(server)), 3)
        wake, = answer["wake"]
        self.assertEqual(wake["mac_address"], on.mac)
        self.assertEqual(self.wakes(server, helper), [])
        told = agent.heartbeat(woke=[wake["id"]])
        self.assertNotIn("wake", told.json)
        sent, = self.wakes(server, helper)
        self.assertTrue(sent["ok"])
        self.assertTrue(card.heard)
        for one in (server, helper):
            gone = self.manager.api("DELETE", f"/servers/{one}?force=true")
            self.assertEqual(gone.status, 200, gone)

    def test_1_a_directed_broadcast_crosses_a_router_that_forwards_it(self):
        on = self.far.add_machine()
        server, machine = self.given(
            "directed", on, wake={"broadcast_address": far.FAR_BROADCAST})
        card = far.Card(on, machine.boot_anew)
        self.ask(server, "ON")
        wait_until("packets were sent", lambda: len(self.wakes(server)) >= 2)
        let_pass(0.5)
        self.assertEqual(card.heard, [])  # the router keeps them
        self.far.forward_directed_broadcasts()
        card.wait_for(lambda: card.woken_by, "the directed broadcast")
        self.until(server, "ON")
        self.assertEqual({(how, sender) for how, sender, _ in card.heard},
                         {(far.UDP, network.MANAGER_ADDRESS)})
        for wake in self.wakes(server):
            self.assertTrue(wake["ok"], wake)
            self.assertEqual(wake["way"], f"UDP {far.FAR_BROADCAST} port 9 by the routing table")

    def test_2_a_card_with_a_password_wakes_for_it_alone(self):
        on = self.segment.add_machine()
        server, machine = self.given("secured", on, wake={"secure_on": "ff0504030201"})
        card = far.Card(on, machine.boot_anew, bytes.fromhex(PASSWORD))
        self.ask(server, "ON")
        card.wait_for(lambda: len(card.heard) >= 4, "packets with another password")
        self.assertIsNone(card.woken_by)
        changed = self.manager.api("PATCH", f"/servers/{server}", {
            "wake": {"secure_on": "01:02:03:04:05:FF"}})
        self.assertEqual(changed.status, 200, changed)
        card.wait_for(lambda: card.woken_by, "a packet with its password")
        self.until(server, "ON")
        # Each packet came as a UDP broadcast and as a frame of its own type.
        ways = [how for how, _, _ in card.heard]
        self.assertEqual(ways.count(far.UDP), ways.count(far.WAKE_FRAME))
        self.assertEqual(self.wakes(server)[-1]["way"],
                         "UDP 255.255.255.255 port 9 by segment; Ethernet by segment")
        self.check_is_secret(changed)

    def test_3_a_relay_wakes_a_machine_on_its_segment(self):
        old_one, sleepers, helpers = (self.far.add_machine() for _ in range(3))
        server, machine = self.given("sleeper", sleepers, wake={"secure_on": PASSWORD})
        self.put_to_sleep(server, machine)
        old = self.given_an_old_agent("old", old_one)
        relay, helper = self.given("relay", helpers)
        helper.start(NO_CAPABILITY)
        self.until(relay, "ON")
        card = far.Card(sleepers, machine.boot_anew, bytes.fromhex(PASSWORD))

        # The old one comes first, does not know what to do, and holds nobody up.
        self.ask(server, "ON")
        card.wait_for(lambda: card.woken_by, "the relay's packet")
        self.until(server, "ON")
        self.assertEqual({(how, sender) for how, sender, _ in card.heard},
                         {(far.UDP, helpers.address)})  # frames it may not send
        wait_until("who sent it", lambda: self.wakes(server, relay))
        sent = self.wakes(server, relay)[0]
        self.assertEqual((sent["mac_address"], sent["way"], sent["ok"]),
                         (sleepers.mac, "relay", True))
        silent = self.wakes(server, old)[0]
        self.assertEqual((silent["way"], silent["ok"]), ("relay", False))
        self.assertEqual(silent["detail"], "the agent of old did not say that it sent it")
        self.assertEqual(self.manager.status(old), "ON")
        self.assertIn(f"sent a magic packet for {sleepers.mac} (UDP 255.255.255.255", helper.said())
        self.assertNotIn(PASSWORD, helper.said())

    def check_is_secret(self, shown):
        """The password is in no answer and in no event."""
        everything = shown.raw + json.dumps(self.manager.events()).encode()
        self.assertNotIn(PASSWORD.encode(), everything)
        self.assertNotIn(b"secure_on", shown.raw)


if __name__ == "__main__":
    network.need_namespaces()
    support.need_private_mounts()
    support.need_program("setpriv")
    support.main()
