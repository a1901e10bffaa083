"""The demo's manager and the person at its desk: starts a real cpm-manager, becomes its first
administrator, and watches the statuses it concludes."""

import http.client
import json
import pathlib
import secrets
import subprocess
import threading
import time

import isolation


class Refused(Exception):
    """What the manager refused, in its own words."""


class Headquarters:
    def __init__(self, program, root, port):
        self.root, self.port, self.token = pathlib.Path(root), port, None
        self.password = secrets.token_urlsafe(12)
        self.servers = {}  # by name, as the manager last showed them
        self.passed = []  # each status that any of them had, in the order they came
        self.changed, self.told = threading.Condition(), lambda server, before: None
        ready_file = self.root / "ready.json"
        with open(self.root / "manager.log", "wb") as log:
            # A session of its own, so that a Ctrl-C ends it last; and it never outlives the demo.
            self.process = subprocess.Popen(
                [program, "--data-dir", self.root / "data", "--http", f"127.0.0.1:{port}",
                 "--https", "127.0.0.1:0", "--ready-file", ready_file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=isolation.die_with_parent)
        while not ready_file.exists():
            if self.process.poll() is not None:
                raise OSError("the manager ended: " + (self.root / "manager.log").read_text())
            time.sleep(0.05)
        self.ready = json.loads(ready_file.read_text())

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(12)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    # --- asking ---

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, "/api/v1" + path,
                               json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json", **(
                                   headers or {"Authorization": f"Bearer {self.token}"})})
            answer = connection.getresponse()
            content = json.loads(answer.read() or "null")
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(content.get("detail", answer.status))
        return content, answer.headers

    def set_up(self):
        person = {"username": "demo", "password": self.password}
        _, headers = self.call("POST", "/setup",
                               {"setup_code": self.ready["setup_code"], **person},
                               {"Accept": "application/json"})
        made, _ = self.call("POST", "/tokens", {"name": "demo", "role": "admin"}, {
            "Cookie": headers["Set-Cookie"].split(";")[0],
            "Origin": f"http://127.0.0.1:{self.port}"})
        self.token = made["token"]
        (self.root / "token").touch(0o600)
        (self.root / "token").write_text(self.token)
        # So that the next request need not wait for the end of a standby time that served its end.
        self.call("PATCH", "/settings", {"release_standby_when_settled": True})

    def enrol(self, machine, wake, off_method):
        """Adds a server, and says the join line on its machine."""
        server, _ = self.call("POST", "/servers", {
            "name": machine.name, "mac_addresses": [machine.mac], "wake": wake,
            "off_method": off_method,
            "heartbeat_interval_seconds": 3, "missed_heartbeats": 3, "standby_time_seconds": 20})
        made, _ = self.call("POST", f"/servers/{server['id']}/join-token", {})
        machine.join(f"https://{self.ready['https']}", made["join_token"], self.ready["ca_pin"])

    def power(self, name, target):
        self.call("PUT", f"/servers/{self.servers[name]['id']}/power", {"power_status": target})

    # --- watching ---

    def watch(self, told):
        """Calls `told` with a server and its status before, for each change from now on."""
        self.look()
        self.told = told

        def look_on():
            while self.process.poll() is None:
                time.sleep(0.2)
                try:
                    self.look()
                except (OSError, http.client.HTTPException):
                    pass  # it is on its way down

        threading.Thread(target=look_on, daemon=True).start()

    def look(self):
        items = self.call("GET", "/servers?limit=1000")[0]["items"]
        for server in items:
            before = self.servers.get(server["name"], {}).get("actual_status")
            with self.changed:
                self.servers[server["name"]] = server
                if server["actual_status"] not in self.passed:
                    self.passed.append(server["actual_status"])
                self.changed.notify_all()
            if before and before != server["actual_status"]:
                self.told(server, before)

    def wait_for(self, status, *names, seconds=40):
        """False: not all of them were this in time."""
        with self.changed:
            return self.changed.wait_for(
                lambda: {self.servers[name]["actual_status"] for name in names} == {status},
                seconds)
