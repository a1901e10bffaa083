"""A machine of the demo fleet, as a process: the mainboard, which is there also while the machine
is off. It wakes on a real magic packet for its card, boots by starting a real cpm-agent with a boot
id of its own, and goes off when that agent's power command runs. Suspended, its processes stand
still, and the agent's boot time runs ahead by as much (suspend.cpp; without that library beside the
agent, an order to suspend switches it off).

    board.py ROOT MAC PORT AGENT

Standard input is what a person's hands do, a line each; its end ends the machine:
    unplug            power is gone at once, and back for the next start
    press             the power button of a machine that is off or suspended
    suspend           it suspends by itself
    freeze, thaw      the machine hangs, and goes on
    secure HEX|none   its card wakes only for a packet with this SecureOn password
    boot SECONDS      how long it takes from power to its agent
    stop SECONDS|never  how long it takes from the power command to no power
Standard output is what can be seen of it, a JSON object a line for each change."""

import json
import math
import os
import pathlib
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid

import isolation

BROADCAST = "127.255.255.255"

# What runs as the first process of the machine: nothing in it can switch off anything else.
FIRST_PROCESS = ["unshare", "--mount", "--propagation", "unchanged", "--pid", "--fork",
                 "--kill-child", "sh", "-c",
                 "mount --make-rprivate /proc && "
                 'mount --bind "$1" /proc/sys/kernel/random/boot_id && '
                 'exec "$2" --config "$3" run', "sh"]


class Board:
    def __init__(self, root, mac, port, agent):
        self.root, self.agent = pathlib.Path(root), agent
        self.pattern = b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16
        self.password = b""
        self.power, self.boots, self.packets, self.acts = "off", 0, 0, []
        self.boot_seconds, self.stop_seconds = 3.0, 1.0  # None: never
        self.process = self.ends = self.due = self.suspended_at = None
        self.suspender = pathlib.Path(agent).with_name("cpm-demo-suspend.so")
        self.slept = 0  # seconds of this boot
        self.selector = selectors.DefaultSelector()
        self.card = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.card.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # all cards share the port
        self.card.bind((BROADCAST, int(port)))
        os.mkfifo(self.root / "switch")
        # Open for writing too, so that it does not end with its first writer.
        self.switch = os.open(self.root / "switch", os.O_RDWR | os.O_NONBLOCK)
        self.selector.register(self.card, selectors.EVENT_READ, self.hear)
        self.selector.register(self.switch, selectors.EVENT_READ, self.act)
        self.selector.register(0, selectors.EVENT_READ, self.obey)

    def run(self):
        self.tell("is here")
        while True:
            left = None if self.due is None else max(0.0, self.due - time.monotonic())
            for key, _ in self.selector.select(left):
                if key.data() is False:
                    return
            if self.due is not None and time.monotonic() >= self.due:
                self.come_due()

    def tell(self, event):
        print(json.dumps({"event": event, "power": self.power, "boots": self.boots,
                          "packets": self.packets, "acts": self.acts}), flush=True)

    def come_due(self):
        if self.power == "booting":
            self.start()
        elif self.acts[-1] != "poweroff" and self.suspender.exists():
            self.suspend()
        else:
            self.cut("is off")

    # --- what reaches it ---

    def hear(self):
        packet = self.card.recv(2048)
        at = packet.find(self.pattern)
        if at < 0 or not packet[at + len(self.pattern):].startswith(self.password):
            return
        self.packets += 1
        self.tell("hears its magic packet")
        self.power_up()

    def act(self):
        for method in os.read(self.switch, 4096).decode().split():
            self.acts.append(method)
            if self.power == "on":
                self.power = "stopping"
                self.due = self.stop_due()
            self.tell(f"goes down ({method})")

    def obey(self):
        text = os.read(0, 4096).decode()
        for line in text.splitlines():
            self.obey_line(line.split())
        return bool(text)

    def obey_line(self, words):
        match words:
            case ["unplug"]:
                self.cut("is unplugged")
            case ["press"]:
                self.power_up()
            case ["suspend"] if self.power == "on" and self.suspender.exists():
                self.suspend()
            case ["freeze"]:
                self.signal(signal.SIGSTOP, "hangs")
            case ["thaw"] if self.power != "suspended":
                self.signal(signal.SIGCONT, "goes on")
            case ["secure", password]:
                self.password = b"" if password == "none" else bytes.fromhex(password)
                self.tell("has a card with a password" if self.password else "has an open card")
            case ["boot", seconds]:
                self.boot_seconds = float(seconds)
            case ["stop", seconds]:
                self.stop_seconds = None if seconds == "never" else float(seconds)
                if self.power == "stopping":
                    self.due = self.stop_due()

    # --- power ---

    def stop_due(self):
        return None if self.stop_seconds is None else time.monotonic() + self.stop_seconds

    def power_up(self):
        if self.power == "off":
            self.power, self.due = "booting", time.monotonic() + self.boot_seconds
            self.tell("boots")
        elif self.power == "suspended":
            self.slept += math.ceil(time.monotonic() - self.suspended_at)
            (self.root / "slept").write_text(str(self.slept), "ascii")
            self.power = "on"
            self.signal(signal.SIGCONT, "resumes")

    def suspend(self):
        self.power, self.due, self.suspended_at = "suspended", None, time.monotonic()
        self.signal(signal.SIGSTOP, "is suspended")

    def start(self):
        self.power, self.due, self.boots, self.slept = "on", None, self.boots + 1, 0
        (self.root / "slept").write_text("0", "ascii")
        environment = dict(os.environ)
        if self.suspender.exists():
            environment |= {"LD_PRELOAD": str(self.suspender),
                            "CPM_DEMO_SLEPT": str(self.root / "slept")}
        boot_id = self.root / "boot_id"
        boot_id.write_text(f"{uuid.uuid4()}\n", "ascii")
        shutil.rmtree(self.root / "run", ignore_errors=True)
        with open(self.root / "journal", "ab") as journal:
            # A session of its own: its processes are frozen and killed together.
            self.process = subprocess.Popen(
                [*FIRST_PROCESS, boot_id, self.agent, self.root / "agent.toml"],
                stdin=subprocess.DEVNULL, stdout=journal, stderr=journal, env=environment,
                start_new_session=True, preexec_fn=isolation.die_with_parent)
        self.ends = os.pidfd_open(self.process.pid)
        self.selector.register(self.ends, selectors.EVENT_READ, self.agent_ended)
        self.tell("is up")

    def agent_ended(self):
        if not self.process:  # cut in the same turn
            return
        status = self.forget_process()
        self.tell(f"has lost its agent (exit status {status}; see {self.root / 'journal'})")

    def signal(self, number, event):
        if self.process:
            os.killpg(self.process.pid, number)
            self.tell(event)

    def cut(self, event):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.forget_process()
        self.power, self.due = "off", None
        self.tell(event)

    def forget_process(self):
        status = self.process.wait()
        self.selector.unregister(self.ends)
        os.close(self.ends)
        self.process = self.ends = None
        return status


def main():
    for number in (signal.SIGINT, signal.SIGHUP):  # the fleet's, which then ends this
        signal.signal(number, signal.SIG_IGN)
    board = Board(*sys.argv[1:])
    try:
        board.run()
    finally:
        if board.process:
            os.killpg(board.process.pid, signal.SIGKILL)
            board.process.wait()


if __name__ == "__main__":
    main()
