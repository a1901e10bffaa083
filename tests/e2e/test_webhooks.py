"""Notifications sent out (HTTP 3.2, webhooks), to real receivers on loopback."""

import json
import pathlib
import select
import socket
import tempfile
import time
import unittest

import support
import tls
from receiver import Receiver
from support import let_pass, wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STATUSES = ("Crashed", "Unknown", "StartupDelayed", "ShutdownDelayed")


class Story(unittest.TestCase):
    ENVIRONMENT = {}

    def given_a_manager(self):
        manager = support.Manager(env=self.ENVIRONMENT).set_up()
        manager.api("PATCH", "/settings", {"heartbeat_interval_seconds": 1, "missed_heartbeats": 2,
                                           "standby_time_seconds": 1})
        return manager

    def given_a_receiver(self, *args, **options):
        receiver = Receiver(*args, **options)
        self.addCleanup(receiver.close)
        return receiver

    def add(self, manager, receiver, **fields):
        """A webhook; its answer and the receiver's URL are kept on the receiver."""
        made = manager.api("POST", "/webhooks", {
            "name": "hook", "url": receiver.url, "secret": SECRET, **fields})
        self.assertEqual(made.status, 201, made)
        receiver.hook = made.json
        return made

    def crash(self, manager, number):
        """A server that falls silent; its id."""
        mac = f"52:54:00:00:06:{number:02x}"
        server = manager.add_server(f"crashes{number}", mac_addresses=[mac])["id"]
        agent = manager.join(server, mac=mac)
        agent.say(), agent.say()
        wait_until("it crashed", lambda: manager.status(server) == "Crashed")
        return server

    def told_of(self, receiver, server):
        return [message for message in receiver.messages
                if message.json.get("type") == "notification"
                and server in [one["id"] for one in message.json["data"]["servers"]]]

    def wait_for_message(self, receiver, server, count=1, timeout=20):
        wait_until("the message", lambda: len(self.told_of(receiver, server)) >= count, timeout)
        return self.told_of(receiver, server)


@support.together
class Webhooks(Story):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        cls.trusted = tls.make_certificate(folder, "trusted")
        cls.stranger = tls.make_certificate(folder, "stranger")
        cls.ENVIRONMENT = {"SSL_CERT_FILE": str(cls.trusted[0])}
        cls.manager = cls.given_a_manager(cls)
        # Many that crash at once would be told together: so these go on.
        for number in range(1, 10):
            mac = f"52:54:00:00:07:{number:02x}"
            server = cls.manager.add_server(f"quiet{number}", mac_addresses=[mac],
                                            heartbeat_interval_seconds=3600)["id"]
            cls.manager.join(server, mac=mac).say()

    @classmethod
    def tearDownClass(cls):
        cls.manager.assert_replay_is_served()
        cls.manager.close()
        cls.folder.cleanup()

    def test_a_webhook_is_made_read_changed_and_removed(self):
        receiver = self.given_a_receiver()
        made = self.add(self.manager, receiver, secret="whsec_" + "A" * 32, name="ops",
                        statuses=["Crashed", "Unknown"])
        path = f"/webhooks/{made['id']}"
        self.assertEqual(made["secret"], "whsec_" + "A" * 32)
        self.assertEqual(made["url"], receiver.url.replace("token=hidden", "…"))
        read = self.manager.api("GET", path)
        self.assertNotIn("secret", read.json)
        self.assertEqual((read["name"], read["preset"], read["statuses"], read["enabled"]),
                         ("ops", "generic", ["Crashed", "Unknown"], True))
        self.assertIn(made["id"], [hook["id"] for hook in
                                   self.manager.api("GET", "/webhooks?limit=1000")["items"]])
        changed = self.manager.api("PATCH", path, {"enabled": False},
                                   headers={"If-Match": read.headers["ETag"]})
        self.assertEqual((changed.status, changed["enabled"]), (200, False), changed)
        stale = self.manager.api("PATCH", path, {"name": "x"},
                                 headers={"If-Match": read.headers["ETag"]})
        self.assertEqual(stale.status, 412)
        self.assertIsNone(self.manager.api("PATCH", path, {"enabled": False})["sequence"])
        self.assertEqual(self.manager.api("DELETE", path).status, 200)
        for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
            self.assertEqual(self.manager.api(method, path, body).status, 404)
        self.assertEqual(self.manager.api("POST", path + "/test").status, 404)

    def test_what_is_said_wrong_is_named_and_changes_nothing(self):
        right = {"name": "n", "url": "https://x.example/"}
        for field, value in [
                ("url", "ftp://x/"), ("url", "https://u:p@x/"), ("url", "https://"),
                ("url", "https://x:0/"), ("url", "https://x/#y"), ("url", "https://x y/"),
                ("url", "//x"), ("url", "https://[::1"), ("name", ""), ("name", "a\nb"),
                ("preset", "teams"), ("secret", "whsec_AAAA"), ("secret", "hunter2"),
                ("statuses", ["ON"]), ("statuses", "Crashed"), ("enabled", 1), ("colour", "red")]:
            answer = self.manager.api("POST", "/webhooks", {**right, field: value})
            self.assertEqual(answer.status, 422, (field, value, answer))
            self.assertEqual([fault["field"] for fault in answer["errors"]], [field])

    def test_a_crash_is_told_once_and_signed_to_those_who_chose_it(self):
        chosen, other, off = (self.given_a_receiver() for _ in range(3))
        self.add(self.manager, chosen, statuses=["Crashed"])
        self.add(self.manager, other, statuses=["StartupDelayed"])
        self.add(self.manager, off, enabled=False)
        server = self.crash(self.manager, 1)
        message, = self.wait_for_message(chosen, server)
        self.assertTrue(message.is_signed_with(SECRET))
        self.assertFalse(message.is_signed_with("whsec_" + "A" * 32))
        self.assertEqual(message.headers["Content-Type"], "application/json")
        shown, = (n for n in self.manager.notifications() if n["server_ids"] == [server])
        data = message.json["data"]
        self.assertEqual(message.id, shown["id"])
        self.assertEqual(data["servers"], [{"id": server, "name": "crashes1"}])
        for name in ("id", "kind", "severity", "text", "since", "actions"):
            self.assertEqual(data[name], shown[name])
        self.assertEqual(message.json["timestamp"], shown["since"])
        let_pass(3)
        self.assertEqual(len(self.told_of(chosen, server)), 1)
        self.assertEqual((other.messages, off.messages), ([], []))

    def test_each_preset_says_it_as_its_receiver_takes_it(self):
        receivers = {preset: self.given_a_receiver(200)
                     for preset in ("generic", "slack", "discord", "ntfy")}
        for preset, receiver in receivers.items():
            self.add(self.manager, receiver, preset=preset, name="a <b> & c")
            tried = self.manager.api("POST", f"/webhooks/{receiver.hook['id']}/test")
            self.assertEqual((tried.status, tried["delivered"], tried["status"]), (200, True, 200))
            message, = receiver.messages
            self.assertEqual(message.id, tried["message_id"])
            self.assertTrue(message.is_signed_with(SECRET))
        text = "A trial of the webhook a <b> & c: nothing has happened."
        said = {preset: receiver.messages[0] for preset, receiver in receivers.items()}
        self.assertEqual((said["generic"].json["type"], said["generic"].json["data"]),
                         ("test", {"text": text}))
        self.assertEqual(said["slack"].json, {
            "text": "A trial of the webhook a &lt;b&gt; &amp; c: nothing has happened."})
        self.assertEqual(said["discord"].json, {
            "content": text, "allowed_mentions": {"parse": []}})
        self.assertEqual(said["ntfy"].body.decode(), text)
        self.assertEqual(said["ntfy"].headers["Title"], "CPM")
        for preset in ("slack", "discord", "ntfy"):
            shown = self.manager.api("GET", f"/webhooks/{receivers[preset].hook['id']}")["url"]
            self.assertEqual(shown, receivers[preset].url.split("hook")[0] + "…")

    def test_over_tls_it_has_to_be_trusted(self):
        trusted = self.given_a_receiver(certificate=self.trusted)
        stranger = self.given_a_receiver(certificate=self.stranger)
        tried = []
        for receiver in (trusted, stranger):
            self.add(self.manager, receiver)
            tried.append(self.manager.api("POST", f"/webhooks/{receiver.hook['id']}/test"))
        self.assertEqual((tried[0]["delivered"], tried[0]["status"]), (True, 204), tried)
        self.assertEqual((tried[1]["delivered"], tried[1]["status"]), (False, None), tried)
        self.assertIn("does not prove to be 127.0.0.1", tried[1]["detail"])
        self.assertEqual(stranger.messages, [])

    def test_what_answers_nonsense_or_is_link_local_is_no_delivery(self):
        with support.contextlib.ExitStack() as stack:
            server = stack.enter_context(support.http.client.socket.create_server(("127.0.0.1", 0)))
            port = server.getsockname()[1]
            support.concurrent.futures.ThreadPoolExecutor(1).submit(speak_nonsense, server)
            for url, said in ((f"http://127.0.0.1:{port}/", "no answer came"),
                              ("http://169.254.169.254/latest", "link-local"),
                              ("http://[::ffff:169.254.169.254]/", "link-local"),
                              ("http://no.such.host.invalid/", "is not known")):
                made = self.manager.api("POST", "/webhooks", {"name": "n", "url": url})
                tried = self.manager.api("POST", f"/webhooks/{made['id']}/test")
                self.assertEqual((tried["delivered"], tried["status"]), (False, None), tried)
                self.assertIn(said, tried["detail"])
                self.manager.api("DELETE", f"/webhooks/{made['id']}")

    def test_the_log_tells_of_changes_and_no_secret(self):
        receiver = self.given_a_receiver()
        made = self.add(self.manager, receiver, name="told", preset="slack")
        path = f"/webhooks/{made['id']}"
        self.manager.api("PATCH", path, {"secret": "whsec_" + "B" * 44, "name": "renamed"})
        self.manager.api("DELETE", path)
        events = [event for event in self.manager.events(type="SettingsChanged")
                  if f"webhooks.{made['id']}" in event["data"]["changes"]]
        told = [event["data"]["changes"][f"webhooks.{made['id']}"] for event in events]
        self.assertEqual([one and one["name"] for one in told], ["told", "renamed", None])
        self.assertEqual(told[0], {"name": "told", "preset": "slack", "statuses": [],
                                   "enabled": True, "to": receiver.url.split("/hook")[0]})
        text = json.dumps(self.manager.events())
        for secret in (SECRET, "whsec_", "hidden"):
            self.assertNotIn(secret, text)


@support.together
class Alone(Story):
    """Each with a manager of its own: what its receivers hear is of one story alone."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def start(self):
        self.manager = self.given_a_manager()
        self.addCleanup(self.manager.close)

    def test_what_fails_is_tried_again_with_the_same_id(self):
        self.start()
        answers = iter([500, 302, 204])
        receiver = self.given_a_receiver(lambda message: next(answers, 204))
        receiver.headers["Location"] = receiver.url.replace("/hook", "/elsewhere")
        receiver.headers["Retry-After"] = "1"
        self.add(self.manager, receiver)
        server = self.crash(self.manager, 2)
        first, second = self.wait_for_message(receiver, server, 2)[:2]
        self.assertEqual(first.id, second.id)
        self.assertEqual(first.body, second.body)
        self.assertGreater(second.at - first.at, 4)
        self.assertTrue(second.is_signed_with(SECRET))
        self.assertEqual({message.path.split("?")[0] for message in receiver.messages}, {"/hook"})
        path = f"/webhooks/{receiver.hook['id']}"
        wait_until("its result", lambda: self.manager.api("GET", path)["last_result"] ==
                   "answered 302")
        self.assertGreaterEqual(self.manager.api("GET", path)["pending"], 1)
        self.assertNotIn("hidden", self.manager.output())
        self.assertNotIn(SECRET, self.manager.output())

    def test_gone_ends_it(self):
        self.start()
        receiver = self.given_a_receiver(410)
        self.add(self.manager, receiver)
        server = self.crash(self.manager, 3)
        self.wait_for_message(receiver, server)
        path = f"/webhooks/{receiver.hook['id']}"
        let_pass(6)
        self.assertEqual(len(self.told_of(receiver, server)), 1)
        self.assertEqual(self.manager.api("GET", path)["last_result"], "answered 410")

    def test_a_receiver_that_hangs_delays_nobody(self):
        self.start()
        hangs, dead, quick = (self.given_a_receiver(status) for status in (None, 204, 204))
        dead.close()
        for receiver in (hangs, dead, quick):
            self.add(self.manager, receiver)
        server = self.crash(self.manager, 4)
        self.wait_for_message(hangs, server)
        self.wait_for_message(quick, server, timeout=5)
        for _ in range(20):
            began = time.monotonic()
            self.assertEqual(self.manager.api("GET", "/head").status, 200)
            self.assertEqual(self.manager.api("POST", f"/servers/{server}/join-token").status, 201)
            self.assertLess(time.monotonic() - began, 5)
        path = f"/webhooks/{dead.hook['id']}"
        wait_until("its result", lambda: "cannot be reached" in
                   (self.manager.api("GET", path)["last_result"] or ""))

    def test_what_was_not_delivered_is_delivered_later_and_what_was_is_not_again(self):
        self.start()
        receiver = self.given_a_receiver(503)
        self.add(self.manager, receiver)
        server = self.crash(self.manager, 1)
        first, = self.wait_for_message(receiver, server)[:1]
        self.manager.kill()
        receiver.status = 204
        self.manager.start()
        later = self.wait_for_message(receiver, server, 2)[-1]
        self.assertEqual((later.id, later.body), (first.id, first.body))
        path = f"/webhooks/{receiver.hook['id']}"
        wait_until("nothing pending", lambda: self.manager.api("GET", path)["pending"] == 0)
        count = len(receiver.messages)
        self.manager.kill()
        self.manager.start()
        let_pass(3)
        self.assertEqual(len(receiver.messages), count)
        self.manager.assert_replay_is_served()

    def test_many_that_fall_silent_at_once_are_one_message(self):
        self.start()
        receiver = self.given_a_receiver()
        self.add(self.manager, receiver, statuses=["Crashed"])
        agents = []
        for number in range(6):
            mac = f"52:54:00:00:08:{number:02x}"
            server = self.manager.add_server(f"many{number}", mac_addresses=[mac],
                                             missed_heartbeats=3)["id"]
            agents.append(self.manager.join(server, mac=mac))
        for _ in range(2):
            for agent in agents:
                agent.say()
        wait_until("one message", lambda: receiver.messages, 20)
        let_pass(3)
        message, = receiver.messages
        self.assertEqual(message.json["data"]["kind"], "silence_of_many")
        self.assertEqual({one["id"] for one in message.json["data"]["servers"]},
                         {agent.server_id for agent in agents})


class SilentNameServer(Story):
    def test_it_delays_no_other_webhook_and_no_stop(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.77", 53))
        folder = self.enterContext(tempfile.TemporaryDirectory())
        asked = pathlib.Path(folder) / "resolv.conf"
        asked.write_text("nameserver 127.0.0.77\n" * 2)
        of_its_own = ["unshare", "--mount", "sh", "-c",
                      f'mount --bind {asked} /etc/resolv.conf && exec "$@"', "sh"]
        manager = self.enterContext(support.Manager(prefix=of_its_own)).set_up()
        manager.api("PATCH", "/settings", {"heartbeat_interval_seconds": 1, "missed_heartbeats": 2})
        for number in range(4):
            made = manager.api("POST", "/webhooks", {
                "name": "lost", "url": f"http://hook{number}.example/"})
            self.assertEqual(made.status, 201, made)
        receiver = self.given_a_receiver()
        self.add(manager, receiver)
        server = self.crash(manager, 1)
        # Looking up one of the others' names takes the system 20 s.
        self.wait_for_message(receiver, server, timeout=40)
        self.assertTrue(select.select([silent], [], [], 20)[0])
        began = time.monotonic()
        self.assertEqual(manager.stop(), 0)
        self.assertLess(time.monotonic() - began, 10)


def speak_nonsense(server):
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"220 mail.example ESMTP\r\n")


if __name__ == "__main__":
    support.need_program("openssl", "unshare", "mount")
    support.main()
