"""Why a server has its status, and which statuses it had (HTTP 3.2): told over the wire, and the
same as cpm-replay tells from the log."""

import json
import unittest

import support


class History(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)

    def server(self, name, number, **fields):
        mac = f"52:54:00:00:05:{number:02x}"
        made = self.manager.add_server(name, mac_addresses=[mac], **fields)
        return self.manager.join(made["id"], mac=mac)

    def history(self, agent, query=""):
        page = self.manager.api("GET", f"/servers/{agent.server_id}/history{query}")
        self.assertEqual(page.status, 200, page)
        return page

    def life(self):
        """A server that goes through a few statuses, among others that do, too."""
        agent = self.server("n", 1, standby_time_seconds=3)
        other = self.server("m", 2)
        for one in (agent, other):
            one.say(), one.say()
        self.manager.power(agent.server_id, "OFF")
        agent.say("Stopping")
        other.say("Stopping")
        support.wait_until("the standby time to pass", lambda: self.manager.status(
            agent.server_id) == "ShutdownDelayed")
        self.manager.api("PATCH", "/settings", {"confirm_above": 9})
        agent.reboot()
        agent.say()
        agent.say()
        return agent

    def test_the_history_is_what_the_log_tells_newest_first(self):
        agent = self.life()
        items = self.history(agent)["items"]
        self.assertEqual([item["to"] for item in items], [
            "ON", "ManuallyON", "ShutdownDelayed", "Stopping", "BeforeStopping", "ON", "ManuallyON",
            "Unknown"])
        for newer, older in zip(items, items[1:]):
            self.assertEqual(newer["from"], older["to"])
            self.assertGreater(newer["sequence"], older["sequence"])
        self.assertEqual(items[-1]["from"], None)
        asked = items[4]
        self.assertEqual((asked["actor"]["name"], [e["type"] for e in asked["events"]]),
                         ("story", ["PowerRequested"]))
        status, text = self.manager.replay("transitions", "n", "--output", "json")
        self.assertEqual(status, 0, text)
        replayed = json.loads(text)
        fields = ("sequence", "from", "to", "reason", "actor", "cause", "events")
        self.assertEqual([{field: one[field] for field in fields} for one in reversed(items)],
                         [{field: one[field] for field in fields} for one in replayed])

    def test_the_history_comes_in_pages(self):
        agent = self.life()
        whole = self.history(agent)
        self.assertEqual(whole["next_cursor"], None)
        for limit in (1, 3, len(whole["items"])):
            items, cursor = [], ""
            while cursor is not None:
                page = self.history(agent, f"?limit={limit}" + (f"&cursor={cursor}" * bool(cursor)))
                self.assertLessEqual(len(page["items"]), limit)
                items += page["items"]
                cursor = page["next_cursor"]
            self.assertEqual(items, whole["items"])
        for query in ("?cursor=x", "?cursor=" + "MA", "?limit=0", "?before=1"):
            answer = self.manager.api("GET", f"/servers/{agent.server_id}/history{query}")
            self.assertEqual(answer.status, 422, (query, answer))

    def test_the_same_history_after_a_restart(self):
        agent = self.life()
        before = self.history(agent)["items"]
        self.manager.kill()
        self.manager.start()
        self.assertEqual(self.history(agent)["items"], before)

    def test_a_status_is_explained_in_words_and_fields(self):
        agent = self.life()
        def explained():
            answer = self.manager.api("GET", f"/servers/{agent.server_id}/explain")
            self.assertEqual(answer.status, 200, answer)
            return answer.json
        on = explained()
        self.assertEqual(on["server"]["reason"], self.manager.server(agent.server_id)["reason"])
        self.assertEqual((on["inputs"]["power"], on["inputs"]["request"]), ("ON", None))
        self.assertEqual(on["inputs"]["boot"]["boot_id"], agent.boot.boot_id)
        self.assertEqual([one["kind"] for one in on["pending"]], ["silence"])
        agent.say()  # routine: it is the last event, and in the place of the one before it
        again = explained()
        sequences = [event["sequence"] for event in again["events"]]
        self.assertEqual(sequences, sorted(sequences))
        self.assertEqual(again["events"][-1]["type"], "HeartbeatReceived")
        self.assertGreater(sequences[-1], on["events"][-1]["sequence"])
        stored = {event["sequence"]: event for event in self.manager.events(server=agent.server_id)}
        for event in again["events"]:
            self.assertEqual(event, stored[event["sequence"]])

        self.manager.power(agent.server_id, "OFF")
        off = explained()
        request = off["inputs"]["request"]
        self.assertEqual((request["target"], request["ordered"], request["actor"]["name"]),
                         ("OFF", True, "story"))
        self.assertEqual({one["kind"]: one["about"] for one in off["pending"]}["standby"],
                         request["sequence"])
        self.assertEqual(off["events"][-1]["type"], "PowerRequested")

    def test_a_server_that_is_not_there_has_neither(self):
        gone = self.manager.add_server("gone")["id"]
        self.manager.api("DELETE", f"/servers/{gone}?force=true")
        for server in (gone, "srv_00000000000000aa", "nonsense"):
            for what in ("explain", "history"):
                answer = self.manager.api("GET", f"/servers/{server}/{what}")
                self.assertEqual((answer.status, answer["type"]), (404, "/problems/not-found"))


if __name__ == "__main__":
    support.main()
