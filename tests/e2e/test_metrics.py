"""GET /metrics (HTTP 3.6): who may read it, that Prometheus can, and that its numbers are true."""

import calendar
import time
import unittest

import load
import promtool
import support
from support import wait_until

EVERY_STATUS = {"Unknown", "ON", "OFF", "Starting", "StartupDelayed", "BeforeStopping", "Stopping",
                "ShutdownDelayed", "ManuallyON", "Crashed"}


class Metrics(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)

    def set(self, **settings):
        answer = self.manager.api("PATCH", "/settings", settings)
        self.assertEqual(answer.status, 200, answer)

    def value(self, name, labels=""):
        return promtool.scrape(self.manager).get(name, {}).get(labels, 0)

    def test_it_needs_a_token_of_a_person_unless_a_setting_opens_it(self):
        manager = self.manager
        agent = manager.join(manager.add_server("node")["id"])
        agent.say()
        viewer = manager.api("POST", "/tokens", {"name": "prometheus", "role": "viewer"})["token"]
        for token, expected in ((None, 401), ("wrong", 401), (agent.token, 401), (viewer, 200),
                                (manager.token, 200)):
            answer = manager.ask("GET", "/metrics", token=token)
            self.assertEqual(answer.status, expected, answer)
        self.assertEqual(manager.ask("POST", "/metrics", token=viewer).status, 405)
        self.set(metrics_open=True)
        for token in (None, "wrong", viewer):
            self.assertEqual(manager.ask("GET", "/metrics", token=token).status, 200)
        self.set(metrics_open=False)
        self.assertEqual(manager.ask("GET", "/metrics").status, 401)

    def test_it_is_prometheus_text_whose_names_and_units_promtool_accepts(self):
        self.manager.add_server('a "quoted" \\ name, {with} = signs')
        answer = self.manager.ask("GET", "/metrics", token=self.manager.token)
        self.assertEqual(answer.headers["Content-Type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        text = answer.raw.decode()
        self.assertEqual(promtool.check(text), "")
        for name in promtool.read(text):
            self.assertTrue(name.startswith("cpm_"), name)
        self.assertIn('name="a \\"quoted\\" \\\\ name, {with} = signs"', text)

    def test_what_happens_is_counted(self):
        manager = self.manager
        node = manager.join(manager.add_server("node", standby_time_seconds=60)["id"])
        lamp = manager.add_server("lamp", mac_addresses=["52:54:00:00:07:01"],
                                  standby_time_seconds=1)["id"]
        before = promtool.scrape(manager)
        for _ in range(3):
            node.say("ON")
        self.assertEqual(manager.power(node.server_id, "OFF").status, 202)
        self.assertEqual(manager.power(node.server_id, "ON").status, 409)
        node.say("Stopping")
        self.assertEqual(manager.power(lamp, "ON").status, 202)
        wait_until("StartupDelayed", lambda: manager.status(lamp) == "StartupDelayed")
        after = promtool.scrape(manager)

        def grew(name, labels=""):
            return after[name].get(labels, 0) - before.get(name, {}).get(labels, 0)

        self.assertEqual(grew("cpm_heartbeats_total", 'status="ON"'), 3)
        self.assertEqual(grew("cpm_heartbeats_total", 'status="Stopping"'), 1)
        requests = 'cause="token",outcome="%s",power_status="%s"'
        self.assertEqual(grew("cpm_power_requests_total", requests % ("accepted", "OFF")), 1)
        self.assertEqual(grew("cpm_power_requests_total", requests % ("accepted", "ON")), 1)
        self.assertEqual(grew("cpm_power_requests_total", requests % ("standby", "ON")), 1)
        packets = len(manager.events(type="WakeSent"))
        self.assertEqual(grew("cpm_wake_packets_total", 'result="sent"') +
                         grew("cpm_wake_packets_total", 'result="failed"'), packets)
        self.assertEqual(grew("cpm_failed_wakes_total"), 1)
        route = 'method="%s",route="%s"'
        self.assertEqual(grew("cpm_http_requests_total", 'code="200",' +
                              route % ("POST", "/agent/v1/heartbeat")), 4)
        power = route % ("PUT", "/api/v1/servers/{id}/power")
        self.assertEqual(grew("cpm_http_requests_total", 'code="202",' + power), 2)
        self.assertEqual(grew("cpm_http_requests_total", 'code="409",' + power), 1)
        self.assertGreaterEqual(grew("cpm_log_append_duration_seconds_count"), 8)
        self.assertEqual(grew("cpm_log_batch_events_count"),
                         grew("cpm_log_append_duration_seconds_count"))
        self.assertEqual(grew("cpm_log_batch_events_sum"), grew("cpm_log_sequence"))
        self.assertEqual(after["cpm_log_sequence"][""], manager.api("GET", "/head")["sequence"])

    def test_requests_that_are_none_of_ours_are_counted_without_a_route(self):
        for _ in range(2):
            self.manager.ask("GET", "/api/v1/no/such/path")
        self.manager.ask("GET", "/healthz", headers={"Host": "evil.example"})
        self.manager.ask("GET", "/api/v1/servers")
        counted = promtool.scrape(self.manager)["cpm_http_requests_total"]
        self.assertEqual(counted['code="404",method="GET",route="none"'], 2)
        self.assertEqual(counted['code="421",method="none",route="none"'], 1)
        self.assertEqual(counted['code="401",method="GET",route="/api/v1/servers"'], 1)

    def test_the_time_from_a_request_to_its_status_is_measured(self):
        node = self.manager.join(self.manager.add_server("node", missed_heartbeats=1)["id"])
        name, status = "cpm_power_change_duration_seconds", 'power_status="%s"'
        self.manager.power(node.server_id, "ON")
        node.say("ON")
        found = promtool.scrape(self.manager)
        self.assertEqual(found[name + "_count"][status % "ON"], 1)
        self.assertGreater(found[name + "_sum"][status % "ON"], 0)
        self.assertLess(found[name + "_sum"][status % "ON"], 60)
        self.assertEqual(found[name + "_count"][status % "OFF"], 0)

    def test_servers_are_shown_by_status_and_one_by_one_unless_switched_off(self):
        manager = self.manager
        node = manager.join(manager.add_server("node")["id"])
        manager.add_server("lamp")
        node.say()
        found = promtool.scrape(manager)
        self.assertEqual({labels.split('"')[1] for labels in found["cpm_servers"]}, EVERY_STATUS)
        self.assertEqual(sum(found["cpm_servers"].values()), 2)
        self.assertEqual(found["cpm_servers"][f'status="{manager.status(node.server_id)}"'], 1)
        labels = f'name="node",server_id="{node.server_id}"'
        self.assertEqual(
            found["cpm_server_actual_status"]
            [f'{labels},status="{manager.status(node.server_id)}"'], 1)
        (last,) = manager.events(type="HeartbeatReceived")
        seen = found["cpm_server_last_heartbeat_timestamp_seconds"]
        self.assertEqual(list(seen), [labels])
        at = time.strptime(last["at"][:19], "%Y-%m-%dT%H:%M:%S")
        self.assertEqual(int(seen[labels]), calendar.timegm(at))
        self.set(metrics_per_server=False)
        found = promtool.scrape(manager)
        self.assertFalse({name for name in found if name.startswith("cpm_server_")})
        self.assertEqual(sum(found["cpm_servers"].values()), 2)

    def test_streams_timers_and_the_process_are_shown(self):
        manager = self.manager
        found = promtool.scrape(manager)
        self.assertEqual(found["cpm_stream_clients"][""], 0)
        self.assertEqual(found["cpm_timers"][""], 0)
        self.assertEqual(found["cpm_ready"]['state="ok"'], 1)
        self.assertEqual(sum(found["cpm_ready"].values()), 1)
        self.assertGreater(found["cpm_log_bytes"][""], 1000)
        self.assertEqual(list(found["cpm_build_info"].values()), [1])
        self.assertGreater(found["cpm_process_resident_memory_bytes"][""], 1 << 20)
        self.assertGreater(found["cpm_process_cpu_seconds_total"][""], 0)
        self.assertGreaterEqual(found["cpm_process_max_fds"][""], 256)
        age = time.time() - found["cpm_process_start_time_seconds"][""]
        self.assertTrue(-5 < age < 300, age)
        stream = manager.connection()
        self.addCleanup(stream.close)
        stream.request("GET", "/api/v1/stream",
                       headers={"Authorization": f"Bearer {manager.token}"})
        answer = stream.getresponse()  # the stream lives as long as this does
        self.assertEqual(answer.status, 200)
        manager.power(manager.add_server("lamp")["id"], "ON")
        wait_until("the stream", lambda: self.value("cpm_stream_clients") == 1)
        wait_until("the standby time", lambda: self.value("cpm_timers") >= 1)

    @unittest.skipUnless(load.has_fault_points(), "built without fault points")
    def test_a_failed_sync_is_counted_by_the_life_after_it(self):
        manager = self.manager
        self.assertEqual(self.value("cpm_log_sync_failures_total"), 0)
        self.assertEqual(manager.stop(), 0)
        manager.start(fault="append-fails:2")
        self.assertIn(manager.api("POST", "/servers", {"name": "lamp"}).status, (500, 503))
        self.assertEqual(manager.process.wait(timeout=20), 5)
        manager.kill()
        manager.start()
        self.assertEqual(self.value("cpm_log_sync_failures_total"), 1)
        self.assertEqual(manager.stop(), 0)
        manager.start()
        self.assertEqual(self.value("cpm_log_sync_failures_total"), 0)


if __name__ == "__main__":
    promtool.need()
    support.main()
