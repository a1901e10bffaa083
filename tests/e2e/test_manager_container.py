"""The installed manager on a machine with a real systemd: it says when it serves and how it is, is
killed and restarted when its writer hangs, is not restarted for what a person has to mend, may do
nothing it need not, and an agent joins it by the line it shows."""

import json
import pathlib
import shlex
import shutil
import socket
import subprocess
import time
import unittest

import container
import hung
import load
import support
from machine import wait_for_status
from support import wait_until

UNIT = "cpm-manager.service"
DROP_IN = "etc/systemd/system/cpm-manager.service.d/test.conf"
LAN = "192.0.2.1"


class Installed(unittest.TestCase):
    def setUp(self):
        self.machine = container.Container()
        self.addCleanup(self.machine.close)
        self.configure()
        self.machine.boot()
        self.assertEqual(self.machine.run("systemd-sysusers")[0], 0)

    def configure(self, text="", **service):
        """Its configuration file, and settings of its unit."""
        config = self.machine.root / "etc/cpm/manager.toml"
        config.parent.mkdir(exist_ok=True)
        config.write_text("space_reserve_mib = 16\n" + text)
        drop_in = self.machine.root / DROP_IN
        drop_in.parent.mkdir(parents=True, exist_ok=True)
        drop_in.write_text("[Service]\n" + "".join(f"{k}={v}\n" for k, v in service.items()))
        if self.machine.process:
            self.machine.run("systemctl", "daemon-reload")

    def systemctl(self, *command):
        return self.machine.run("systemctl", *command)

    def show(self, name):
        return self.systemctl("show", "-P", name, UNIT)[1].strip()

    def journal(self, *more):
        return self.machine.journal(UNIT, *more)

    def start(self):
        """Starts it, and returns it as the other stories know one."""
        status, text = self.systemctl("start", UNIT)
        self.assertEqual(status, 0, text + self.journal())
        return self.served()

    def served(self):
        status, text = self.machine.run("cat", "/run/cpm/ready.json")
        self.assertEqual(status, 0, text)
        manager = support.Manager(started=False)
        self.addCleanup(manager.close)
        manager.ready = json.loads(text)
        host, port = manager.ready["http"].rsplit(":", 1)
        manager.address = (host, int(port))
        return manager

    def test_it_serves_by_default_says_so_and_an_agent_joins_by_its_line(self):
        manager = self.start()
        # systemctl returns when it serves, not before.
        self.assertEqual(manager.ask("GET", "/readyz").status, 200)
        self.assertEqual((manager.ready["http"], manager.ready["https"]),
                         ("127.0.0.1:8080", "0.0.0.0:8443"))
        code, pin = manager.ready["setup_code"], manager.ready["ca_pin"]
        urls = [f"http://127.0.0.1:8080/#setup={code}", f"https://{LAN}:8443/#setup={code}"]
        self.assertEqual(manager.ready["urls"], urls)
        for said in (*urls, pin):
            self.assertIn(said, self.journal())
        self.assertIn("serving at http://127.0.0.1:8080/", self.show("StatusText"))
        self.assertNotIn(code, self.show("StatusText"))
        manager.set_up()
        server = manager.add_server("m1")["id"]
        line = manager.api("POST", f"/servers/{server}/join-token", {})["command"]
        words = shlex.split(line)
        self.assertIn(f"https://{LAN}:8443", line)
        self.assertIn(pin, line)
        status, text = self.machine.run(
            *words[words.index("cpm-agent"):], "--mac", "52:54:00:00:00:09")
        self.assertEqual(status, 0, text + self.machine.journal())
        wait_for_status(manager, server, "ON", 30)
        self.assert_journal_fields(manager, server)
        self.assertEqual(self.machine.run("stat", "-c", "%U %a", "/var/lib/cpm")[1].split(),
                         ["cpm", "700"])
        self.assertEqual(self.systemctl("reload", UNIT)[0], 0)
        wait_until("its word", lambda: "the TLS certificate was renewed" in self.journal())
        began = time.monotonic()
        self.assertEqual(self.systemctl("stop", UNIT)[0], 0)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual((self.show("Result"), self.show("ExecMainStatus")), ("success", "0"))

    def assert_journal_fields(self, manager, server):
        (added,) = manager.events(type="ServerAdded")
        (entry,) = [json.loads(line) for line in self.journal(
            "-o", "json", "CPM_TYPE=ServerAdded").splitlines()]
        self.assertEqual(
            [entry[name] for name in ("CPM_SEQUENCE", "CPM_SERVER", "CPM_SERVER_NAME", "CPM_ACTOR",
                                      "SYSLOG_IDENTIFIER")],
            [str(added["sequence"]), server, "m1", "token:story", "cpm-manager"])
        self.assertTrue(entry["MESSAGE"].startswith(f"{added['sequence']} ServerAdded m1"), entry)
        self.assertNotIn("CODE_FILE", entry)

    def test_it_is_hardened(self):
        self.start()
        text = self.machine.run("systemd-analyze", "security", UNIT)[1]
        exposure = float(text.split(f"Overall exposure level for {UNIT}: ")[1].split()[0])
        print(f"\nexposure {exposure}")
        self.assertLessEqual(exposure, 1.5, text)
        status = self.machine.run("cat", f"/proc/{self.show('MainPID')}/status")[1]
        self.assertIn("CapEff:\t0000000000000000", status)
        self.assertNotIn("Uid:\t0", status)
        limits = self.machine.run("cat", f"/proc/{self.show('MainPID')}/limits")[1]
        (files,) = [line.split() for line in limits.splitlines() if "open files" in line]
        self.assertGreaterEqual(int(files[3]), 1024 + 256)

    def test_raw_frames_need_the_drop_in_which_gives_that_one_capability(self):
        manager = self.start().set_up()
        lamp = manager.add_server("lamp", mac_addresses=["52:54:00:00:00:0a"])["id"]
        self.assertEqual(manager.power(lamp, "ON").status, 202)
        wait_until("a packet", lambda: manager.events(type="WakeSent"))
        self.assertNotIn("Ethernet", manager.events(type="WakeSent")[0]["data"]["way"])
        shutil.copy(container.SOURCE / "packaging/cpm-manager-raw-frames.conf",
                    (self.machine.root / DROP_IN).with_name("raw-frames.conf"))
        self.systemctl("daemon-reload")
        self.assertEqual(self.systemctl("restart", UNIT)[0], 0, self.journal())
        status = self.machine.run("cat", f"/proc/{self.show('MainPID')}/status")[1]
        self.assertIn(f"CapEff:\t{1 << 13:016x}", status)  # CAP_NET_RAW
        wait_until("a frame", lambda: any(
            "Ethernet" in event["data"]["way"] for event in manager.events(type="WakeSent")), 30)

    @unittest.skipUnless(hung.is_permitted(), "ptrace is not permitted here")
    def test_a_writer_that_hangs_is_killed_and_restarted(self):
        self.configure(WatchdogSec="4", RestartSec="100ms")
        manager = self.start().set_up()
        agent = manager.join(manager.add_server("node")["id"])
        agent.say()
        before = self.show("MainPID")
        writer = hung.Hung(self.pid_here(), "cpm-writer")
        wait_until("the watchdog", writer.has_ended, 60)
        wait_until("another life", lambda: self.show("MainPID") not in (before, "0") and
                   self.show("ActiveState") == "active", 60)
        self.assertIn("Watchdog timeout", self.journal())
        self.assertEqual(self.show("NRestarts"), "1")
        again = self.served()
        self.assertEqual(again.ask("GET", "/readyz").status, 200)
        again.token = manager.token
        self.assertEqual(again.server(agent.server_id)["display_status"], "ON")
        self.assertEqual(self.systemctl("stop", UNIT)[0], 0)

    def pid_here(self):
        """The manager's process, as seen from outside its machine."""
        for process in pathlib.Path("/proc").iterdir():
            if process.name.isdigit() and (process / "comm").exists():
                words = (process / "status").read_text().split("NSpid:")[1].split("\n")[0].split()
                is_it = (process / "comm").read_text() == "cpm-manager\n"
                if is_it and len(words) > 1 and words[-1] == self.show("MainPID"):
                    return int(process.name)
        raise AssertionError("no such process")

    @unittest.skipUnless(load.has_fault_points(), "built without fault points")
    def test_after_a_failed_sync_it_is_restarted(self):
        self.configure(Environment="CPM_FAULT=append-fails:4", RestartSec="100ms")
        manager = self.start().set_up()  # 1: the start, 2 and 3: the administrator and a token
        before = self.show("MainPID")
        self.assertIn(manager.api("POST", "/servers", {"name": "lamp"}).status, (500, 503))
        wait_until("another life", lambda: self.show("MainPID") not in (before, "0") and
                   self.show("ActiveState") == "active", 30)
        self.assertEqual(self.show("NRestarts"), "1")
        again = self.served()
        self.assertEqual(again.ask("GET", "/readyz").status, 200)
        self.assertIn("the log could not be written", self.journal())

    def test_what_a_person_has_to_mend_is_not_tried_again(self):
        self.configure('htp = "off"\n')
        self.assert_given_up("2", "/etc/cpm/manager.toml:2: htp: is not an option of cpm-manager; "
                             "did you mean http?")
        self.configure()
        with socket.create_server(("127.0.0.1", 8080)):
            self.assert_given_up("4", "cannot listen on 127.0.0.1:8080")
        self.start()
        self.assertEqual(self.systemctl("stop", UNIT)[0], 0)
        self.machine.run("rm", "/var/lib/cpm/head-witness")
        self.assert_given_up("3", "--accept-truncated-log")

    def assert_given_up(self, code, says):
        self.assertNotEqual(self.systemctl("start", UNIT)[0], 0)
        self.assertEqual((self.show("ActiveState"), self.show("SubState"),
                          self.show("ExecMainStatus"), self.show("NRestarts")),
                         ("failed", "failed", code, "0"), self.journal())
        self.assertIn(says, self.journal())
        self.systemctl("reset-failed", UNIT)


if __name__ == "__main__":
    container.need()
    container.in_a_network_of_its_own()
    for command in ("link add lan0 type veth peer name lan1", f"addr add {LAN}/24 dev lan0",
                    "link set lan0 up", "link set lan1 up"):
        subprocess.run(["ip", *command.split()], check=True)
    support.main()
