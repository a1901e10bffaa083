"""What the end-to-end stories share: the real manager on a port of its own, a person with an API
token, agents made of plain HTTP requests, and waiting for what must come true."""

import base64
import concurrent.futures
import contextlib
import functools
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

import contract

BIN = pathlib.Path(os.environ.get("CPM_BIN", "build/dev/bin")).resolve()
PASSWORD = "correct horse battery"


def wait_until(what, condition, timeout=15.0, every=0.02):
    """Polls until `condition()` is true and returns it; fails naming `what` it waited for."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s in vain: {what}; last seen: {value!r}")
        time.sleep(every)


def let_pass(seconds):
    """Lets time pass, where the story is about time itself: what must not happen meanwhile."""
    time.sleep(max(0.0, seconds))


class Answer:
    """An HTTP answer: status, headers and the body as JSON (None when there is none)."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.raw = status, headers, body
        try:
            self.json = json.loads(body) if body else None
        except ValueError:
            self.json = None

    def __repr__(self):
        return f"Answer({self.status}, {self.raw[:400]!r})"

    def __getitem__(self, name):
        return self.json[name]


class Manager:
    """A real cpm-manager on a data directory of its own. `fault` is a fault point ("append:3"),
    `prefix` a command that runs it (strace, nsenter)."""

    def __init__(self, data=None, fault=None, prefix=(), args=(), listen="127.0.0.1:0", env=None,
                 started=True):
        self.scratch = tempfile.TemporaryDirectory(prefix="cpm-e2e-")
        self.data = pathlib.Path(data or self.scratch.name) / "data"
        self.prefix, self.args, self.listen, self.env = list(prefix), list(args), listen, env or {}
        self.token = self.process = None
        if started:
            self.start(fault)

    def start(self, fault=None, args=(), ready=True):
        ready_file = pathlib.Path(self.scratch.name) / "ready.json"
        ready_file.unlink(missing_ok=True)
        self.ready = None
        self.log = open(pathlib.Path(self.scratch.name) / "manager.log", "ab")
        environment = {**os.environ, "CPM_SPACE_RESERVE_MIB": "16", **self.env}
        if fault:
            environment["CPM_FAULT"] = fault
        https = [] if "--https" in [*self.args, *args] else ["--https", "off"]
        self.process = subprocess.Popen(
            [*self.prefix, BIN / "cpm-manager", "--data-dir", self.data, "--http", self.listen,
             *https, "--ready-file", ready_file, *self.args, *args],
            stdout=self.log, stderr=self.log, env=environment)
        if not ready:
            return
        wait_until("the manager's ready file",
                   lambda: ready_file.exists() or self.process.poll() is not None, 30)
        if not ready_file.exists():
            raise AssertionError(
                f"the manager ended with {self.process.returncode}: {self.output()}")
        self.ready = json.loads(ready_file.read_text())
        host, port = self.ready["http"].rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))

    @property
    def pid(self):
        return self.ready["pid"] if self.ready else self.process.pid

    def output(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    # --- life and death ---

    def stop(self):
        """A clean stop; returns the exit status."""
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        status = self.process.wait(timeout=20)
        self.log.close()
        return status

    def kill(self):
        """As a power cut of the process; fine also when it has ended already."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.process.wait(timeout=20)
        self.log.close()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        self.scratch.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- asking ---

    def connection(self, timeout=30):
        return http.client.HTTPConnection(*self.address, timeout=timeout)

    def ask(self, method, path, body=None, token=None, headers=None, timeout=30):
        """One request on a connection of its own, its answer held to http/openapi.yaml. `token`: a
        bearer; None: nobody."""
        headers, said = dict(headers or {}), body
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        elif method in ("POST", "PUT", "PATCH", "DELETE"):
            headers.setdefault("Content-Length", "0")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            answer = Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        contract.check(method, path, said, answer)
        return answer

    def api(self, method, path, body=None, **options):
        """A request of the administrator."""
        return self.ask(method, "/api/v1" + path, body, token=self.token, **options)

    def set_up(self):
        """The first administrator and an API token for the story."""
        first = self.ask("POST", "/api/v1/setup", {
            "setup_code": self.ready["setup_code"], "username": "alice", "password": PASSWORD})
        assert first.status == 201, first
        cookie = first.headers["Set-Cookie"].split(";")[0]
        made = self.ask("POST", "/api/v1/tokens", {"name": "story", "role": "admin"}, headers={
            "Cookie": cookie, "Origin": f"http://{self.address[0]}:{self.address[1]}"})
        assert made.status == 201, made
        self.token = made["token"]
        return self

    def add_server(self, name, **fields):
        made = self.api("POST", "/servers", {"name": name, **fields})
        assert made.status == 201, made
        return made.json

    def server(self, server_id):
        answer = self.api("GET", f"/servers/{server_id}")
        assert answer.status == 200, answer
        return answer.json

    def status(self, server_id):
        return self.server(server_id)["actual_status"]

    def power(self, server_id, target, **fields):
        return self.api("PUT", f"/servers/{server_id}/power", {"power_status": target, **fields})

    def events(self, **query):
        """All events that match, oldest first."""
        items, after = [], 0
        while True:
            text = "&".join(f"{key}={value}" for key, value in {**query, "after": after}.items())
            page = self.api("GET", f"/events?limit=1000&{text}")
            assert page.status == 200, page
            items += page["items"]
            if len(page["items"]) < 1000:
                return items
            after = items[-1]["sequence"]

    def notifications(self):
        return self.api("GET", "/notifications")["items"]

    def join(self, server_id, mac="52:54:00:00:00:01", hostname="machine", any_machine=False):
        """Joins a machine to a server; returns its agent."""
        made = self.api("POST", f"/servers/{server_id}/join-token", {"any_machine": any_machine})
        assert made.status == 201, made
        joined = self.ask("POST", "/agent/v1/join", {
            "join_token": made["join_token"], "hostname": hostname, "mac_addresses": [mac],
            "agent_version": "story", "os": "Linux"})
        assert joined.status == 200, joined
        return Agent(self, server_id, joined["agent_token"], joined["order_key"])

    # --- the audit tool ---

    def replay(self, *args):
        """cpm-replay on this log: (exit status, standard output)."""
        run = subprocess.run([BIN / "cpm-replay", "--data-dir", self.data, *args],
                             capture_output=True, text=True, timeout=120)
        return run.returncode, run.stdout + run.stderr

    def assert_replay_is_served(self):
        """Replay = what is served: verify is clean, and the table replayed is the table served."""
        status, text = self.replay("verify")
        assert status == 0, text
        while not (served := self.served()) == (replayed := self.replayed()):
            # Unless the log went on between the two looks, they differ.
            assert served[0] != replayed[0], (served, replayed)

    def served(self):
        """The log's head, and what is served for it: the servers' states by id."""
        while True:
            head = self.api("GET", "/head")["sequence"]
            servers = self.api("GET", "/servers?limit=1000")["items"]
            if self.api("GET", "/head")["sequence"] == head:
                return head, states_of(servers)

    def replayed(self):
        """The same from the log."""
        status, text = self.replay("state", "--output", "json")
        assert status == 0, text
        state = json.loads(text)
        return state["sequence"], states_of(state["servers"])


def make_large_log(place, events, servers):
    """A data directory under `place` with a log of so many events, and with a manager's keys, which
    the tool that makes the log does not have. Returns the directory."""
    with Manager(place / "first") as manager:
        manager.stop()
    data = place / "data"
    subprocess.run([BIN / "make-large-log", data, str(events), str(servers)], check=True)
    (place / "first" / "data" / "keys").rename(data / "keys")
    return data


def states_of(servers):
    fields = ("power_status", "heartbeat_status", "actual_status")
    return {server["id"]: [server[field] for field in fields] for server in servers}


class Boot:
    """A boot identity: a boot, and how often it was resumed."""

    def __init__(self, resume_count=0):
        self.boot_id, self.resume_count = str(uuid.uuid4()), resume_count


class Agent:
    """An agent made of plain requests: says what it is told to say, and counts its reports."""

    def __init__(self, manager, server_id, token, order_key):
        self.manager, self.server_id = manager, server_id
        self.token, self.order_key = token, order_key
        self.boot, self.report = Boot(), 0

    def reboot(self):
        self.boot, self.report = Boot(), 0

    def heartbeat(self, status="ON", identity=True, nonce=True, **fields):
        """One report; `fields` add to or replace what it says (None leaves a field out)."""
        body = {"status": status, "agent_version": "story"}
        if identity:
            self.report += 1
            body |= {"boot_id": self.boot.boot_id, "resume_count": self.boot.resume_count,
                     "report": self.report}
        if nonce:
            body["nonce"] = new_nonce()
        body |= fields
        body = {name: value for name, value in body.items() if value is not None}
        return self.manager.ask("POST", "/agent/v1/heartbeat", body, token=self.token)

    def say(self, status="ON", **fields):
        """A report that must be taken; returns what the agent is told: "ON" or "OFF"."""
        answer = self.heartbeat(status, **fields)
        assert answer.status == 200, answer
        return answer["power_status"]

    def manifest(self, wait=0, etag=None, identity=True, nonce=True):
        query = {"wait": wait}
        if identity:
            query |= {"boot_id": self.boot.boot_id, "resume_count": self.boot.resume_count}
        if nonce:
            query["nonce"] = new_nonce()
        text = "&".join(f"{key}={value}" for key, value in query.items())
        headers = {"If-None-Match": etag} if etag else {}
        return self.manager.ask("GET", f"/agent/v1/manifest?{text}", token=self.token,
                                headers=headers, timeout=wait + 30)


def new_nonce():
    return base64.urlsafe_b64encode(os.urandom(24)).decode().rstrip("=")


def skip(reason):
    """Ends the whole file: the machine lacks what its stories need."""
    print(f"SKIP: {reason}")
    sys.exit(77)


def need_root(what):
    if os.geteuid() != 0:
        skip(f"{what} needs root")


def need_program(*names):
    for name in names:
        if not shutil.which(name):
            skip(f"{name} is not installed: tools/setup --tests")


def need_private_mounts():
    """Skips where what a namespace mounts cannot be kept from the rest of the machine."""
    need_program("unshare")
    probe = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        skip(f"no private mounts here (a chroot whose root is no mount?): {probe.stderr.strip()}")


def together(case, at_once=None):
    """A class decorator: the stories of a TestCase are told at the same time (`at_once`: so many),
    each by a thread of its own, and reported one by one. subTest and setUp do not work in them."""
    stories = {name: story for name, story in vars(case).items() if name.startswith("test_")}
    set_up, tear_down = case.setUpClass, case.tearDownClass

    def tell(story, teller):
        try:
            story(teller)
        finally:
            teller.doCleanups()

    def start():
        set_up()
        pool = concurrent.futures.ThreadPoolExecutor(at_once or len(stories))
        case.told = {name: pool.submit(tell, story, case(name)) for name, story in stories.items()}

    def end():
        concurrent.futures.wait(case.told.values())
        tear_down()

    def report(name, story):
        return functools.wraps(story)(lambda self: self.told[name].result())

    case.setUpClass, case.tearDownClass = start, end
    for name, story in stories.items():
        setattr(case, name, report(name, story))
    return case


def main():
    """Runs the stories of the calling file."""
    unittest.main(module="__main__", verbosity=2)
