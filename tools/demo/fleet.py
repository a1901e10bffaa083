"""The demo fleet: machines that are processes (board.py), each with a folder, a network card and a
real cpm-agent. It knows no manager but by the join line, so tests use it with theirs."""

import json
import pathlib
import subprocess
import sys
import threading
import time

import board

# Any free port does: the fleet has a network of its own (isolation.py).
WAKE_PORT = 40009
WAKE = {"broadcast_address": board.BROADCAST, "ports": [WAKE_PORT]}


class Machine:
    """Off at first. `heard` is called with each thing that is seen of it."""

    def __init__(self, root, name, mac, agent, heard=None):
        self.root, self.name, self.mac, self.agent = pathlib.Path(root), name, mac, agent
        self.heard = heard or (lambda machine, event: None)
        self.seen, self.changed = {}, threading.Condition()
        self.hooks, self.hold = self.root / "pre-off.d", self.root / "hold"
        self.hooks.mkdir(parents=True)
        self.hooks.chmod(0o755)  # hooks that others may change are not run
        power_off = self.root / "power-off"
        power_off.write_text(f'#!/bin/sh\necho "$CPM_OFF_METHOD" >"{self.root}/switch"\n')
        power_off.chmod(0o755)
        config = self.root / "agent.toml"
        config.write_text(
            f'state_dir = "{self.root}/state"\nrun_dir = "{self.root}/run"\n'
            f'hold_file = "{self.hold}"\nhooks_dir = "{self.hooks}"\n'
            f'power_command = ["{power_off}"]\n')
        config.chmod(0o644)
        self.process = subprocess.Popen(
            [sys.executable, "-B", board.__file__, self.root, mac, str(WAKE_PORT), agent],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        with self.process.stdout as lines:
            for line in lines:
                seen = json.loads(line)
                with self.changed:
                    self.seen = seen
                    self.changed.notify_all()
                self.heard(self, seen["event"])

    def wait_for(self, condition, seconds):
        """Waits until the condition holds of what is seen: power (off, booting, on, stopping,
        suspended),
        boots, packets, acts. False: it did not in time."""
        with self.changed:
            return self.changed.wait_for(lambda: self.seen and condition(self.seen), seconds)

    def do(self, line):
        """What a person's hands do, in the words of board.py."""
        self.process.stdin.write(line + "\n")

    def join(self, url, token, pin=None):
        """The join line, said on this machine. Its error ends in AssertionError."""
        words = [self.agent, "--config", self.root / "agent.toml", "join", url, "--token", token,
                 "--mac", self.mac, "--no-start", *(["--ca-pin", pin] if pin else [])]
        joined = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert joined.returncode == 0, f"{self.name} did not join: {joined.stderr}"


class Fleet:
    """A fleet in a folder of its own. Needs isolation.enter() before."""

    def __init__(self, root, agent, heard=None):
        self.root, self.agent, self.heard, self.machines = pathlib.Path(root), agent, heard, []
        self.adding = threading.Lock()

    def add(self, name):
        with self.adding:
            number = len(self.machines) + 1
            mac = f"52:54:00:de:{number >> 8:02x}:{number & 255:02x}"
            machine = Machine(self.root / name, name, mac, self.agent, self.heard)
            self.machines.append(machine)
        return machine

    def close(self):
        """Ends every machine, and what runs on it."""
        for machine in self.machines:
            machine.process.stdin.close()
        end = time.monotonic() + 10
        for machine in self.machines:
            try:
                machine.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                machine.process.kill()
                machine.process.wait()
