"""The real agent and the real manager on loopback: from the join line to the act, and what keeps
a machine from going down."""

import shlex
import subprocess
import unittest

import support
from machine import Machine, url_of, wait_for_status
from support import let_pass, wait_until

FAST = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 3, "standby_time_seconds": 30}


@support.together
class Agent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manager = support.Manager().set_up()
        cls.manager.api("PATCH", "/settings", {"wake_stagger_ms": 0})

    @classmethod
    def tearDownClass(cls):
        cls.manager.close()

    def machine(self, number, **options):
        machine = Machine(mac=f"52:54:00:00:01:{number:02x}", **options)
        self.addCleanup(machine.close)
        return machine

    def on(self, machine, name, **fields):
        """A machine that is ON: its server's id."""
        server = machine.join_as(self.manager, name, **{**FAST, **fields})
        machine.start()
        wait_for_status(self.manager, server, "ON")
        return server

    def ask(self, server, target):
        answer = self.manager.power(server, target)
        self.assertEqual(answer.status, 202, answer)

    def reports(self, server, **fields):
        return self.manager.server(server)["heartbeat_status"]["current"]

    def test_the_join_line_alone_brings_a_machine_to_on_within_30_seconds(self):
        server = self.manager.add_server("alone")["id"]  # without a MAC, as in the dashboard
        made = self.manager.api("POST", f"/servers/{server}/join-token", {})
        words = shlex.split(made["command"])
        self.assertEqual(words[:2], ["cpm-agent", "join"])
        # The line names the first LAN address, where this manager does not listen.
        words[2] = url_of(self.manager)
        machine = self.machine(1)
        status, text = machine.call(*words[1:], "--mac", machine.mac, "--no-start")
        self.assertEqual(status, 0, text)
        self.assertIn(server, text)
        machine.start()
        wait_for_status(self.manager, server, "ON", 30)
        self.assertEqual(self.manager.server(server)["mac_addresses"], [machine.mac])
        mode = (machine.root / "state/credentials.json").stat().st_mode
        self.assertEqual(mode & 0o777, 0o600)

    def test_off_runs_the_hooks_asks_again_and_acts_once(self):
        machine = self.machine(2)
        machine.hook("10-first", f"echo first >> {machine.root}/order")
        machine.hook("20-fails", f"echo second >> {machine.root}/order; exit 3")
        machine.hook("30-last", f"cat {machine.acts} >> {machine.root}/order; "
                                f"echo third >> {machine.root}/order")
        server = self.on(machine, "off")
        self.ask(server, "OFF")
        wait_until("the act", machine.acted, 30)
        self.assertEqual((machine.root / "order").read_text().split(), ["first", "second", "third"])
        self.assertIn("hook 20-fails: exit status 3", machine.said())
        self.assertEqual(self.reports(server), "Stopping")
        let_pass(4)  # it goes on saying so, and acts no second time
        self.assertEqual(self.reports(server), "Stopping")
        self.assertEqual(machine.acted(), ["poweroff"])
        machine.kill()
        wait_for_status(self.manager, server, "OFF")
        handed = self.manager.events(server=server, type="OrderSent")
        self.assertGreaterEqual(len(handed), 2)

    def test_on_before_the_act_keeps_it_up_though_the_hooks_outlast_the_standby_time(self):
        machine = self.machine(3)
        machine.hook("10-long", f"touch {machine.root}/begun; sleep 8; touch {machine.root}/ended")
        server = self.on(machine, "long", standby_time_seconds=4)
        self.ask(server, "OFF")
        wait_until("the hook", (machine.root / "begun").exists, 20)
        wait_until("ON is taken", lambda: self.manager.power(server, "ON").status == 202, 20)
        self.assertFalse((machine.root / "ended").exists())
        wait_until("back to ON", lambda: self.reports(server) == "ON", 10)
        wait_until("the end of the hook", (machine.root / "ended").exists, 20)
        let_pass(3)
        self.assertEqual(self.reports(server), "ON")
        self.assertEqual(machine.acted(), [])

    def test_a_hold_file_is_a_veto_and_lifting_it_in_time_lets_it_go(self):
        machine = self.machine(4)
        machine.hold.write_text("backup until noon\nsecond line\n")
        server = self.on(machine, "held")
        self.ask(server, "OFF")
        wait_until("Stopping", lambda: self.reports(server) == "Stopping", 15)
        beats = wait_until("the veto", lambda: [
            event for event in self.manager.events(server=server, type="HeartbeatReceived")
            if event["data"].get("blocked_by")])
        self.assertEqual(beats[-1]["data"]["blocked_by"], "hold: backup until noon")
        let_pass(3)
        self.assertEqual(machine.acted(), [])
        machine.hold.unlink()
        wait_until("the act", machine.acted, 15)

    def test_a_veto_that_outlasts_the_standby_time_voids_the_off(self):
        machine = self.machine(5)
        machine.hold.write_text("mine\n")
        server = self.on(machine, "veto", standby_time_seconds=4)
        self.ask(server, "OFF")
        wait_until("Stopping", lambda: self.reports(server) == "Stopping", 15)
        wait_until("back to ON", lambda: self.reports(server) == "ON", 20)
        machine.hold.unlink()
        let_pass(4)
        self.assertEqual(machine.acted(), [])

    def test_a_required_hook_that_fails_keeps_it_up(self):
        machine = self.machine(6)
        machine.hook("10-drain.required", "exit 1")
        machine.hook("20-after", f"touch {machine.root}/after")
        server = self.on(machine, "required", standby_time_seconds=6)
        self.ask(server, "OFF")
        wait_until("the failure", lambda: "hook 10-drain.required failed" in machine.said(), 15)
        wait_until("back to ON", lambda: self.reports(server) == "ON", 20)
        self.assertEqual(machine.acted(), [])
        self.assertFalse((machine.root / "after").exists())

    def test_a_hook_over_its_limit_is_ended_with_its_children(self):
        machine = self.machine(7, hook_time_limit=1)
        machine.hook("10-hangs", f"sleep 300 & echo $! > {machine.root}/child; wait")
        server = self.on(machine, "hangs")
        self.ask(server, "OFF")
        wait_until("the act", machine.acted, 20)
        self.assertIn("hook 10-hangs: took longer than 1 s", machine.said())
        child = int((machine.root / "child").read_text())
        wait_until("its child's end", lambda: not support.pathlib.Path(f"/proc/{child}").exists())

    def test_a_power_command_that_fails_is_told_and_tried_once(self):
        machine = self.machine(8, power_exit=7)
        server = self.on(machine, "broken", standby_time_seconds=6)
        self.ask(server, "OFF")
        wait_until("the failure", lambda: "power command: exit status 7" in machine.said(), 20)
        wait_until("back to ON", lambda: self.reports(server) == "ON", 20)
        self.assertEqual(machine.acted(), ["poweroff"])

    def test_an_agent_restarted_within_a_boot_goes_on_with_what_it_last_reported(self):
        machine = self.machine(9)
        machine.hook("10-long", f"echo run >> {machine.root}/runs; "
                                f"test -e {machine.root}/go || sleep 60")
        server = self.on(machine, "restarted")
        self.ask(server, "OFF")
        wait_until("the hook", (machine.root / "runs").exists, 20)
        machine.kill()
        self.assertEqual(machine.marker()["said"], "Stopping")
        (machine.root / "go").touch()
        before = len(self.manager.events(server=server, type="HeartbeatReceived"))
        machine.start()
        wait_until("the act", machine.acted, 20)
        after = self.manager.events(server=server, type="HeartbeatReceived")[before:]
        self.assertEqual({event["data"]["status"] for event in after}, {"Stopping"})
        self.assertEqual((machine.root / "runs").read_text().split(), ["run", "run"])
        machine.kill()  # and once it has acted, it does not again
        machine.start()
        let_pass(4)
        self.assertEqual(machine.acted(), ["poweroff"])
        self.assertEqual(self.reports(server), "Stopping")

    def test_a_reboot_while_it_was_stopping_leaves_it_on(self):
        machine = self.machine(10)
        machine.hook("10-long", f"touch {machine.root}/begun; sleep 60")
        server = machine.join_as(self.manager, "reboots", **FAST)
        machine.boot_anew()
        wait_for_status(self.manager, server, "ON")
        self.ask(server, "OFF")
        wait_until("the hook", (machine.root / "begun").exists, 20)
        machine.kill()
        machine.boot_anew()
        wait_for_status(self.manager, server, "ON", 20)
        let_pass(3)
        self.assertEqual(machine.acted(), [])
        self.assertEqual(self.manager.server(server)["power_status"], "ON")

    def test_it_stops_on_a_signal_and_leave_undoes_the_join(self):
        machine = self.machine(11)
        server = self.on(machine, "leaves")
        status, text = machine.call("status")
        self.assertEqual(status, 0)
        self.assertIn(server, text)
        self.assertIn("reports     ON", text)
        self.assertEqual(machine.stop(), 0)
        status, text = machine.call("leave")
        self.assertEqual(status, 0, text)
        self.assertFalse((machine.root / "state/credentials.json").exists())
        status, text = machine.call("run")
        self.assertEqual(status, 1)
        self.assertIn("has not joined", text)

    def test_a_damaged_head_is_a_veto_until_it_is_joined_again(self):
        machine = self.machine(13)
        server = self.on(machine, "headless", standby_time_seconds=6)
        self.assertEqual(machine.stop(), 0)
        (machine.root / "run/state.json").unlink()  # as after a reboot
        head = machine.root / "state/head.json"
        head.write_bytes(b"")  # as after a power cut
        for _ in range(2):  # and it is not forgotten by a restart
            machine.start()
            self.assertIn("head.json: is damaged", wait_until("a line", machine.said))
            wait_for_status(self.manager, server, "ON")
            self.ask(server, "OFF")
            wait_until("Stopping", lambda: self.reports(server) == "Stopping", 15)
            wait_until("back to ON", lambda: self.reports(server) == "ON", 30)
            beats = self.manager.events(server=server, type="HeartbeatReceived")
            self.assertIn("head.json: is damaged", beats[-1]["data"]["blocked_by"])
            self.assertIn("head.json: is damaged", machine.call("status")[1])
            self.assertEqual(machine.stop(), 0)
            self.assertEqual(head.read_bytes(), b"")
            (machine.root / "run/state.json").unlink()
        self.assertEqual(machine.acted(), [])
        made = self.manager.api("POST", f"/servers/{server}/join-token", {})
        machine.join(url_of(self.manager), made["join_token"])
        machine.start()
        wait_until("no veto", lambda: not self.manager.events(
            server=server, type="HeartbeatReceived")[-1]["data"]["blocked_by"], 20)
        wait_until("the OFF is taken", lambda: self.manager.power(server, "OFF").status == 202, 20)
        wait_until("the act", machine.acted, 20)

    def test_what_an_agent_of_the_join_before_still_writes_does_not_count(self):
        machine = self.machine(14)
        machine.hook("10-long", f"touch {machine.root}/begun; sleep 300")
        server = self.on(machine, "rejoined")
        self.ask(server, "OFF")
        wait_until("the hook", (machine.root / "begun").exists, 20)
        marker = machine.root / "run/state.json"
        written = marker.read_text()
        made = self.manager.api("POST", f"/servers/{server}/join-token", {})
        machine.join(url_of(self.manager), made["join_token"])  # beside it, with --no-start
        self.assertFalse(marker.exists())
        self.assertEqual(machine.stop(), 0)
        marker.write_text(written)  # as it may do once more
        self.assertEqual(machine.marker()["said"], "Stopping")
        before = len(self.manager.events(server=server, type="HeartbeatReceived"))
        machine.start()
        beats = wait_until("reports", lambda: self.manager.events(
            server=server, type="HeartbeatReceived")[before:], 20)
        self.assertEqual(beats[0]["data"]["status"], "ON")

    def test_a_card_that_cannot_wake_the_machine_is_named_by_arm_wake_and_status(self):
        if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode:
            return  # no network of its own can be had
        machine = self.machine(15)
        machine.join_as(self.manager, "veth", **FAST)
        inside = (f"ip link add here type veth peer name there && "
                  f"ip link set here address {machine.mac} && exec \"$@\"")
        for command, status, said in [
                ("arm-wake", 1, f"here ({machine.mac}) is not armed for wake-on-LAN"),
                ("status", 0, f"wakes       here ({machine.mac}): cannot be armed")]:
            run = subprocess.run(["unshare", "--net", "sh", "-c", inside, "sh",
                                  support.BIN / "cpm-agent", "--config", machine.config, command],
                                 capture_output=True, text=True)
            self.assertEqual(run.returncode, status, run.stderr)
            self.assertIn(said, run.stdout + run.stderr)

    def test_it_is_lean(self):
        machine = self.machine(12)
        self.on(machine, "lean", heartbeat_interval_seconds=1)
        before = machine.cpu_seconds()
        let_pass(10)
        used = machine.cpu_seconds() - before
        print(f"\nthe agent: {machine.pss_kib()} KiB PSS; {used * 10:.2f} % of a core at 1 s")
        self.assertLess(machine.pss_kib(), 8 * 1024)


class Wrong(unittest.TestCase):
    """What is said wrong is named, and spends nothing."""

    def test_wrong_usage_names_the_field(self):
        with Machine() as machine:
            for args, name in [
                    (["join", "manager:8443", "--token", "t"], "URL: expected the URL"),
                    (["join", "https://m", "--token", "t", "--ca-pin", "sha256:12"], "--ca-pin"),
                    (["join", "http://m", "--token", "t", "--ca-pin", "sha256:" + "a" * 64],
                     "--ca-pin"),
                    (["join", "http://m", "--token", "t", "--mac", "5254"], "--mac"),
                    (["join", "http://m"], "--token"),
                    (["--state-dir", "state", "run"], "--state-dir"),
                    (["jion"], 'no command "jion"; the commands are join, run'),
                    ([], "a command is missing")]:
                status, text = machine.call(*args)
                self.assertEqual(status, 2, text)
                self.assertIn(name, text)

    def test_a_join_that_cannot_be_used_ends_it_with_2_and_says_join_again(self):
        with Machine() as machine:
            (machine.root / "state").mkdir()
            for text in ["", "{", '{"trust": "pinned"}']:
                (machine.root / "state/credentials.json").write_text(text)
                status, said = machine.call("run")
                self.assertEqual(status, 2, said)
                self.assertIn("credentials.json: is not what a join wrote: join again", said)

    def test_status_asked_by_another_user_says_what_to_do(self):
        with Machine() as machine:
            (machine.root / "state").mkdir(mode=0o700)
            (machine.root / "state/credentials.json").write_text("{}")
            machine.root.chmod(0o755)
            run = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                  support.BIN / "cpm-agent", "--config", machine.config, "status"],
                                 capture_output=True, text=True)
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertIn("only root may look: sudo cpm-agent status", run.stderr)

    def test_a_power_command_that_others_may_change_does_not_count(self):
        with Machine() as machine:
            (machine.root / "power").chmod(0o775)
            status, text = machine.call("run")
            self.assertEqual(status, 2, text)
            self.assertIn("power_command", text)
            self.assertIn("writable by root alone", text)

    def test_a_configuration_that_others_may_write_does_not_count(self):
        with Machine() as machine:
            machine.config.chmod(0o664)
            status, text = machine.call("run")
            self.assertEqual(status, 2)
            self.assertIn("writable by root alone", text)

    def test_a_fault_in_the_configuration_is_named_with_its_line(self):
        with Machine() as machine:
            for line, name in [('power_command = "poweroff"', "power_command: expected an array"),
                               ('power_command = ["poweroff"]', "power_command: expected an array"),
                               ("colour = 1", "colour: is not an option"),
                               ("x = ", ":2:")]:
                machine.config.write_text(f"# mine\n{line}\n")
                status, text = machine.call("status")
                self.assertEqual(status, 2, text)
                self.assertIn(name, text)


if __name__ == "__main__":
    support.need_root("a configuration that belongs to root")
    support.main()
