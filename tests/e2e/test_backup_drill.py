"""Backup and restore as a drill: backed up while the manager runs, the machine lost, the backup put
back, and an agent that knows more than the backup does."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest

import support


def replay(data, *args):
    return subprocess.run([support.BIN / "cpm-replay", "--data-dir", data, *args],
                          capture_output=True, text=True, timeout=120)


class BackupDrill(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)
        self.server = self.manager.add_server("n", mac_addresses=["52:54:00:00:00:01"])["id"]
        self.agent = self.manager.join(self.server)
        place = tempfile.TemporaryDirectory(prefix="cpm-backup-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    def ready(self):
        return self.manager.ask("GET", "/readyz")["status"]

    def lose_the_disk_and_restore(self, backup):
        self.manager.kill()
        shutil.rmtree(self.manager.data)
        done = replay(self.manager.data, "restore", backup)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.manager.start()

    def test_a_restored_backup_is_rolled_back_where_an_agent_knows_more(self):
        self.agent.say("ON")
        backup = self.place / "backup"
        made = replay(self.manager.data, "backup", backup)
        self.assertEqual(made.returncode, 0, made.stderr)
        for _ in range(5):
            head = self.agent.heartbeat("ON")["head"]
        self.assertEqual(self.manager.power(self.server, "OFF").status, 202)

        self.lose_the_disk_and_restore(backup)
        # The keys came with it: the agent's token, the people's and the order key hold.
        self.assertEqual(self.ready(), "ok")
        self.assertEqual(self.manager.server(self.server)["power_status"], "ON")
        self.assertEqual(self.agent.heartbeat("ON", witness=head)["power_status"], "ON")
        support.wait_until("the agent's witness tells", lambda: self.ready() == "rolled_back")
        refused = self.manager.power(self.server, "OFF")
        self.assertEqual((refused.status, refused["type"]), (503, "/problems/rolled-back"))
        self.assertEqual(self.manager.api("POST", "/rollback/accept").status, 200)
        self.assertEqual(self.manager.power(self.server, "OFF").status, 202)
        self.manager.assert_replay_is_served()
        self.assertIn('"epoch":2', self.assert_comes_back().splitlines()[0])

    def test_a_restored_backup_that_is_up_to_date_simply_goes_on(self):
        head = self.agent.heartbeat("ON")["head"]
        backup = self.place / "backup"
        self.assertEqual(replay(self.manager.data, "backup", backup).returncode, 0)
        self.lose_the_disk_and_restore(backup)
        self.assertEqual(self.agent.heartbeat("ON", witness=head)["power_status"], "ON")
        self.assertEqual(self.ready(), "ok")
        self.manager.assert_replay_is_served()

    def test_backups_while_the_manager_is_busy_are_whole(self):
        stop = threading.Event()

        def report():
            while not stop.is_set():
                self.agent.say("ON")

        reporting = threading.Thread(target=report)
        reporting.start()
        try:
            heads = []
            for i in range(5):
                made = replay(self.manager.data, "backup", self.place / str(i), "--output", "json")
                self.assertEqual(made.returncode, 0, made.stderr)
                heads.append(json.loads(made.stdout)["sequence"])
        finally:
            stop.set()
            reporting.join()
        self.assertEqual(heads, sorted(heads))
        for i, head in enumerate(heads):
            checked = replay(self.place / str(i), "verify", "--output", "json")
            self.assertEqual(checked.returncode, 0, checked.stdout)
            self.assertEqual(json.loads(checked.stdout)["events"], head)

    def test_an_export_of_a_running_managers_log_comes_back_byte_for_byte(self):
        for status in ("ON", "ON", "Stopping"):
            self.agent.say(status)
        self.assert_comes_back()

    def assert_comes_back(self):
        """The log's export, which an import of it exports again."""
        first = replay(self.manager.data, "export")
        self.assertEqual(first.returncode, 0, first.stderr)
        (self.place / "export").write_text(first.stdout)
        copy = self.place / "copy"
        done = replay(copy, "import", self.place / "export")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(replay(copy, "export").stdout, first.stdout)
        self.assertEqual(replay(copy, "verify").returncode, 0)
        return first.stdout


if __name__ == "__main__":
    support.main()
