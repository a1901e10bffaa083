"""docs/api.md: curl alone, following the page, is an administrator and an agent. What the test runs
is the page's own script, word for word."""

import os
import pathlib
import re
import subprocess
import unittest

import support

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


class Docs(unittest.TestCase):
    def test_the_script_of_the_page_runs_as_it_stands(self):
        page = (DOCS / "api.md").read_text()
        script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
        with support.Manager() as manager:
            environment = {**os.environ, "CPM": "http://%s:%s" % manager.address,
                           "SETUP_CODE": manager.ready["setup_code"],
                           "AGENT": str(DOCS / "agent.sh")}
            run = subprocess.run(["sh", "-c", script], env=environment, capture_output=True,
                                 text=True, timeout=180, start_new_session=True)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            # What the page promises is in the log.
            signed_in = manager.ask("POST", "/api/v1/session", {
                "username": "alice", "password": support.PASSWORD})
            cookie = signed_in.headers["Set-Cookie"].split(";")[0]
            events = manager.ask("GET", "/api/v1/events?limit=1000", headers={"Cookie": cookie})
            kinds = [event["type"] for event in events["items"]]
            self.assertEqual(kinds.count("PowerRequested"), 2)  # the repetition was none
            for kind in ("SetupDone", "SignedOut", "TokenCreated", "ServerAdded",
                         "ServerUpdated", "PowerRefused", "AgentJoined", "OrderSent",
                         "HeartbeatLost", "ServerRemoved"):
                self.assertIn(kind, kinds)


if __name__ == "__main__":
    support.need_program("curl", "sh")
    support.main()
