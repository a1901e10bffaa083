"""cpm-replay what-if on the log of a real manager: under the settings that held nothing differs,
however late the machine was; under others something does."""

import json
import unittest

import support


class WhatIf(unittest.TestCase):
    def setUp(self):
        self.manager = support.Manager().set_up()
        self.addCleanup(self.manager.close)
        self.server = self.manager.add_server(
            "n", mac_addresses=["52:54:00:00:00:01"], heartbeat_interval_seconds=1,
            standby_time_seconds=3)["id"]
        self.agent = self.manager.join(self.server)

    def fall_silent(self):
        support.wait_until("its silence is noticed", lambda: self.manager.server(
            self.server)["heartbeat_status"]["current"] == "None", 60)

    def differences(self, *settings):
        status, text = self.manager.replay("what-if", "--output", "json", *settings)
        self.assertEqual(status, 0, text)
        return json.loads(text)["differences"]

    def test_as_it_was_nothing_differs(self):
        for _ in range(3):
            self.agent.say("ON")
        self.manager.power(self.server, "OFF")
        self.agent.say("Stopping")
        self.fall_silent()
        self.manager.power(self.server, "ON")
        self.manager.power(self.server, "OFF")  # refused while the standby time is open
        self.agent.reboot()
        self.agent.say("ON")
        self.fall_silent()
        self.agent.say("ON")
        self.manager.kill()
        self.manager.start()
        self.agent.say("ON")
        self.fall_silent()
        self.manager.power(self.server, "OFF")
        self.agent.reboot()
        self.agent.say("ON")

        self.assertEqual(self.differences("--missed", "3"), [])
        self.assertEqual(self.differences("--standby", "3"), [])
        self.assertEqual(self.differences("--release-standby", "false"), [])
        self.assertNotEqual(self.differences("--missed", "60"), [])


if __name__ == "__main__":
    support.main()
