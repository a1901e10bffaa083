"""The installed agent on a machine with a real systemd, logind and polkit: the join line alone, an
OFF by its own unprivileged user, who may do nothing else there, and the owner's vetoes."""

import shlex
import subprocess
import time
import unittest

import container
import support
import tls
from machine import wait_for_status
from support import let_pass, wait_until

MAC = "52:54:00:00:00:09"


class Installed(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager(args=tls.LISTEN).set_up()
        self.addCleanup(self.manager.close)
        self.machine = container.Container()
        self.addCleanup(self.machine.close)
        self.machine.boot()

    def join(self, **fields):
        self.server = self.manager.add_server("m1", mac_addresses=[MAC], missed_heartbeats=3, **{
            "standby_time_seconds": 30, "heartbeat_interval_seconds": 1, **fields})["id"]
        made = self.manager.api("POST", f"/servers/{self.server}/join-token", {})
        words = shlex.split(made["command"])
        words[2] = "https://%s:%d" % tls.address_of(self.manager)
        status, text = self.machine.run("/usr/bin/cpm-agent", *words[1:], "--mac", MAC)
        self.assertEqual(status, 0, text + self.machine.journal())
        wait_for_status(self.manager, self.server, "ON", 30)

    def off(self):
        answer = self.manager.power(self.server, "OFF")
        self.assertEqual(answer.status, 202, answer)

    def blocked(self):
        beats = self.manager.events(server=self.server, type="HeartbeatReceived")
        return beats[-1]["data"].get("blocked_by")

    def as_agent(self, *call):
        return self.machine.run("busctl", "call", *call, user="cpm-agent")

    def test_the_join_line_alone_brings_it_on_and_an_off_switches_it_off(self):
        began = time.monotonic()
        self.join()
        print(f"\nON {time.monotonic() - began:.1f} s after the join line")
        hook = self.machine.root / "etc/cpm/pre-off.d/10-hook"
        hook.parent.mkdir(parents=True)
        hook.write_text("#!/bin/sh\nid -u > /var/hooked\n")
        hook.chmod(0o755)
        self.off()
        wait_until("the machine's end", lambda: not self.machine.is_running(), 30)
        self.assertEqual((self.machine.root / "var/hooked").read_text(), "0\n")  # by root
        wait_for_status(self.manager, self.server, "OFF", 20)
        self.machine.boot()  # and by hand on again
        wait_for_status(self.manager, self.server, "ON", 30)
        self.assertEqual(self.manager.server(self.server)["power_status"], "ON")

    def test_the_very_line_that_the_manager_prints_is_all_it_takes(self):
        for words in ("link add lan type bridge", "address add 10.77.0.1/24 dev lan",
                      "link set lan up"):  # where nobody else is
            subprocess.run(["ip", *words.split()], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", "lan"], check=True)
        with support.Manager(args=["--https", "0.0.0.0:0"]).set_up() as manager:
            server = manager.add_server("m1")["id"]
            line = manager.api("POST", f"/servers/{server}/join-token", {})["command"]
            port = manager.ready["https"].rsplit(":", 1)[1]
            self.assertIn(f"https://10.77.0.1:{port} ", line)
            began = time.monotonic()
            status, text = self.machine.run("sh", "-c", line)
            self.assertEqual(status, 0, text + self.machine.journal())
            wait_for_status(manager, server, "ON", 30)
            print(f"\nON {time.monotonic() - began:.1f} s after the join line")
            self.assertEqual(self.machine.run("systemctl", "is-enabled", "cpm-agent")[1].strip(),
                             "enabled")

    def test_an_inhibitor_and_the_hold_file_are_vetoes(self):
        self.join()
        hold = self.machine.root / "etc/cpm/hold"
        hold.parent.mkdir(parents=True, exist_ok=True)
        hold.write_text("restoring\n")
        self.off()
        wait_until("the hold file", lambda: self.blocked() == "hold: restoring", 15)
        self.assertEqual(self.machine.run(
            "systemd-run", "--quiet", "--unit=inhibits", "systemd-inhibit", "--what=shutdown",
            "--mode=block", "--who=backup", "--why=not finished", "sleep", "1000")[0], 0)
        let_pass(6)  # the agent looks every five seconds
        hold.unlink()
        wait_until("the inhibitor",
                   lambda: self.blocked() == "inhibited by backup: not finished", 15)
        self.assertTrue(self.machine.is_running())
        self.machine.run("systemctl", "stop", "inhibits")
        wait_until("the machine's end", lambda: not self.machine.is_running(), 30)

    def test_its_user_may_switch_off_and_do_nothing_else(self):
        self.join()
        login = ("org.freedesktop.login1", "/org/freedesktop/login1",
                 "org.freedesktop.login1.Manager")
        systemd = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                   "org.freedesktop.systemd1.Manager")
        for call in ((*login, "Reboot", "b", "false"), (*login, "Halt", "b", "false"),
                     (*login, "Inhibit", "ssss", "shutdown", "x", "x", "block"),
                     (*systemd, "Reboot"), (*systemd, "PowerOff"), (*systemd, "Reload"),
                     (*systemd, "StartUnit", "ss", "systemd-tmpfiles-clean.service", "replace"),
                     (*systemd, "StopUnit", "ss", "dbus.service", "replace"),
                     (*systemd, "StopUnit", "ss", "cpm-agent-hooks.service", "replace")):
            status, text = self.as_agent(*call)
            self.assertNotEqual(status, 0, (call, text))
            self.assertRegex(text, "denied|authentication|not permitted|Permission")
        self.machine.run("systemd-run", "--quiet", "--unit=inhibits", "systemd-inhibit",
                         "--what=shutdown", "--mode=block", "sleep", "1000")
        wait_until("the inhibitor", lambda: "shutdown" in self.machine.run(
            "busctl", "get-property", *login, "BlockInhibited")[1])
        status, text = self.as_agent(*login, "PowerOff", "b", "false")  # nor ignore a veto
        self.assertNotEqual(status, 0, text)
        self.machine.run("systemctl", "stop", "inhibits")
        status, text = self.as_agent(*login, "PowerOff", "b", "false")
        self.assertEqual(status, 0, text)

    def test_it_wakes_another_with_what_its_unit_leaves_it(self):
        for words in ("link add lan0 type veth peer name lan1", "link set lan1 up",
                      "address add 10.79.0.1/24 brd + dev lan0", "link set lan0 up"):
            subprocess.run(["ip", *words.split()], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", "lan0"], check=True)
        self.manager = support.Manager(args=["--https", "10.79.0.1:0"]).set_up()
        self.addCleanup(self.manager.close)
        self.join()
        sleeper = self.manager.add_server("sleeper", mac_addresses=["52:54:00:00:00:0a"], wake={
            "broadcast_address": "10.79.0.255", "secure_on": "010203040506"})["id"]
        self.assertEqual(self.manager.power(sleeper, "ON").status, 202)
        sent = wait_until("the relay's packet", lambda: [
            event["data"] for event in self.manager.events(server=sleeper, type="WakeSent")
            if event["data"]["relay"] == self.server and event["data"]["ok"]], 60)
        self.assertEqual(sent[0]["way"], "relay")
        # By UDP alone, and nobody reads the password anywhere.
        said = [line for line in self.machine.journal().splitlines() if "magic packet" in line]
        self.assertTrue(said[0].endswith(
            "sent a magic packet for 52:54:00:00:00:0a (UDP 255.255.255.255 port 9 by lan0)"), said)
        self.assertNotIn("0102030405", self.machine.journal())

    def test_a_machine_that_goes_down_by_itself_says_so(self):
        self.join(heartbeat_interval_seconds=5)
        self.machine.run("systemctl", "poweroff")
        wait_until("the machine's end", lambda: not self.machine.is_running(), 30)
        beats = self.manager.events(server=self.server, type="HeartbeatReceived")
        self.assertEqual(beats[-1]["data"].get("leaving"), "poweroff")

    def test_the_unit_is_hardened_and_lean(self):
        self.join()
        text = self.machine.run("systemd-analyze", "security", "cpm-agent.service")[1]
        exposure = float(text.split("Overall exposure level for cpm-agent.service: ")[1].split()[0])
        self.assertLessEqual(exposure, 1.5, text)
        pid = self.machine.run("systemctl", "show", "-P", "MainPID", "cpm-agent")[1].strip()
        status = self.machine.run("cat", f"/proc/{pid}/status")[1]
        self.assertIn("CapEff:\t0000000000000000", status)
        self.assertNotIn("Uid:\t0", status)
        parts = self.memory(pid)
        libraries = sum(size for name, size in parts.items() if ".so" in name)
        own = sum(parts.values()) - libraries
        largest = sorted(parts.items(), key=lambda part: -part[1])[:6]
        print(f"\nexposure {exposure} of at most 1.5"
              f"\nmemory: {own} KiB PSS of its own, of at most 8192; with the measured floor of "
              f"its libraries, which nobody else uses on this small machine ({libraries} KiB): "
              f"{own + libraries} KiB PSS; the largest parts: {largest}")
        self.assertLess(own, 8 * 1024)

    def test_a_join_that_cannot_be_used_ends_the_unit_and_is_not_tried_again(self):
        self.join()
        (self.machine.root / "var/lib/cpm-agent/credentials.json").write_text("")
        self.machine.run("systemctl", "restart", "cpm-agent")
        wait_until("its end", lambda: self.machine.run(
            "systemctl", "is-failed", "cpm-agent")[1].strip() == "failed", 30)
        self.assertEqual(self.machine.run(
            "systemctl", "show", "-P", "ExecMainStatus", "cpm-agent")[1].strip(), "2")
        self.assertIn("credentials.json: is not what a join wrote: join again",
                      self.machine.journal())

    def memory(self, pid):
        """Proportional memory in KiB by what is mapped."""
        parts, name = {}, ""
        for line in self.machine.run("cat", f"/proc/{pid}/smaps")[1].splitlines():
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                name = words[5].rsplit("/", 1)[-1] if len(words) > 5 else "anonymous"
            elif words[0] == "Pss:":
                parts[name] = parts.get(name, 0) + int(words[1])
        return parts


if __name__ == "__main__":
    container.need()
    container.in_a_network_of_its_own()
    support.main()
