"""A restored disk: the log is older than what an agent was told of it (HTTP 3.3), told from
outside."""

import os
import shutil
import unittest

import raw
import support


def named(event):
    return lambda message: message[0] == event


def witnessed(manager):
    """The sequence in the head witness on disk."""
    return int((manager.data / "head-witness").read_text().split()[3])


class Rollback(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)
        self.server = self.manager.add_server("n", mac_addresses=["52:54:00:00:00:01"])["id"]
        self.agent = self.manager.join(self.server)
        self.agent.say("ON")

    def ready(self):
        return self.manager.ask("GET", "/readyz")["status"]

    def open_stream(self):
        connection = raw.Raw(self.manager.address)
        self.addCleanup(connection.close)
        connection.request("GET /api/v1/stream HTTP/1.1",
                           f"Authorization: Bearer {self.manager.token}")
        self.assertEqual(connection.answer()[0], 200)
        return connection

    def restore_an_older_disk(self):
        """The manager goes on for a while, and the whole directory is put back to what it was."""
        copy = self.manager.data.with_name("copy")
        self.assertEqual(self.manager.stop(), 0)
        shutil.copytree(self.manager.data, copy)
        self.manager.start()
        for _ in range(8):
            head = self.agent.heartbeat("ON")["head"]
        self.assertEqual(self.manager.stop(), 0)
        shutil.rmtree(self.manager.data)
        copy.rename(self.manager.data)
        self.manager.start()
        return head

    def test_a_restored_disk_is_known_by_an_agents_witness(self):
        head = self.restore_an_older_disk()
        stream = self.open_stream()
        snapshot, = stream.events(named("snapshot"))
        self.assertEqual(snapshot[1]["notifications"], [])
        self.assertEqual(self.ready(), "ok")  # nobody has told it yet
        for witness in ({**head, "mac": head["mac"][::-1]}, {**head, "sequence": 10**6},
                        {"epoch": 1}, None):
            self.assertEqual(self.agent.heartbeat("ON", witness=witness).status, 200)
        self.assertEqual(self.ready(), "ok")  # nor has anybody with a wrong MAC

        told = self.agent.heartbeat("ON", witness=head)
        self.assertEqual((told.status, told["power_status"]), (200, "ON"))
        support.wait_until("it is known", lambda: self.ready() == "rolled_back")
        refused = self.manager.power(self.server, "OFF")
        self.assertEqual((refused.status, refused["type"]), (503, "/problems/rolled-back"))
        self.assertEqual([n["kind"] for n in self.manager.notifications()], ["rolled_back"])
        self.assertEqual(stream.events(named("snapshot"))[-1][1]["notifications"],
                         self.manager.notifications())
        self.manager.kill()
        self.manager.start()
        self.assertEqual(self.ready(), "rolled_back")
        stream = self.open_stream()
        snapshot, = stream.events(named("snapshot"))
        self.assertEqual(snapshot[1]["notifications"], self.manager.notifications())

        self.assertEqual(self.manager.api("POST", "/rollback/accept").status, 200)
        support.wait_until("it is accepted", lambda: self.ready() == "ok")
        self.assertEqual(self.manager.notifications(), [])
        self.assertEqual(stream.events(named("snapshot"))[-1][1]["notifications"], [])
        told = self.agent.heartbeat("ON", witness=head)
        self.assertEqual(told["head"]["epoch"], head["epoch"] + 1)
        self.assertEqual(self.ready(), "ok")
        self.assertEqual(self.manager.power(self.server, "OFF").status, 202)
        self.manager.assert_replay_is_served()

    def stream(self, last=None):
        """The first message of a stream: (event, data, id)."""
        with raw.Raw(self.manager.address) as connection:
            resume = [f"Last-Event-ID: {last}"] if last else []
            connection.request("GET /api/v1/stream HTTP/1.1",
                               f"Authorization: Bearer {self.manager.token}", *resume)
            self.assertEqual(connection.answer()[0], 200)
            return connection.events(lambda _: True, patience=5)[0]

    def test_no_stream_resumes_in_a_history_that_was_lost(self):
        lost = self.stream()[2]
        head = self.restore_an_older_disk()
        with raw.Raw(self.manager.address) as watching:
            watching.request("GET /api/v1/stream HTTP/1.1",
                             f"Authorization: Bearer {self.manager.token}")
            watching.answer()
            first, = watching.events(lambda _: True)
            self.assertEqual(first[1]["notifications"], [])
            self.agent.heartbeat("ON", witness=head)
            told = watching.events(lambda message: message[0] == "snapshot")[-1]
            self.assertEqual([n["kind"] for n in told[1]["notifications"]], ["rolled_back"])
            while self.manager.api("GET", "/head")["sequence"] <= head["sequence"]:
                self.agent.heartbeat("ON")
            # The sequences of the lost history are there again, and mean something else.
            for last in (lost, told[2], str(head["sequence"])):
                self.assertEqual(self.stream(last)[0], "snapshot")
            self.assertEqual(self.manager.api("POST", "/rollback/accept").status, 200)
            told = watching.events(lambda message: message[0] == "snapshot")[-1]
            self.assertEqual((told[1]["notifications"], told[1]["epoch"]), ([], 2))
        for last in (lost, str(head["sequence"]), told[2].split(".")[0]):
            self.assertEqual(self.stream(last)[0], "snapshot")
        self.manager.add_server("later")
        event, data, last = self.stream(told[2])
        self.assertEqual((event, data["name"]), ("server", "later"))
        self.assertEqual(last, f"{self.manager.api('GET', '/head')['sequence']}.2")

    def die_after_reports_without_a_witness(self):
        """Killed within a second of the head witness, as a disk keeps it that lost the reports
        after it: the write-ahead log ends where it did at the witness. What the agent was told."""
        while True:
            wal = max((self.manager.data / "log").glob("*.log"), key=lambda f: f.stat().st_size)
            sequence, size = self.agent.heartbeat("ON")["head"]["sequence"], wal.stat().st_size
            support.wait_until("its witness", lambda: witnessed(self.manager) >= sequence)
            head = [self.agent.heartbeat("ON")["head"] for _ in range(3)][-1]
            self.manager.kill()
            if witnessed(self.manager) == sequence:
                break
            self.manager.start()  # the next witness was quicker: once more
        os.truncate(wal, size)
        return head

    def test_the_last_second_lost_after_a_kill_is_known_by_an_agents_witness(self):
        head = self.die_after_reports_without_a_witness()
        self.manager.start()
        # The log alone cannot know: it ends where its own witness says, and is whole.
        self.assertEqual(self.ready(), "ok")
        self.assertEqual(self.manager.replay("verify")[0], 0)
        self.assertLess(self.manager.api("GET", "/head")["sequence"], head["sequence"])
        self.assertEqual(self.agent.heartbeat("ON", witness=head)["power_status"], "ON")
        support.wait_until("the agent's witness tells", lambda: self.ready() == "rolled_back")
        refused = self.manager.power(self.server, "OFF")
        self.assertEqual((refused.status, refused["type"]), (503, "/problems/rolled-back"))
        self.assertEqual([n["kind"] for n in self.manager.notifications()], ["rolled_back"])

    def test_what_an_agent_was_told_is_no_contradiction(self):
        heads = [self.agent.heartbeat("ON")["head"] for _ in range(3)]
        for head in heads:
            self.assertEqual(self.agent.heartbeat("ON", witness=head).status, 200)
        self.manager.kill()
        self.manager.start()
        self.assertEqual(self.agent.heartbeat("ON", witness=heads[-1]).status, 200)
        self.assertEqual(self.ready(), "ok")


if __name__ == "__main__":
    support.main()
