"""The named cases of status model 1.0 and 1.4, told over HTTP: what a machine is told, what people
are told, and what stays on record."""

import base64
import concurrent.futures
import pathlib
import subprocess
import tempfile
import unittest

import support
from managed import ManagedServer

STORAGE_FAILED = 5  # the exit status of a manager whose sync failed


def mac(number):
    return f"52:54:00:00:00:{number:02x}"


def is_genuine(order, order_key):
    """Whether the Ed25519 signature of an order is the manager's, in the judgement of openssl."""
    lines = ["cpm-order-v1", order["server_id"], order["boot_id"], order["resume_count"],
             order["nonce"], order["sequence"], order["method"]]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # RFC 8410: what stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo
        prefix = bytes.fromhex("302a300506032b6570032100")
        (folder / "key").write_bytes(prefix + base64.b64decode(order_key, validate=True))
        (folder / "signature").write_bytes(base64.b64decode(order["signature"], validate=True))
        (folder / "text").write_text("".join(f"{line}\n" for line in lines))
        verified = subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER",
             "-inkey", "key", "-sigfile", "signature", "-in", "text"],
            cwd=folder, capture_output=True, text=True)
    return verified.returncode == 0


class NamedCase(unittest.TestCase):
    """What the cases have in common: a running server, and how it is found adopted."""

    manager = None
    servers_made = 0

    def given_a_server(self, name, standby_seconds=2, manager=None, **fields):
        """A server that never reported, with an agent that is heard only when the story says so."""
        NamedCase.servers_made += 1
        settings = {"heartbeat_interval_seconds": 600, "standby_time_seconds": standby_seconds}
        server = ManagedServer(manager or self.manager, name, mac(NamedCase.servers_made),
                               **settings, **fields)
        server.join()
        return server

    def given_a_running_server(self, name, **options):
        """One that reports ON, and whose standby time is not open."""
        server = self.given_a_server(name, **options)
        for _ in range(2):
            self.assertEqual(server.agent.say("ON"), "ON")
        self.assertEqual(server.status(), "ON")
        self.assertEqual(server.notifications(), {})
        return server

    def reports_last(self, server, status, **fields):
        """One report with a timeout of 2 s, before a silence of which the story knows."""
        server.change(heartbeat_interval_seconds=1, missed_heartbeats=2)
        answer = server.agent.heartbeat(status, **fields)
        server.change(heartbeat_interval_seconds=600)
        return answer

    def accepts_its_order(self, server):
        """It hears its OFF and accepts it."""
        for status in ("ON", "Stopping"):
            self.check_ordered_off(server, server.agent.heartbeat(status))

    def stops_as_ordered(self, server):
        """It accepts its OFF, asks once more, and acts."""
        self.accepts_its_order(server)
        self.check_ordered_off(server, self.reports_last(server, "Stopping"))
        server.until("OFF")

    # --- what is found ---

    def check_ordered_off(self, server, answer):
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer["power_status"], "OFF")
        order, agent = answer["order"], server.agent
        self.assertEqual(order["server_id"], server.id)
        self.assertEqual((order["boot_id"], order["resume_count"]),
                         (agent.boot.boot_id, agent.boot.resume_count))
        self.assertEqual(order["nonce"], server.events("OrderSent")[-1]["nonce"])
        self.assertEqual(order["sequence"], server.events("PowerRequested")[-1]["event"])
        self.assertTrue(is_genuine(order, agent.order_key), order)

    def check_told_on(self, answer):
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer["power_status"], "ON")
        self.assertNotIn("order", answer.json)

    def check_adopted(self, server, answer, told):
        """It stays up: the very answer says ON; and people are told, or not."""
        self.check_told_on(answer)
        shown = server.shown()
        self.assertEqual((shown["actual_status"], shown["display_status"]), ("ManuallyON", "ON"))
        self.assertEqual(shown["power_status"], "ON")
        self.assertIsNone(shown["standby"])
        self.check_told_on(server.agent.manifest())
        self.assertEqual(server.events("PowerAdopted")[-1]["notify"], told)
        notification = server.notifications().get("adopted")
        self.assertEqual(notification is not None, told, notification)
        if told:
            self.assertRegex(notification["text"], "OFF of 20.* it is ON, because ")
            self.assertIn("set_off", notification["actions"])
        self.check_told_on(server.agent.heartbeat("ON"))
        self.assertEqual(server.status(), "ON")


@support.together
class StaysUpAndIsToldSo(NamedCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager()
        cls.addClassCleanup(cls.manager.close)
        cls.manager.set_up()

    @classmethod
    def tearDownClass(cls):
        cls.manager.assert_replay_is_served()

    def test_when_the_switch_comes_back_at_noon(self):
        server = self.given_a_running_server("switch")
        self.reports_last(server, "ON")
        server.power("OFF")  # at 23:00, after the network has failed
        server.until("Crashed")
        server.until_standby_has_passed()
        self.assertEqual(server.status(), "Crashed")
        self.assertIn("crashed", server.notifications())
        self.check_told_on(server.agent.manifest())
        self.check_adopted(server, server.agent.heartbeat("ON"), told=True)
        self.assertEqual(server.events("OrderSent"), [])

    def test_when_the_router_is_part_of_the_nightly_fleet(self):
        router = self.given_a_running_server("router")
        deaf = self.given_a_running_server("behind-router-1")
        willing = self.given_a_running_server("behind-router-2")
        self.reports_last(deaf, "ON")
        for server in (deaf, willing, router):
            server.power("OFF")
        # The router goes first: of the others one has not heard of it, one has only accepted it.
        self.check_ordered_off(willing, willing.agent.heartbeat("ON"))
        self.check_ordered_off(willing, self.reports_last(willing, "Stopping"))
        self.stops_as_ordered(router)
        for server, status in ((deaf, "Crashed"), (willing, "OFF"), (router, "OFF")):
            server.until(status)
            server.until_standby_has_passed()

        router.agent.reboot()  # in the morning
        self.check_adopted(router, router.agent.heartbeat("ON"), told=False)
        self.check_adopted(deaf, deaf.agent.heartbeat("ON"), told=True)
        self.check_told_on(willing.agent.manifest())
        self.check_told_on(willing.agent.heartbeat("Stopping"))
        self.check_adopted(willing, willing.agent.heartbeat("ON"), told=True)

    def test_when_a_hold_is_lifted_at_noon(self):
        server = self.given_a_running_server("held")
        server.power("OFF")
        self.check_ordered_off(server, server.agent.heartbeat("ON"))
        hold = {"blocked_by": "/etc/cpm/hold"}
        self.check_ordered_off(server, server.agent.heartbeat("Stopping", **hold))
        self.assertEqual(server.shown()["blocked_by"], "/etc/cpm/hold")
        server.until("ShutdownDelayed")
        self.assertIn("/etc/cpm/hold", server.notifications()["shutdown_delayed"]["text"])
        self.check_told_on(server.agent.heartbeat("Stopping", **hold))
        self.check_told_on(server.agent.heartbeat("Stopping"))  # lifted: last night's OFF is void
        self.check_told_on(server.agent.manifest())
        self.check_adopted(server, server.agent.heartbeat("ON"), told=True)

    def test_when_it_is_power_cycled_by_hand_meanwhile(self):
        between_heartbeats = self.given_a_running_server("cycled-1", standby_seconds=600)
        between_heartbeats.power("OFF")

        after_stopping = self.given_a_running_server("cycled-2", standby_seconds=600)
        after_stopping.power("OFF")
        self.accepts_its_order(after_stopping)

        after_silence = self.given_a_running_server("cycled-3", standby_seconds=600)
        self.reports_last(after_silence, "ON")
        after_silence.power("OFF")
        after_silence.until("Crashed")

        for server in (between_heartbeats, after_stopping, after_silence):
            server.agent.reboot()
            self.check_told_on(server.agent.manifest())  # nobody knows this boot yet
            self.check_adopted(server, server.agent.heartbeat("ON"), told=True)

    def test_when_it_was_suspended_and_resumed_meanwhile(self):
        server = self.given_a_running_server("resumed", standby_seconds=600)
        server.power("OFF")
        server.agent.boot.resume_count += 1
        self.check_adopted(server, server.agent.heartbeat("ON"), told=True)

    def test_when_a_new_boot_says_stopping_first(self):
        server = self.given_a_running_server("hasty", standby_seconds=600)
        server.power("OFF")
        server.agent.reboot()
        self.check_told_on(server.agent.heartbeat("Stopping"))
        self.check_told_on(server.agent.heartbeat("Stopping"))
        self.check_adopted(server, server.agent.heartbeat("ON"), told=True)

    def test_when_it_boots_late_after_off(self):
        server = self.given_a_server("late")
        server.power("ON")
        server.until("StartupDelayed")
        settled = server.power("OFF")
        self.assertEqual((settled["actual_status"], settled["reason"]["rule"]), ("OFF", "A"))
        self.check_adopted(server, server.agent.heartbeat("ON"), told=True)
        self.assertEqual(server.events("OrderSent"), [])

    def test_when_an_agent_is_joined_on_a_running_machine(self):
        fresh = self.given_a_server("fresh")
        self.check_adopted(fresh, fresh.agent.heartbeat("ON"), told=False)  # nobody asked for OFF

        marked = self.given_a_server("marked-off", standby_seconds=600)
        self.assertEqual(marked.power("OFF")["actual_status"], "OFF")
        self.check_adopted(marked, marked.agent.heartbeat("ON"), told=True)

    def test_when_an_agent_is_joined_again_while_an_off_is_under_way(self):
        server = self.given_a_running_server("rejoined", standby_seconds=600)
        server.power("OFF")
        self.accepts_its_order(server)
        earlier = server.agent
        server.join()
        server.agent.boot, server.agent.report = earlier.boot, earlier.report  # the same machine
        self.assertEqual(earlier.heartbeat("Stopping").status, 401)
        self.check_told_on(server.agent.manifest())
        self.check_adopted(server, server.agent.heartbeat("ON"), told=True)

    def test_when_a_clone_reports(self):
        server = self.given_a_running_server("cloned")
        clone = support.Agent(self.manager, server.id, server.agent.token, None)
        clone.boot, clone.report = server.agent.boot, 100
        server.agent.reboot()
        server.agent.say("ON")
        server.power("OFF")
        self.check_ordered_off(server, server.agent.manifest())

        # The first report of the replaced boot: whose OFF would it be?
        answer = clone.heartbeat("Stopping")
        self.check_told_on(answer)
        self.assertIn("notice", answer.json)
        self.check_told_on(server.agent.manifest())
        self.assertEqual(server.status(), "BeforeStopping")
        self.assertEqual(server.events("AgentSetAside"), [])
        # The second: set aside, and shown.
        self.check_told_on(clone.heartbeat("ON"))
        self.assertEqual(len(server.events("ReportIgnored")), 2)
        self.assertEqual(len(server.events("AgentSetAside")), 1)
        self.assertTrue(server.shown()["set_aside"])
        self.assertIn("reinstate", server.notifications()["set_aside"]["actions"])
        self.check_told_on(server.agent.heartbeat("ON"))  # its own reports still count
        self.assertEqual(server.shown()["heartbeat_status"], {"previous": "ON", "current": "ON"})

        # OFF is refused, ON is not; until it is reinstated.
        server.until_standby_has_passed()
        refused = server.ask("OFF")
        self.assertEqual((refused.status, refused["type"]), (409, "/problems/set-aside"))
        self.assertEqual(server.events("PowerRefused")[-1]["reason"], "set-aside")
        self.assertEqual(server.power("ON")["actual_status"], "ON")
        server.until_standby_has_passed()
        ended = self.manager.api("POST", f"/servers/{server.id}/agent/reinstate")
        self.assertEqual(ended.status, 200, ended)
        self.assertEqual(server.notifications(), {})
        server.power("OFF")
        self.check_ordered_off(server, server.agent.heartbeat("ON"))

    def test_when_its_agent_cannot_check_signatures(self):
        server = self.given_a_running_server("shell", standby_seconds=600)
        server.power("OFF")
        answer = server.agent.heartbeat("ON", nonce=False)
        self.check_told_on(answer)
        self.assertIn("allow_unsigned", answer["notice"])
        self.assertIn("cannot check the signature", server.shown()["reason"]["text"])
        self.assertEqual(server.events("OrderSent"), [])

        server.change(allow_unsigned=True)  # then it is told, without an order
        answer = server.agent.heartbeat("ON", nonce=False)
        self.assertEqual(answer["power_status"], "OFF")
        self.assertNotIn("order", answer.json)
        self.assertIsNone(server.events("OrderSent")[0]["nonce"])

    def test_when_it_is_turned_on_by_hand_after_a_veto_and_silence(self):
        server = self.given_a_running_server("vetoed")
        server.power("OFF")
        self.reports_last(server, "Stopping", blocked_by="a running backup")
        unknown = server.until("Unknown")  # it refused to go down: silence is no evidence
        self.assertEqual(unknown["reason"]["rule"], "B")
        self.assertIn("a running backup", server.notifications()["unknown"]["text"])
        server.agent.reboot()
        self.check_adopted(server, server.agent.heartbeat("ON"), told=True)


class StaysUpThoughTheManagerWasGone(NamedCase):
    """The same, with managers that end: each story has its own."""

    def setUp(self):
        self.manager = support.Manager()
        self.addCleanup(self.manager.close)
        self.manager.set_up()

    def test_when_the_manager_was_away_over_the_standby_time(self):
        before = self.given_a_running_server("before-stopping")
        after = self.given_a_running_server("after-stopping")
        back_in_time = self.given_a_running_server("back-in-time", standby_seconds=600)
        for server in (before, after, back_in_time):
            server.power("OFF")
            self.check_ordered_off(server, server.agent.heartbeat("ON"))
        for server in (after, back_in_time):
            self.check_ordered_off(server, server.agent.heartbeat("Stopping"))
        self.manager.kill()
        support.let_pass(2.5)
        self.manager.start()

        for server, status in ((before, "Unknown"), (after, "ShutdownDelayed")):
            self.assertTrue(server.events("StandbyElapsed")[0]["late"])
            self.assertEqual(server.status(), status)
            self.assertIn("set_off", next(iter(server.notifications().values()))["actions"])
            self.check_told_on(server.agent.manifest())
            # It had accepted the order, and goes on with what it said last.
            self.check_told_on(server.agent.heartbeat("Stopping"))
            self.check_adopted(server, server.agent.heartbeat("ON"), told=True)
        self.assertEqual(back_in_time.status(), "Stopping")
        self.assertGreater(back_in_time.shown()["standby"]["remaining_seconds"], 580)
        self.check_ordered_off(back_in_time, back_in_time.agent.heartbeat("Stopping"))
        self.manager.assert_replay_is_served()

    def test_when_the_sync_of_an_on_failed_during_shutdown_delayed(self):
        server = self.given_a_running_server("unlucky", standby_seconds=1)
        self.manager.stop()
        # Its appends: the start, OFF, Stopping, the end of the standby time, Stopping, and ON.
        self.manager.start(fault="append-fails:6")
        server.power("OFF")
        self.check_ordered_off(server, server.agent.heartbeat("Stopping"))
        server.until("ShutdownDelayed")
        self.check_ordered_off(server, server.agent.heartbeat("Stopping"))
        with self.assertRaises(AssertionError):  # 503, or the connection was closed on it
            server.power("ON")
        self.assertEqual(self.manager.process.wait(timeout=10), STORAGE_FAILED)
        self.manager.kill()
        self.manager.start()

        withdrawn = server.events("PowerWithdrawn")
        self.assertEqual([event["request"] for event in withdrawn],
                         [server.events("PowerRequested")[-1]["event"]])
        shown = server.shown()
        self.assertEqual((shown["power_status"], shown["actual_status"]),
                         ("OFF", "ShutdownDelayed"))
        self.assertIn("withdrawn", server.notifications())
        self.assertEqual(server.events("WakeSent"), [])
        # What was OFF before is OFF again, but nobody is ordered to carry it out.
        self.check_told_on(server.agent.manifest())
        self.check_told_on(server.agent.heartbeat("Stopping"))
        self.check_adopted(server, server.agent.heartbeat("ON"), told=True)
        self.manager.assert_replay_is_served()


@support.together
class GoesOffAsAsked(NamedCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager()
        cls.addClassCleanup(cls.manager.close)
        cls.manager.set_up()

    @classmethod
    def tearDownClass(cls):
        cls.manager.assert_replay_is_served()

    def test_when_its_agent_was_restarted_within_the_standby_time(self):
        server = self.given_a_running_server("restarted", standby_seconds=600)
        server.power("OFF")
        end = server.standby_end()
        self.accepts_its_order(server)
        answer = server.agent.heartbeat("ON")  # a shell agent does not know what it said before
        self.check_ordered_off(server, answer)
        request = server.events("PowerRequested")[0]["event"]
        self.assertEqual([event["request"] for event in server.events("PowerReasserted")],
                         [request])
        shown = server.shown()
        self.assertEqual(shown["actual_status"], "BeforeStopping")
        self.assertEqual(shown["power_status"], "OFF")
        self.assertLess(abs((server.standby_end() - end).total_seconds()), 0.5)  # it keeps its end
        self.stops_as_ordered(server)
        self.assertEqual(server.notifications(), {})

    def test_when_there_was_a_short_outage(self):
        server = self.given_a_running_server("short-outage", standby_seconds=600)
        self.reports_last(server, "ON")
        server.power("OFF")
        server.until("Crashed")
        self.check_ordered_off(server, server.agent.heartbeat("ON"))
        self.assertEqual(server.status(), "BeforeStopping")
        self.assertEqual(server.notifications(), {})

    def test_when_two_of_its_heartbeats_overtake_each_other(self):
        server = self.given_a_running_server("overtaken", standby_seconds=600)
        server.power("OFF")
        number = server.agent.report
        self.check_ordered_off(server, server.agent.heartbeat("Stopping", report=number + 2))
        overtaken = server.agent.heartbeat("ON", report=number + 1)  # sent before, arrives later
        self.check_told_on(overtaken)
        self.assertEqual(server.status(), "Stopping")
        self.assertEqual(server.events("ReportIgnored")[-1]["because"], "stale_report")
        self.check_told_on(server.agent.heartbeat("ON", report=number + 2))
        self.assertFalse(server.shown()["set_aside"])
        server.agent.report = number + 2
        self.check_ordered_off(server, self.reports_last(server, "Stopping"))
        server.until("OFF")
        self.assertEqual(server.events("PowerAdopted")[1:], [])  # but the first, before the story

    def test_when_its_held_call_is_answered_the_moment_off_is_asked_for(self):
        server = self.given_a_running_server("waiting", standby_seconds=600)
        etag = server.agent.manifest().headers["ETag"]
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            held = pool.submit(server.agent.manifest, wait=30, etag=etag)
            support.let_pass(0.5)
            self.assertFalse(held.done())
            server.power("OFF")
            answer = held.result(timeout=5)
        self.check_ordered_off(server, answer)
        self.assertEqual(server.events("OrderSent")[-1]["way"], "manifest")

    def test_only_by_an_order_that_nobody_has_altered(self):
        server = self.given_a_running_server("forged", standby_seconds=600)
        server.power("OFF")
        order = server.agent.heartbeat("ON")["order"]
        other = self.given_a_running_server("forged-2", standby_seconds=600)
        self.assertTrue(is_genuine(order, server.agent.order_key))
        for field, value in {
                "server_id": other.id, "boot_id": other.agent.boot.boot_id, "resume_count": 1,
                "nonce": support.new_nonce(), "sequence": order["sequence"] + 1,
                "method": "suspend"}.items():
            forged = order | {field: value}
            self.assertFalse(is_genuine(forged, server.agent.order_key), field)

    def test_and_the_button_pressed_on_the_morning_after_is_no_news(self):
        server = self.given_a_running_server("morning")
        server.power("OFF")
        self.stops_as_ordered(server)
        self.assertEqual(server.shown()["reason"]["rule"], "OFF/Stopping/None")
        server.until_standby_has_passed()
        server.agent.reboot()
        self.check_adopted(server, server.agent.heartbeat("ON"), told=False)
        self.assertEqual(server.notifications(), {})

    # --- and another machine is not taken for it ---

    def test_but_not_the_wrong_machine_on_which_the_join_line_was_pasted(self):
        meant, other = (ManagedServer(self.manager, name, mac(number))
                        for name, number in (("meant", 201), ("other", 202)))
        made = self.manager.api("POST", f"/servers/{meant.id}/join-token", {})

        def paste(*macs):
            return self.manager.ask("POST", "/agent/v1/join", {
                "join_token": made["join_token"], "hostname": "rack7", "mac_addresses": macs})

        for macs in ([other.mac], [mac(203), other.mac], [meant.mac, other.mac]):
            refused = paste(*macs)
            self.assertEqual((refused.status, refused["type"]), (409, "/problems/wrong-machine"))
            self.assertIn("registered as other, not as meant", refused["detail"])
        refused = paste(mac(204))  # nobody's
        self.assertEqual((refused.status, refused["type"]), (409, "/problems/wrong-machine"))
        self.assertIn("none of the MAC addresses of meant", refused["detail"])
        for server in (meant, other):
            self.assertFalse(server.shown()["agent"]["enrolled"])
            self.assertEqual(server.events("AgentJoined"), [])

        # The token is not spent: on the right machine it works, once.
        self.assertEqual(paste(meant.mac, mac(205)).status, 200)
        self.assertEqual(meant.shown()["mac_addresses"], [meant.mac, mac(205)])
        self.assertEqual(paste(meant.mac).status, 401)


if __name__ == "__main__":
    support.need_program("openssl")
    support.main()
