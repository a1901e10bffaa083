"""The agent and logind: a bus of its own with a logind that only writes down what it is asked
(python3-dbusmock), and a systemctl that runs the hooks as root's unit would."""

import contextlib
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import support
from machine import Machine, wait_for_status
from proxy import Proxy
from support import BIN, let_pass, wait_until

SUSPEND = BIN / "cpm-demo-suspend.so"
FAST = {"heartbeat_interval_seconds": 1, "missed_heartbeats": 3, "standby_time_seconds": 20}
LOGIND = "org.freedesktop.login1.Manager"
BUS = """<busconfig><listen>unix:path={}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow own="*"/>
<allow eavesdrop="true"/></policy></busconfig>"""


class System:
    """A bus with a logind on it."""

    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="cpm-bus-")
        self.root = pathlib.Path(self.scratch.name)
        (self.root / "bus.conf").write_text(BUS.format(self.root))
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.root}/bus"}
        self.processes = [subprocess.Popen(["dbus-daemon", f"--config-file={self.root}/bus.conf",
                                            "--nofork", "--nopidfile"],
                                           stderr=subprocess.DEVNULL)]
        wait_until("the bus", (self.root / "bus").exists)
        self.log = open(self.root / "logind.log", "wb")
        self.processes.append(subprocess.Popen(
            [sys.executable, "-u", "-m", "dbusmock", "--system", "--template", "logind"],
            stdout=self.log, env={**os.environ, **self.env}))
        wait_until("logind", lambda: self.call(LOGIND, "CanPowerOff", check=False) == 0)

    def call(self, interface, method, *args, check=True):
        return subprocess.run(
            ["busctl", f"--address=unix:path={self.root}/bus", "call", "org.freedesktop.login1",
             "/org/freedesktop/login1", interface, method, *args],
            check=check, capture_output=True).returncode

    def property(self, name, value):
        """Of logind, without a signal."""
        self.call("org.freedesktop.DBus.Mock", "UpdateProperties", "sa{sv}", LOGIND, "1", name, "b",
                  value)

    def forge(self, name, value):
        """A signal of logind to the agent by somebody else on the bus."""
        for agent in self.names():
            subprocess.run(["busctl", f"--address=unix:path={self.root}/bus", "emit",
                            f"--destination={agent}", "/org/freedesktop/login1", LOGIND, name, "b",
                            value], check=True)

    def signal(self, name, value):
        self.call("org.freedesktop.DBus.Mock", "EmitSignal", "sssav", LOGIND, name, "b", "1", "b",
                  value)

    @contextlib.contextmanager
    def inhibitor(self, what, mode):
        process = subprocess.Popen(
            ["systemd-inhibit", f"--what={what}", f"--mode={mode}", "--who=owner",
             "--why=it is mine", "sleep", "1000"], env={**os.environ, **self.env})
        wait_until("the inhibitor", lambda: b"Inhibit" in self.calls())
        try:
            yield
        finally:
            process.terminate()
            process.wait()

    def calls(self):
        return (self.root / "logind.log").read_bytes()

    def names(self):
        """The agent's, on the bus."""
        listed = subprocess.run(["busctl", f"--address=unix:path={self.root}/bus", "--no-pager",
                                 "list", "--unique"], check=True, capture_output=True, text=True)
        lines = map(str.split, listed.stdout.splitlines())
        return {words[0] for words in lines if words[2:] and words[2] == "cpm-agent"}

    def power_calls(self):
        lines = self.calls().decode().splitlines()
        return [words[1:] for words in map(str.split, lines)
                if words[1:] and words[1] in ("PowerOff", "Suspend", "Hibernate")]

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            process.send_signal(signal.SIGCONT)
            process.wait()
        self.log.close()
        self.scratch.cleanup()


class Monitor:
    """What is said on the bus, as text, also to those who do not listen."""

    def __init__(self, root, match):
        self.said = root / "monitor"
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                ["busctl", f"--address=unix:path={root}/bus", "monitor", "--match", match],
                stdout=said, stderr=said)
        wait_until("the monitor", lambda: "Monitoring" in self())

    def __call__(self):
        return self.said.read_text(errors="replace")

    def close(self):
        self.process.kill()
        self.process.wait()


class ForgetsTokens(Proxy):
    """What comes between agent and manager, and never answers who asks for a new token."""

    def __init__(self, backend):
        self.asked, self.ended = threading.Event(), threading.Event()
        super().__init__(backend)

    def close(self):
        self.ended.set()
        super().close()

    def ask(self, method, path, fields, body):
        if path == "/agent/v1/token":
            self.asked.set()
            self.ended.wait()
        return super().ask(method, path, fields, body)


@functools.partial(support.together, at_once=4)
class Logind(unittest.TestCase):
    def opened(self, what):
        self.addCleanup(what.close)
        return what

    @functools.cached_property
    def system(self):
        return self.opened(System())

    @functools.cached_property
    def manager(self):
        return self.opened(support.Manager()).set_up()

    @functools.cached_property
    def machine(self):
        machine = self.opened(Machine(logind=True))
        machine.script("systemctl", f'echo "$@" >> {machine.root}/systemctl.log\n'
                                    f"exec {BIN}/cpm-agent --config {machine.config} run-hooks")
        (machine.root / "hooks-run").mkdir()
        return machine

    def start(self, **fields):
        self.server = self.machine.join_as(self.manager, **{**FAST, **fields})
        self.run_agent()
        wait_for_status(self.manager, self.server, "ON")

    def run_agent(self):
        root = self.machine.root
        inside = (f"mkdir -p /run/cpm-agent-hooks && "
                  f"mount --bind {root}/hooks-run /run/cpm-agent-hooks && "
                  f"mount --bind {root}/systemctl /usr/bin/systemctl && exec \"$@\"")
        self.machine.start(["unshare", "--mount", "sh", "-c", inside, "sh"], self.system.env)

    def reports(self):
        return self.manager.server(self.server)["heartbeat_status"]["current"]

    def blocked(self):
        beats = self.manager.events(server=self.server, type="HeartbeatReceived")
        return beats[-1]["data"].get("blocked_by")

    def off(self):
        answer = self.manager.power(self.server, "OFF")
        self.assertEqual(answer.status, 202, answer)

    def test_off_runs_the_hooks_unit_and_logind_powers_off_without_ignoring_anything(self):
        self.machine.hook("10-hook", f"touch {self.machine.root}/hooked")
        self.start()
        self.off()
        wait_until("the call", self.system.power_calls, 20)
        self.assertEqual(self.system.power_calls(), [["PowerOff", "False"]])  # not interactive
        self.assertTrue((self.machine.root / "hooked").exists())
        words = (self.machine.root / "systemctl.log").read_text().split()
        self.assertIn("--no-ask-password", words)
        self.assertEqual(words[-2:], ["start", "cpm-agent-hooks.service"])
        self.system.signal("PrepareForShutdown", "true")
        let_pass(3)
        self.assertEqual(self.reports(), "Stopping")
        self.assertEqual(len(self.system.power_calls()), 1)
        # Somebody cancels it: told, and not tried again.
        self.system.signal("PrepareForShutdown", "false")
        wait_until("the veto", lambda: self.blocked() == "cancelled", 10)
        self.assertEqual(len(self.system.power_calls()), 1)

    def test_the_method_of_the_server_is_what_logind_is_asked_for(self):
        self.start(off_method="suspend")
        self.off()
        wait_until("the call", self.system.power_calls, 20)
        self.assertEqual(self.system.power_calls(), [["Suspend", "False"]])
        # It did not come to it: the clocks know of no suspend.
        self.system.signal("PrepareForSleep", "true")
        self.system.signal("PrepareForSleep", "false")
        wait_until("the veto", lambda: self.blocked() == "cancelled", 10)

    def test_a_blocking_inhibitor_is_a_veto_with_its_name_until_it_goes(self):
        with self.system.inhibitor("shutdown:sleep", "block"):
            self.start()
            self.off()
            wait_until("Stopping", lambda: self.reports() == "Stopping", 15)
            wait_until("the veto", lambda: self.blocked() == "inhibited by owner: it is mine", 10)
            let_pass(3)
            self.assertEqual(self.system.power_calls(), [])
        wait_until("the call", self.system.power_calls, 15)

    def test_a_sleep_inhibitor_is_a_veto_of_suspend_and_not_of_power_off(self):
        with self.system.inhibitor("sleep", "block"):
            self.start()
            self.off()
            wait_until("the call", self.system.power_calls, 20)
        self.assertEqual(self.system.power_calls(), [["PowerOff", "False"]])

    def test_a_sleep_inhibitor_keeps_a_server_from_suspend(self):
        with self.system.inhibitor("sleep", "block"):
            self.start(off_method="suspend")
            self.off()
            wait_until("the veto", lambda: self.blocked() == "inhibited by owner: it is mine", 15)
            let_pass(2)
            self.assertEqual(self.system.power_calls(), [])
        wait_until("the call", self.system.power_calls, 15)

    def test_inhibitors_that_cannot_be_read_are_a_veto(self):
        self.system.call("org.freedesktop.DBus.Mock", "AddMethod", "sssss", LOGIND,
                         "ListInhibitors", "", "as", "ret = ['shutdown']")
        self.start()
        self.off()
        wait_until("the veto", lambda: self.blocked() == "logind's answer cannot be read", 15)
        let_pass(2)
        self.assertEqual(self.system.power_calls(), [])

    def act_without_logind(self):
        """As killed after it had decided to act, and before logind heard of it."""
        self.start()
        self.machine.kill()
        state = self.machine.root / "run/state.json"
        marker = {**self.machine.marker(), "said": "Acted", "request": 1}
        state.write_text(json.dumps(marker))

    def test_an_agent_killed_before_logind_heard_of_the_act_says_that_it_came_to_nothing(self):
        self.act_without_logind()
        self.run_agent()
        wait_until("the end of it", lambda: [
            beat for beat in self.manager.events(server=self.server, type="HeartbeatReceived")
            if beat["data"].get("blocked_by") == "cancelled"], 20)
        wait_for_status(self.manager, self.server, "ON")  # told so, it is again
        self.assertEqual(self.system.power_calls(), [])

    def test_an_agent_that_was_away_when_the_act_was_taken_back_finds_it_out(self):
        self.system.property("PreparingForShutdown", "true")
        self.act_without_logind()
        self.run_agent()
        wait_until("Stopping", lambda: self.reports() == "Stopping", 15)
        let_pass(7)  # it looks every five seconds
        self.assertIsNone(self.blocked())
        self.machine.kill()
        self.system.property("PreparingForShutdown", "false")
        self.run_agent()
        wait_until("the end of it", lambda: "was not carried out: cancelled" in self.machine.said(),
                   20)
        wait_for_status(self.manager, self.server, "ON", 20)
        self.assertEqual(self.system.power_calls(), [])

    def test_signals_of_logind_by_somebody_else_are_nothing(self):
        self.start(heartbeat_interval_seconds=1)
        self.system.forge("PrepareForSleep", "true")
        self.off()
        wait_until("the call", self.system.power_calls, 20)
        self.system.forge("PrepareForShutdown", "false")
        let_pass(4)
        self.assertEqual(self.reports(), "Stopping")
        self.assertIsNone(self.blocked())
        beats = self.manager.events(server=self.server, type="HeartbeatReceived")
        self.assertEqual([beat for beat in beats if beat["data"].get("leaving")], [])
        self.system.signal("PrepareForShutdown", "false")  # by logind itself
        wait_until("the veto", lambda: self.blocked() == "cancelled", 10)

    def test_a_bus_that_hangs_keeps_no_heartbeat_back(self):
        bus = self.system.processes[0]
        bus.send_signal(signal.SIGSTOP)
        self.start()
        before = len(self.manager.events(server=self.server, type="HeartbeatReceived"))
        wait_until("heartbeats, looks and all", lambda: len(self.manager.events(
            server=self.server, type="HeartbeatReceived")) > before + 7, 40)
        self.off()
        wait_until("the veto", lambda: self.blocked() == "logind did not answer", 15)
        bus.send_signal(signal.SIGCONT)
        wait_until("the call", self.system.power_calls, 30)

    def test_a_logind_that_hangs_finds_the_one_who_asked_gone_when_it_goes_on(self):
        self.machine.hook("10-hook", "sleep 2")
        self.system.env["SYSTEMD_BUS_TIMEOUT"] = "3s"  # instead of 25
        self.start()
        before = self.system.names()
        self.off()
        wait_until("Stopping", lambda: self.reports() == "Stopping", 15)
        self.system.processes[1].send_signal(signal.SIGSTOP)
        wait_until("the trouble", lambda: "was not carried out" in self.machine.said(), 40)
        # The real one obeys nobody whose name is not on the bus any more.
        self.assertTrue(before)
        wait_until("its names to go", lambda: not before & self.system.names(), 40)
        self.system.processes[1].send_signal(signal.SIGCONT)
        wait_until("another name", self.system.names, 15)
        self.assertLessEqual(len(self.system.power_calls()), 1)

    def test_an_act_that_logind_did_not_answer_is_withdrawn_by_a_resume(self):
        slept = self.machine.root / "slept"
        slept.write_text("0")
        self.system.env.update(LD_PRELOAD=str(SUSPEND), CPM_DEMO_SLEPT=str(slept))
        self.start(heartbeat_interval_seconds=10)
        before = self.system.names()
        watched = self.opened(Monitor(self.system.root, "member='PowerOff'"))
        self.machine.hook("10-hook", f"kill -STOP {self.system.processes[1].pid}")
        self.off()
        wait_until("the act", lambda: self.machine.marker()["said"] == "Acted", 20)
        wait_until("the call on the bus", lambda: "Member=PowerOff" in watched(), 20)
        slept.write_text("1000")
        wait_until("ON", lambda: self.reports() == "ON", 15)  # long before logind is given up
        # It obeys nobody who is gone.
        wait_until("its names to go", lambda: not before & self.system.names(), 40)
        self.system.processes[1].send_signal(signal.SIGCONT)
        wait_for_status(self.manager, self.server, "ON")

    def test_an_inhibitor_that_only_delays_or_is_for_the_lid_is_no_veto(self):
        with self.system.inhibitor("shutdown", "delay"), \
                self.system.inhibitor("handle-lid-switch", "block"):
            self.start()
            self.off()
            wait_until("the call", self.system.power_calls, 20)

    def test_a_required_hook_that_fails_is_named(self):
        self.machine.hook("10-drain.required", "exit 1")
        self.start()
        self.off()
        wait_until("the veto", lambda: self.blocked() == "hook 10-drain.required failed", 20)
        self.assertEqual(self.system.power_calls(), [])

    def test_without_a_bus_it_reports_on_and_says_that_it_cannot_go_down(self):
        self.system.env = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus"}
        self.start()
        self.off()
        wait_until("Stopping", lambda: self.reports() == "Stopping", 15)
        self.assertEqual(self.blocked(), "the system's bus cannot be reached")

    def test_a_suspend_by_the_machine_itself_is_told_before_it_happens(self):
        self.start(heartbeat_interval_seconds=10)
        self.system.signal("PrepareForSleep", "true")
        wait_until("leaving", lambda: [
            event for event in self.manager.events(server=self.server, type="HeartbeatReceived")
            if event["data"].get("leaving") == "suspend"], 10)
        self.assertIn(b"sleep", self.system.calls())  # it had asked for the time to tell

    def test_a_goodbye_does_not_wait_for_a_new_token(self):
        proxy = self.opened(ForgetsTokens(self.manager.address))
        self.server = self.machine.join_as(self.manager, **FAST)
        file = self.machine.root / "state/credentials.json"
        kept = json.loads(file.read_text())
        kept |= {"token_since": 1, "manager_url": "http://%s:%s" % proxy.address}
        file.write_text(json.dumps(kept))
        self.run_agent()
        wait_until("the question", proxy.asked.is_set, 30)
        self.system.signal("PrepareForSleep", "true")
        wait_until("leaving", lambda: [
            event for event in self.manager.events(server=self.server, type="HeartbeatReceived")
            if event["data"].get("leaving") == "suspend"], 30)
        said = self.machine.said()
        self.assertIn("token was not renewed", said)
        self.assertNotIn("timeout", said)  # it did not wait the question's ten seconds
        self.assertEqual(json.loads(file.read_text()), kept)

    def test_it_is_lean_with_the_bus(self):
        self.start()
        let_pass(3)
        print(f"\nthe agent with the bus: {self.machine.pss_kib()} KiB PSS")
        self.assertLess(self.machine.pss_kib(), 8 * 1024)


if __name__ == "__main__":
    support.need_root("a mount namespace")
    support.need_private_mounts()
    support.need_program("dbus-daemon", "busctl", "systemd-inhibit")
    if subprocess.run([sys.executable, "-c", "import dbusmock"], capture_output=True).returncode:
        support.skip("python3-dbusmock is not installed: tools/setup --tests")
    support.main()
