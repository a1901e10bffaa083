"""The demo fleet and a manager that is gone, hangs, answers rubbish or comes back from an old
backup: no machine goes off that nobody wants off, and an OFF works again when the trouble is
over."""

import os
import shutil
import signal
import socket
import threading
import unittest

import demo_fleet
import support
import tls
from support import let_pass, wait_until

RUBBISH = [b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"power_status\":",
           b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 22\r\n\r\n"
           b'{"power_status":"OFF"}', b"OFF\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28" * 50]


class Rubbish:
    """Where a manager should be, something else listens."""

    def __init__(self):
        self.socket, self.answered = socket.create_server(("127.0.0.1", 0)), 0
        self.address = self.socket.getsockname()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection, support.contextlib.suppress(OSError):
                connection.settimeout(5)
                connection.recv(65536)
                connection.sendall(RUBBISH[self.answered % len(RUBBISH)])
                self.answered += 1

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class AwayAndBack(demo_fleet.Story):
    """A manager that does not answer, and six machines that are ON."""

    def setUp(self):
        self.machines = [self.add(f"{self._testMethodName[5:12]}{number}", boot=0.1,
                                  plain=number % 2 == 0, standby_time_seconds=20,
                                  missed_heartbeats=10)
                         for number in range(6)]
        self.do(self.machines, "press")
        self.wait_for(self.machines, "ON")

    def tearDown(self):
        self.assert_up(self.machines)
        self.an_off_works()
        self.do(self.machines, "unplug")

    def lead(self, where=None):
        """The cables lead there; None: to the manager, wherever it listens now."""
        for number, machine in enumerate(self.machines):
            manager = self.manager.address if number % 2 == 0 else tls.address_of(self.manager)
            machine.cable.lead_to(where or manager)

    def assert_up(self, machines):
        self.assert_seen(machines, power="on", boots=1, acts=[])

    def an_off_works(self):
        machine = self.machines.pop()
        self.ask([machine], "OFF")
        self.wait_for([machine], "OFF")
        self.assert_seen([machine], power="off", acts=["poweroff"])

    def test_gone(self):
        self.manager.kill()
        let_pass(8)
        self.assert_up(self.machines)
        self.manager.start()
        self.lead()
        self.wait_for_reports(self.machines)

    def test_hanging(self):
        os.kill(self.manager.pid, signal.SIGSTOP)
        let_pass(12)  # longer than an agent waits for an answer
        os.kill(self.manager.pid, signal.SIGCONT)
        self.wait_for_reports(self.machines)
        for machine in self.machines:
            self.assertFalse(self.passed(machine, "Crashed"))

    def test_rubbish(self):
        rubbish = Rubbish()
        self.addCleanup(rubbish.close)
        self.lead(rubbish.address)
        wait_until("rubbish for everyone", lambda: rubbish.answered >= 24, 40)
        self.assert_up(self.machines)
        self.lead()
        self.wait_for_reports(self.machines)


class AnOldBackup(demo_fleet.Story):
    """The manager's directory is put back to what it was some time ago: a log in which two OFFs are
    under way that have been settled since, by agents who know a later one."""

    def setUp(self):
        fields = {"plain": True, "boot": 0.1, "missed_heartbeats": 5}
        self.obeyed, self.held = (
            self.add(name, standby_time_seconds=600, **fields) for name in ("obeyed", "held"))
        self.free = self.add("free", standby_time_seconds=3, **fields)
        self.machines = [self.obeyed, self.held, self.free]
        self.manager.api("PATCH", "/settings", {"release_standby_when_settled": True})
        self.ask(self.machines, "ON")
        self.wait_for(self.machines, "ON")

    def ready(self):
        return self.manager.ask("GET", "/readyz")["status"]

    def lead(self):
        for machine in self.machines:
            machine.cable.lead_to(self.manager.address)

    def back_up_in_the_middle_of_two_offs(self):
        self.held.hold.write_text("backup\n")
        self.obeyed.do("freeze")
        self.ask([self.obeyed, self.held], "OFF")
        self.wait_for_rule([self.held], "OFF/Stopping/Stopping")
        self.assertEqual(self.manager.stop(), 0)
        self.backup = self.manager.data.with_name("backup")
        shutil.copytree(self.manager.data, self.backup)
        self.manager.start()
        self.lead()

    def go_on(self):
        """What the backup knows nothing of: one went off and was wanted ON again."""
        self.obeyed.do("thaw")
        self.wait_for([self.obeyed], "OFF")
        self.ask([self.obeyed], "ON")
        self.wait_for([self.obeyed, self.free], "ON")
        self.assert_seen([self.obeyed], power="on", boots=2, acts=["poweroff"])
        self.wait_for_reports(self.machines)
        self.free.cable.alter = blind  # before its first word to the restored one

    def put_back(self):
        self.manager.kill()
        shutil.rmtree(self.manager.data)
        self.backup.rename(self.manager.data)
        for machine in (self.obeyed, self.held):
            machine.cable.lead_to(None)
        self.manager.start()

    def test_nothing_goes_off_until_it_is_accepted_and_an_off_works_again(self):
        self.back_up_in_the_middle_of_two_offs()
        self.go_on()
        self.put_back()
        self.an_order_under_the_older_head_is_not_obeyed()
        self.it_is_found_and_everyone_is_told_on()
        self.an_administrator_accepts_it_once()
        self.ask([self.free], "OFF")
        self.wait_for([self.free], "OFF")
        self.assert_seen([self.free], power="off", acts=["poweroff"])
        self.assert_seen([self.held], power="on", boots=1, acts=[])
        self.assert_seen([self.obeyed], power="on", boots=2, acts=["poweroff"])
        self.manager.assert_replay_is_served()

    def an_order_under_the_older_head_is_not_obeyed(self):
        """The manager cannot know: nobody's witness reaches it."""
        self.free.cable.lead_to(self.manager.address)
        self.wait_for([self.free], "ON")
        self.assertEqual(self.ready(), "ok")
        self.ask([self.free], "OFF")
        wait_until("the order", lambda: self.manager.events(
            server=self.free.server, type="OrderSent"))
        wait_until("what the agent says of it", lambda: "the manager's event log is older" in
                   self.journal(self.free))
        wait_until("the end of the standby time",
                   lambda: not self.served([self.free])[0]["standby"])
        self.assert_seen([self.free], power="on", acts=[])
        self.assertEqual({event["data"]["status"] for event in self.manager.events(
            server=self.free.server, type="HeartbeatReceived")}, {"ON"})

    def it_is_found_and_everyone_is_told_on(self):
        for machine in self.machines:
            machine.cable.alter = None
        self.lead()
        wait_until("that it is known", lambda: self.ready() == "rolled_back", 30)
        refused = self.manager.power(self.free.server, "OFF")
        self.assertEqual((refused.status, refused["type"]), (503, "/problems/rolled-back"))
        self.held.hold.unlink()
        self.wait_for_reports(self.machines, 3)
        self.assertEqual(self.manager.events(server=self.held.server, type="HeartbeatReceived")[-1]
                         ["data"]["status"], "ON")
        self.assert_seen([self.held], power="on", boots=1, acts=[])
        self.assert_seen([self.obeyed], power="on", boots=2, acts=["poweroff"])

    def an_administrator_accepts_it_once(self):
        self.assertEqual(self.manager.api("POST", "/rollback/accept").status, 200)
        self.wait_for_reports(self.machines, 3)
        self.assertEqual(self.ready(), "ok")
        self.assert_seen([self.held], power="on", boots=1, acts=[])


def blind(chunk):
    """A field of another name, which is ignored as all unknown ones are."""
    return chunk.replace(b'"witness"', b'"nothing"')


if __name__ == "__main__":
    demo_fleet.enter_own_network()
    support.main()
