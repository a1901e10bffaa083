"""The event stream (HTTP 3.2): a snapshot, then what changes; resumed by state; ended with its
session, by a reader that does not read, and by a stop."""

import signal
import os
import time
import unittest

import raw
import support
from support import PASSWORD


def named(event):
    return lambda message: message[0] == event


def is_server(server_id, status):
    return lambda m: m[0] == "server" and (m[1]["id"], m[1]["actual_status"]) == (server_id, status)


class Stream(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)
        self.number = 0

    def machine(self, name):
        self.number += 1
        mac = f"52:54:00:00:02:{self.number:02x}"
        return self.manager.join(self.manager.add_server(name, mac_addresses=[mac])["id"], mac=mac)

    def open(self, *fields, last=None):
        connection = raw.Raw(self.manager.address)
        self.addCleanup(connection.close)
        fields = fields or (f"Authorization: Bearer {self.manager.token}",)
        resume = [] if last is None else [f"Last-Event-ID: {last}"]
        connection.request("GET /api/v1/stream HTTP/1.1", *fields, *resume)
        status, head, _ = connection.answer()
        self.assertEqual(status, 200)
        self.assertEqual(head["content-type"], "text/event-stream")
        self.assertEqual((head["cache-control"], head["connection"]), ("no-store", "close"))
        self.assertNotIn("content-length", head)
        return connection

    def assert_ended(self, stream, within=2.0):
        stream.socket.settimeout(within)
        with self.assertRaises(raw.Closed):
            stream.events(lambda _: False)

    def test_a_snapshot_comes_first_then_each_decision_with_one_id(self):
        agent = self.machine("first")
        stream = self.open()
        (event, data, last), = stream.events(named("snapshot"))
        self.assertEqual([s["name"] for s in data["servers"]], ["first"])
        self.assertEqual(data["notifications"], [])
        self.assertEqual(int(last), self.manager.api("GET", "/head")["sequence"])

        agent.say()
        told, = stream.events(is_server(agent.server_id, "ManuallyON"))
        served = self.manager.server(agent.server_id)
        self.assertEqual(told[1], served)
        self.assertEqual(int(told[2]), self.manager.api("GET", "/head")["sequence"])

        # A decision of several events (the OFF is asserted again) is told once.
        self.manager.power(agent.server_id, "OFF")
        stream.events(is_server(agent.server_id, "BeforeStopping"))
        agent.say("Stopping")
        stream.events(is_server(agent.server_id, "Stopping"))
        agent.say("ON")
        self.assertEqual([m[1]["actual_status"] for m in stream.events(lambda m: m[2])],
                         ["BeforeStopping"])

    def test_a_head_of_it_is_a_head_and_the_end(self):
        connection = raw.Raw(self.manager.address)
        self.addCleanup(connection.close)
        connection.request("HEAD /api/v1/stream HTTP/1.1",
                           f"Authorization: Bearer {self.manager.token}")
        status, head, _ = connection.answer(head_only=True)
        self.assertEqual((status, head["content-type"]), (200, "text/event-stream"))
        self.assertTrue(connection.is_closed())

    def test_removals_and_notifications_are_told(self):
        agent = self.machine("removed")
        settings = self.manager.api("PATCH", "/settings", {
            "heartbeat_interval_seconds": 1, "missed_heartbeats": 1})
        self.assertEqual(settings.status, 200, settings)
        stream = self.open()
        before, = stream.events(named("snapshot"))
        agent.say()
        agent.say()
        messages = stream.events(named("notification"))
        self.assertEqual(messages[-1][1]["kind"], "crashed")
        self.assertEqual(messages[-1][1], self.manager.notifications()[0])
        self.assertIn("Crashed", [m[1]["actual_status"] for m in messages if m[0] == "server"])
        gone = self.manager.api("DELETE", f"/servers/{agent.server_id}?force=true")
        self.assertIn(gone.status, (200, 204), gone)
        messages = stream.events(lambda m: m[2] is not None)
        self.assertEqual([m[0] for m in messages], ["server_removed", "notification_cleared"])
        self.assertEqual(messages[0][1]["id"], agent.server_id)
        # Whoever was away meanwhile is told the same by state.
        resumed = self.open(last=before[2])
        self.assertEqual([(m[0], m[1]) for m in resumed.events(lambda m: m[2] is not None)],
                         [(m[0], m[1]) for m in messages])

    def test_routine_heartbeats_are_told_together(self):
        agent = self.machine("seen")
        agent.say()
        agent.say()
        stream = self.open()
        stream.events(named("snapshot"))
        for _ in range(5):
            agent.say()
        messages = stream.events(named("seen"), patience=8)
        self.assertEqual([m[0] for m in messages], ["seen"])
        event, data, last = messages[0]
        self.assertIsNone(last)
        self.assertEqual([s["id"] for s in data["servers"]], [agent.server_id])
        self.assertEqual(data["servers"][0]["last_heartbeat_at"],
                         self.manager.server(agent.server_id)["last_heartbeat_at"])

    def test_it_resumes_by_state(self):
        quiet, busy = self.machine("quiet"), self.machine("busy")
        stream = self.open()
        (_, _, last), = stream.events(named("snapshot"))
        stream.close()
        busy.say()
        busy.say()
        self.manager.add_server("new")
        resumed = self.open(last=last)
        messages = resumed.events(lambda m: m[2] is not None)
        self.assertEqual(sorted(m[1]["name"] for m in messages), ["busy", "new"])
        self.assertIn(("busy", "ON"), [(m[1]["name"], m[1]["actual_status"]) for m in messages])
        # Nothing is told twice, and what follows is live.
        again = self.open(last=messages[-1][2])
        quiet.say()
        self.assertEqual(again.events(named("server"))[0][1]["name"], "quiet")

    def test_an_unknown_id_gets_a_snapshot(self):
        for unknown in ("999999999", "-1", "0", "x", "", "18446744073709551616"):
            self.assertEqual(self.open(last=unknown).events(lambda _: True)[0][0], "snapshot")
        stream = self.open()
        (_, _, last), = stream.events(named("snapshot"))
        self.assertEqual(self.manager.stop(), 0)
        self.manager.start()
        self.assertEqual(self.open(last=last).events(lambda _: True)[0][0], "snapshot")

    def test_nothing_is_missed_by_one_who_comes_and_goes(self):
        """Whatever breaks the connection, the manager's own end too: who resumes with the last id
        it was told has, in the end, exactly what is served."""
        servers = [self.manager.add_server(f"n{i}")["id"] for i in range(5)]
        shown, last, snapshots = {}, None, 0

        def hear(stream, until):
            nonlocal last, snapshots
            for event, data, number in stream.events(until):
                if event == "snapshot":
                    shown.clear()
                    shown.update({server["id"]: server for server in data["servers"]})
                    snapshots += 1
                elif event == "server":
                    shown[data["id"]] = data
                elif event == "server_removed":
                    shown.pop(data["id"], None)
                last = number or last

        def is_change(note):
            return lambda message: message[0] == "server" and message[1]["note"] == note

        for turn in range(12):
            for i, server in enumerate(servers):  # away: some of it is told only by state
                self.manager.api("PATCH", f"/servers/{server}", {"note": f"{turn} {i}"})
            if turn % 4 == 1:
                gone = servers.pop(0)
                self.manager.api("DELETE", f"/servers/{gone}?force=true")
                servers.append(self.manager.add_server(f"new {turn}")["id"])
            if turn == 6:
                self.manager.kill()
                self.manager.start()
            stream = self.open(last=last)
            self.manager.api("PATCH", f"/servers/{servers[0]}", {"note": f"live {turn}"})
            hear(stream, lambda m: is_change(f"live {turn}")(m) or m[0] == "snapshot" and any(
                server["note"] == f"live {turn}" for server in m[1]["servers"]))
            served = self.manager.api("GET", "/servers")["items"]
            self.assertEqual({server["id"]: server["note"] for server in served},
                             {server["id"]: server["note"] for server in shown.values()})
            stream.close()
        self.assertEqual(snapshots, 2)  # at first, and after the manager's end

    def test_a_hundred_streams_at_once_are_told_all_in_the_same_order(self):
        server = self.manager.add_server("watched")["id"]
        streams = [self.open() for _ in range(100)]
        for count in range(20):
            self.manager.api("PATCH", f"/servers/{server}", {"note": f"{count}"})
        told = []
        for stream in streams:
            messages = stream.events(lambda m: m[0] == "server" and m[1]["note"] == "19")
            self.assertEqual(messages[0][0], "snapshot")
            # One that came later has some of it in its snapshot.
            told.append([(m[1]["note"], m[2]) for m in messages if m[0] == "server"])
        self.assertEqual([note for note, _ in told[0]], [str(count) for count in range(20)])
        for notes in told:
            self.assertEqual(notes, told[0])
        start = time.monotonic()
        self.assertEqual(self.manager.stop(), 0)
        for stream in streams:
            self.assert_ended(stream)
        self.assertLess(time.monotonic() - start, 8)

    def test_changed_settings_are_a_new_snapshot(self):
        self.machine("one")
        stream = self.open()
        (_, _, last), = stream.events(named("snapshot"))
        self.manager.api("PATCH", "/settings", {"standby_time_seconds": 77})
        (_, data, _), = stream.events(named("snapshot"))
        self.assertEqual([s["standby_time_seconds"] for s in data["servers"]], [77])
        self.assertEqual(self.open(last=last).events(lambda _: True)[0][0], "snapshot")

    def test_it_ends_with_its_session_or_token(self):
        origin = f"http://{self.manager.address[0]}:{self.manager.address[1]}"
        cookie = self.manager.ask("POST", "/api/v1/session", {
            "username": "alice", "password": PASSWORD}).headers["Set-Cookie"].split(";")[0]
        made = self.manager.api("POST", "/tokens", {"name": "t", "role": "viewer"})
        by_session = self.open(f"Cookie: {cookie}")
        by_token = self.open(f"Authorization: Bearer {made['token']}")
        other = self.open()
        for stream in (by_session, by_token, other):
            stream.events(named("snapshot"))
        self.manager.ask("DELETE", "/api/v1/session", headers={"Cookie": cookie, "Origin": origin})
        self.assert_ended(by_session)
        self.manager.api("DELETE", f"/tokens/{made['id']}")
        self.assert_ended(by_token)
        self.machine("still told")
        self.assertEqual(other.events(named("server"))[0][1]["name"], "still told")

    def test_a_comment_comes_within_fifteen_seconds(self):
        stream = self.open()
        stream.events(named("snapshot"))
        stream.socket.settimeout(17)
        self.assertEqual(stream.socket.recv(100), b":\n\n")

    def test_a_reader_that_does_not_read_is_dropped_and_nobody_else_is(self):
        note = "n" * 3900
        server = self.manager.add_server("long", note=note)["id"]
        slow, good = self.open(), self.open()
        good.events(named("snapshot"))
        for count in range(2200):
            answer = self.manager.api("PATCH", f"/servers/{server}", {"note": f"{count}{note}"})
            self.assertEqual(answer.status, 200, answer)
            good.events(named("server"))
        with self.assertRaises(raw.Closed):
            while True:
                slow.fill()
        self.assertIn(b'"note":"1nnn', slow.buffer)
        self.assertNotIn(f'"note":"{count}nnn'.encode(), slow.buffer)
        metrics = self.manager.ask("GET", "/metrics", token=self.manager.token).raw.decode()
        self.assertIn("\ncpm_stream_clients_dropped_total 1\n", metrics)
        self.manager.add_server("after")
        self.assertEqual(good.events(named("server"))[-1][1]["name"], "after")

    def test_a_stop_ends_streams_and_held_calls_at_once(self):
        agent = self.machine("held")
        agent.say()
        etag = agent.manifest().headers["ETag"]
        held = raw.Raw(self.manager.address)
        self.addCleanup(held.close)
        query = f"wait=60&boot_id={agent.boot.boot_id}&resume_count=0"
        held.request(f"GET /agent/v1/manifest?{query} HTTP/1.1",
                     f"Authorization: Bearer {agent.token}", f"If-None-Match: {etag}")
        stream, idle = self.open(), raw.Raw(self.manager.address)
        self.addCleanup(idle.close)
        idle.request()
        self.assertEqual(idle.answer()[0], 200)
        stream.events(named("snapshot"))
        half = raw.Raw(self.manager.address)
        self.addCleanup(half.close)
        half.send("GET /healthz HTTP/1.1\r\n")
        support.let_pass(0.3)
        start = time.monotonic()
        os.kill(self.manager.pid, signal.SIGTERM)
        self.assertEqual(held.answer()[0], 503)
        self.assert_ended(stream)
        self.assertTrue(idle.is_closed())
        half.send("Host: localhost\r\n\r\n")  # what was under way is answered
        status, fields, _ = half.answer()
        self.assertEqual((status, fields["connection"]), (200, "close"))
        half.close()
        self.assertEqual(self.manager.process.wait(timeout=10), 0)
        self.assertLess(time.monotonic() - start, 3)


if __name__ == "__main__":
    support.main()
