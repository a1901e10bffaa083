"""Rotating an agent's own token (HTTP 3.3): with plain requests, and by the real agent."""

import json
import unittest

import support
from machine import Machine, wait_for_status
from support import let_pass, wait_until

FAST = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 5}


class Rotation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager().set_up()

    @classmethod
    def tearDownClass(cls):
        cls.manager.assert_replay_is_served()
        cls.manager.close()

    def rotate(self, token, **headers):
        return self.manager.ask("POST", "/agent/v1/token", token=token, headers=headers)

    def rotations(self, server):
        return len(self.manager.events(server=server, type="AgentTokenRotated"))

    def joined(self, number):
        mac = f"52:54:00:00:04:{number:02x}"
        server = self.manager.add_server(f"n{number}", mac_addresses=[mac])["id"]
        return self.manager.join(server, mac=mac)

    def test_the_old_token_dies_with_the_first_use_of_the_new(self):
        agent = self.joined(1)
        agent.say("ON")
        old = agent.token
        first, second = (self.rotate(old)["agent_token"] for _ in range(2))
        self.assertEqual(len({old, first, second}), 3)
        self.assertEqual(self.rotations(agent.server_id), 0)
        self.assertEqual(agent.say("ON"), "ON")  # nobody used a new one yet
        agent.token = first  # the answer that a later question overtook
        self.assertEqual(agent.heartbeat("ON").status, 401)

        agent.token = second
        self.assertEqual(agent.heartbeat("nonsense").status, 422)  # no use: it changed nothing
        self.assertEqual(self.rotations(agent.server_id), 0)
        self.assertEqual(agent.say("ON"), "ON")
        self.assertEqual(agent.say("ON"), "ON")
        self.assertEqual(self.rotations(agent.server_id), 1)
        agent.token = old
        for answer in (agent.heartbeat("ON"), agent.manifest(), self.rotate(old)):
            self.assertEqual(answer.status, 401)

    def test_it_holds_over_a_kill_before_and_after_the_first_use(self):
        agent = self.joined(2)
        old, new = agent.token, self.rotate(agent.token)["agent_token"]
        self.manager.kill()
        self.manager.start()
        self.assertEqual(agent.say("ON"), "ON")
        agent.token = new
        self.assertEqual(agent.manifest().status, 200)
        self.manager.kill()
        self.manager.start()
        agent.token = old
        self.assertEqual(agent.heartbeat("ON").status, 401)
        agent.token = new
        self.assertEqual(agent.say("ON"), "ON")
        self.assertEqual(self.rotations(agent.server_id), 1)

    def test_an_idempotency_key_shows_no_token_twice(self):
        agent = self.joined(3)
        made = self.rotate(agent.token, **{"Idempotency-Key": "once"})
        again = self.rotate(agent.token, **{"Idempotency-Key": "once"})
        self.assertEqual((made.status, again.status), (200, 200))
        self.assertIsNone(again["agent_token"])
        agent.token = made["agent_token"]
        agent.say("ON")

    def test_a_revoked_agent_gets_none_and_a_join_ends_what_was_handed_out(self):
        agent = self.joined(4)
        new = self.rotate(agent.token)["agent_token"]
        revoked = self.manager.api("DELETE", f"/servers/{agent.server_id}/agent")
        self.assertEqual(revoked.status, 200, revoked)
        for token in (agent.token, new):
            self.assertEqual(self.rotate(token).status, 401)
        other = self.joined(5)
        handed_out = self.rotate(other.token)["agent_token"]
        again = self.manager.join(other.server_id, mac="52:54:00:00:04:05")
        for token in (other.token, handed_out):
            self.assertEqual(self.rotate(token).status, 401)
        again.say("ON")

    def test_no_secret_is_in_the_log(self):
        agent = self.joined(6)
        new = self.rotate(agent.token)["agent_token"]
        agent.token = new
        agent.say("ON")
        text = json.dumps(self.manager.events())
        for secret in (agent.token, new):
            self.assertNotIn(secret, text)

    # --- the real agent ---

    def machine(self, number):
        support.need_root("a configuration that belongs to root")
        machine = Machine(mac=f"52:54:00:00:05:{number:02x}")
        self.addCleanup(machine.close)
        machine.server = machine.join_as(self.manager, f"real{number}", **FAST)
        machine.file = machine.root / "state/credentials.json"
        return machine

    def change(self, machine, **fields):
        kept = json.loads(machine.file.read_text()) | fields
        machine.file.write_text(json.dumps(kept))
        return kept

    def kept(self, machine):
        return json.loads(machine.file.read_text())

    def test_the_agent_renews_a_token_that_is_a_month_old_and_no_other(self):
        young, old = self.machine(1), self.machine(2)
        before = self.change(old, token_since=1)
        for machine in (young, old):
            machine.start()
            wait_for_status(self.manager, machine.server, "ON")
        wait_until("the rotation", lambda: self.rotations(old.server) == 1)
        kept = self.kept(old)
        self.assertEqual(kept["previous_token"], before["agent_token"])
        self.assertNotEqual(kept["agent_token"], before["agent_token"])
        self.assertEqual(old.file.stat().st_mode & 0o777, 0o600)
        let_pass(3)
        self.assertEqual(self.manager.status(old.server), "ON")
        self.assertEqual(self.rotations(old.server), 1)
        self.assertEqual(self.rotations(young.server), 0)
        self.assertEqual(old.stop(), 0)
        old.start()
        wait_for_status(self.manager, old.server, "ON")

    def test_a_token_that_a_restored_manager_never_heard_of_is_fallen_back_from(self):
        machine = self.machine(3)
        former = self.kept(machine)["agent_token"]
        self.change(machine, agent_token="cpm_agent_unheard_of", previous_token=former)
        machine.start()
        wait_until("a new one", lambda: self.rotations(machine.server) == 1, 20)
        self.assertEqual(self.kept(machine)["previous_token"], former)
        wait_for_status(self.manager, machine.server, "ON")
        self.assertEqual(machine.acted(), [])

    def test_a_token_that_cannot_be_kept_is_not_used(self):
        machine = self.machine(4)
        before = self.change(machine, token_since=1)
        # What replaces the file is written beside it first: here that name is taken.
        (machine.root / "state/credentials.json.new").mkdir()
        machine.start()
        wait_until("the failure", lambda: "token was not renewed" in machine.said())
        let_pass(2)
        self.assertEqual(self.kept(machine), before)
        self.assertEqual(self.manager.status(machine.server), "ON")
        self.assertEqual(self.rotations(machine.server), 0)


if __name__ == "__main__":
    support.main()
