"""docs/api.md and the README's first five minutes: curl alone, following the page, is an
administrator and an agent. What the tests run is the page's own script, word for word."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import support

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def scripts(text):
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def end_group(leader):
    """Ends a shell and what it started in the background."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


class Docs(unittest.TestCase):
    def test_the_script_of_the_page_runs_as_it_stands(self):
        page = (DOCS / "api.md").read_text()
        script = "\n".join(scripts(page))
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


class Readme(unittest.TestCase):
    def test_the_first_five_minutes_go_as_the_page_says(self):
        page = (DOCS.parent / "README.md").read_text()
        section = page.split("\n## The first five minutes, by curl\n")[1].split("\n## ")[0]
        _, set_up, add, join, agent, off, replay = scripts(section)  # the first starts the manager
        with support.Manager() as manager, tempfile.TemporaryDirectory() as folder:
            here = pathlib.Path(folder)
            for name, leads_to in (("docs", DOCS), ("build/release/bin", support.BIN),
                                   ("var/manager", manager.data)):
                (here / name).parent.mkdir(parents=True, exist_ok=True)
                (here / name).symlink_to(leads_to)
            output = here / "output"
            with output.open("wb") as written:
                shell = subprocess.Popen(["sh"], cwd=here, stdin=subprocess.PIPE, text=True,
                                         stdout=written, stderr=written, start_new_session=True)
            self.addCleanup(end_group, shell.pid)

            def run(text, shows):
                shell.stdin.write(text)
                shell.stdin.flush()
                support.wait_until(shows, lambda: shows in output.read_text(), 60)

            where = "http://%s:%s" % manager.address
            run(set_up.replace("http://127.0.0.1:8080", where)
                .replace("ABCD-EFGH-JKLM", manager.ready["setup_code"]), '"role":"admin"')
            run(add + join + agent, '"display_status":')
            run(f'until curl -s $cpm/api/v1/servers/$server -H "$me" | grep -q \'"current":"ON"\'\n'
                "do sleep 1; done; echo it reports\n", "it reports")
            run(off, "I would power off now")
            run(replay, "clean: ")
            shell.stdin.close()
            shell.wait(timeout=30)
            text = output.read_text()
            self.assertIn('"outcome":"accepted"', text)
            self.assertRegex(text, r"BeforeStopping +Stopping")


if __name__ == "__main__":
    support.need_program("curl", "sh")
    support.main()
