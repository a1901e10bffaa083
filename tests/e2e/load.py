"""A fleet under load, for the stories of crashes and pauses: machines that report, obey orders and
are switched on by the magic packets that really arrive; people who switch servers; and a ledger of
all that was acknowledged, which is held against the log."""

import calendar
import collections
import concurrent.futures
import contextlib
import http.client
import json
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
import uuid

import support

NO_ANSWER = (OSError, http.client.HTTPException)


def free_port():
    """A port that the kernel gives nobody by itself: a manager can come back to it."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as attempt, contextlib.suppress(OSError):
            attempt.bind(("127.0.0.1", port))
            return port


def manager_at_fixed_port(**options):
    return support.Manager(listen=f"127.0.0.1:{free_port()}", **options)


def logged_events(manager, status=0):
    """The whole log as the audit tool reads it, {sequence: event}; also of a dead manager.
    Status 3: of one that lost its end, as far as it is there."""
    command = [support.BIN / "cpm-replay", "--data-dir", manager.data,
               "log", "--output", "ndjson"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == status, run.stderr
    events = [json.loads(line) for line in run.stdout.splitlines()]
    assert [e["sequence"] for e in events] == list(range(1, len(events) + 1))
    return {event["sequence"]: event for event in events}


def of_type(events, name, server_id=None):
    return [e for e in events.values()
            if e["type"] == name and server_id in (None, e["server_id"])]


def seconds(event):
    """When it happened, as seconds since 1970."""
    whole, fraction = event["at"].rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


def assert_verifies(manager):
    status, text = manager.replay("verify")
    assert status == 0, text


def state_of(server):
    return {name: server[name] for name in ("power_status", "heartbeat_status", "actual_status")}


def served_states(manager):
    page = manager.api("GET", "/servers?limit=1000")
    assert page.status == 200, page
    return {server["id"]: state_of(server) for server in page["items"]}


def head_of(manager):
    return manager.api("GET", "/head")["sequence"]


def replayed_states(manager, sequence):
    status, text = manager.replay("state", "--at", str(sequence), "--output", "json")
    assert status == 0, text
    return {s["id"]: state_of(s) for s in json.loads(text)["servers"]}


def assert_replayed_is_served(manager):
    """Also while reports go on: the answer showed some moment between two heads."""
    first, served, last = head_of(manager), served_states(manager), head_of(manager)
    differences = {}
    for sequence in range(first, last + 1):
        replayed = replayed_states(manager, sequence)
        if replayed == served:
            return
        differences[sequence] = {server: (state, replayed.get(server))
                                 for server, state in served.items()
                                 if state != replayed.get(server)}
    raise AssertionError(f"served is replayed at no sequence: (served, replayed) {differences}")


class Air:
    """The network segment of the machines: a loopback port on which magic packets arrive."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.packets, self.sleepers, self.malformed = [], {}, []
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def wake_settings(self):
        return {"broadcast_address": "127.0.0.1", "ports": [self.port]}

    def packets_for(self, mac, since=0.0):
        return [at for at, woken in self.packets if woken == mac and at >= since]

    def _listen(self):
        while True:
            packet = self.socket.recv(2048)
            if not packet:
                return
            mac = ":".join(f"{byte:02x}" for byte in packet[6:12])
            if packet != b"\xff" * 6 + packet[6:12] * 16:
                self.malformed.append(packet)
                continue
            self.packets.append((time.time(), mac))
            if mac in self.sleepers:
                self.sleepers[mac].set()

    def close(self):
        self.socket.sendto(b"", ("127.0.0.1", self.port))
        self.thread.join()
        self.socket.close()


class Ledger:
    """What was acknowledged. Nothing is in it that did not get its 2xx."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reports, self.heads, self.orders = [], {}, []
        self.requests = collections.defaultdict(list)  # server: (key, target, outcome, sequence)
        self.added, self.unexpected = {}, []

    def report(self, agent, boot_id, number, answer):
        with self.lock:
            self.reports.append((agent.server_id, boot_id, number))
            self.heads[answer["head"]["sequence"]] = answer["head"]["hash"]
            if "order" in answer.json:
                order = answer["order"]
                self.orders.append((agent.server_id, order["nonce"], order["sequence"]))

    def request(self, server_id, key, target, answer):
        wish = (key, target, answer["outcome"], answer["sequence"])
        with self.lock:
            self.requests[server_id].append(wish)

    def assert_kept_by(self, events):
        """Each acknowledged change is in the log, exactly once, under the number that was told."""
        assert not self.unexpected, self.unexpected[:5]
        counted = collections.Counter(
            (e["server_id"], e["data"]["identity"]["boot_id"], e["data"]["report"])
            for e in of_type(events, "HeartbeatReceived") if e["data"]["identity"])
        for report in self.reports:
            assert counted[report] == 1, ("acknowledged report", report, counted[report])
        for sequence, hash_told in self.heads.items():
            assert events.get(sequence, {}).get("hash") == hash_told, ("head told", sequence)
        sent = collections.Counter((e["server_id"], e["data"]["nonce"], e["data"]["request"])
                                   for e in of_type(events, "OrderSent"))
        for order in self.orders:
            assert sent[order] == 1, ("order", order, sent[order])
        for server_id, requests in self.requests.items():
            for _, target, outcome, sequence in requests:
                if outcome == "accepted":
                    event = events.get(sequence)
                    assert event and event["type"] == "PowerRequested", (sequence, event)
                    assert event["server_id"] == server_id, event
                    assert event["data"]["target"] == target, event
        for name, server_id in self.added.items():
            there = [e for e in of_type(events, "ServerAdded") if e["data"]["name"] == name]
            assert [e["server_id"] for e in there] == [server_id], (name, server_id, there)

    def assert_nothing_beside(self, events):
        """Once all that was asked is answered: no request stands in the log twice, or unasked."""
        for server_id, requests in self.requests.items():
            told = sorted(sequence for _, _, outcome, sequence in requests if outcome == "accepted")
            logged = [e["sequence"] for e in of_type(events, "PowerRequested", server_id)]
            assert told == logged, (server_id, told, logged)


class Actor(threading.Thread):
    """Does `act()` every `period` seconds until told to stop."""

    def __init__(self, period):
        super().__init__(daemon=True)
        self.period, self.ended, self.fault = period, threading.Event(), None

    def run(self):
        try:
            while not self.ended.wait(self.period):
                self.act()
        except Exception as error:  # shown where the story ends, not lost on a thread
            self.fault = error

    def end(self):
        self.ended.set()
        self.join(timeout=40)
        if self.fault:
            raise self.fault


class Machine(Actor):
    """A machine and its agent: reports, carries out an OFF in `stops_in` reports (0: never), and
    lies dark until a magic packet comes."""

    def __init__(self, ledger, agent, period, air=None, mac=None, stops_in=2):
        super().__init__(period)
        self.ledger, self.agent, self.stops_in = ledger, agent, stops_in
        self.phase, self.left = "on", stops_in
        self.woken, self.speaking = threading.Event(), threading.Event()
        self.speaking.set()
        if air:
            air.sleepers[mac] = self.woken

    def act(self):
        if not self.speaking.is_set():
            return
        if self.phase == "off":
            if not self.woken.is_set():
                return
            self.agent.reboot()
            self.phase = "on"
        try:
            answer = self.agent.heartbeat("ON" if self.phase == "on" else "Stopping")
        except NO_ANSWER:
            return
        if answer.status != 200:
            self.ledger.unexpected.append(answer)
            return
        self.ledger.report(self.agent, self.agent.boot.boot_id, self.agent.report, answer)
        self.hear(answer["power_status"])

    def hear(self, told):
        if not self.stops_in:
            return
        if self.phase == "on" and told == "OFF":
            self.phase, self.left = "stopping", self.stops_in
        elif self.phase == "stopping" and told == "ON":
            self.phase = "on"
        elif self.phase == "stopping":
            self.left -= 1
            if self.left == 0:
                self.woken.clear()
                self.phase = "off"


class Person(Actor):
    """Asks for ON and OFF in turn, each wish under one Idempotency-Key until it is answered."""

    def __init__(self, manager, ledger, server_id, seed, period=0.05):
        super().__init__(period)
        self.manager, self.ledger, self.server_id = manager, ledger, server_id
        self.random, self.target, self.key = random.Random(seed), "ON", None

    def ask(self, key, target):
        return self.manager.api("PUT", f"/servers/{self.server_id}/power",
                                {"power_status": target}, headers={"Idempotency-Key": key})

    def act(self):
        self.key = self.key or str(uuid.uuid4())
        try:
            answer = self.ask(self.key, self.target)
        except NO_ANSWER:
            return
        if answer.status in (200, 202):
            self.ledger.request(self.server_id, self.key, self.target, answer)
            self.key, self.target = None, "OFF" if self.target == "ON" else "ON"
            if self.random.random() < 0.2:
                self.ask_again()
        elif answer.status == 409 and answer["type"] == "/problems/standby":
            self.ended.wait(0.1)
        else:
            self.ledger.unexpected.append(answer)

    def ask_again(self):
        """The last answered wish once more: the same answer, and (seen in the log) no event."""
        key, target, outcome, sequence = self.ledger.requests[self.server_id][-1]
        try:
            again = self.ask(key, target)
        except NO_ANSWER:
            return
        assert again.status in (200, 202), again
        assert (again["outcome"], again["sequence"]) == (outcome, sequence), (again, sequence)

    def finish(self):
        """Asks on until the open wish is answered."""
        while self.key:
            self.act()
            support.let_pass(0.05)


class Clerk(Actor):
    """Adds servers, each under a name and a key of its own, until it is told that each is done."""

    def __init__(self, manager, ledger, period=0.3):
        super().__init__(period)
        self.manager, self.ledger, self.count, self.key = manager, ledger, 0, None

    def act(self):
        self.key = self.key or str(uuid.uuid4())
        name = f"added-{self.count}"
        try:
            answer = self.manager.api("POST", "/servers", {"name": name},
                                      headers={"Idempotency-Key": self.key})
        except NO_ANSWER:
            return
        if answer.status == 201:
            self.ledger.added[name] = answer["id"]
            self.count, self.key = self.count + 1, None
        else:
            self.ledger.unexpected.append(answer)


def has_fault_points():
    """Whether this build dies where it is told to (a start passes "append" first of all)."""
    with support.Manager(started=False) as manager:
        manager.start(fault="append:1", ready=False)
        try:
            return manager.process.wait(timeout=5) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False


def in_parallel(work, items, workers=4):
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, item) for item in items]:
            done.result()


def agent_like(agent, manager):
    """The same agent, speaking to another manager (on a copy of the data directory)."""
    twin = support.Agent(manager, agent.server_id, agent.token, agent.order_key)
    twin.boot, twin.report = agent.boot, agent.report
    return twin


def copy_of(manager, **options):
    """A manager, not started, on a copy of a stopped one's data directory."""
    twin = support.Manager(started=False, **options)
    shutil.copytree(manager.data, twin.data)
    twin.token = manager.token
    return twin
