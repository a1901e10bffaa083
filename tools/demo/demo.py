"""tools/run --demo: a manager, and machines to try it on. They are processes in a network of their
own, so nothing on a real network can be woken or switched off."""

import argparse
import contextlib
import os
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time

import bridge
import fleet
import isolation
import story
from headquarters import Headquarters, Refused

BIN = pathlib.Path(os.environ.get("CPM_BIN", "build/release/bin")).resolve()

TRY = """Try (NAME is node1, node2, …):
  on NAME | off NAME           ask the manager to switch it on or off
  press NAME | unplug NAME     its power button; its plug
  suspend NAME                 it suspends by itself (press resumes it)
  freeze NAME | thaw NAME      it hangs; it goes on
  secure NAME HEX|none         its card's SecureOn password
  boot NAME SECONDS            how long it takes to boot
  stop NAME SECONDS|never      how long it takes to go down
  hold NAME REASON | release NAME   its owner's veto against going down
  status                       what the manager concludes, and why
  help | quit                  (Ctrl-C ends everything, too)"""


class Demo:
    def __init__(self, headquarters, machines):
        self.headquarters, self.machines = headquarters, machines
        self.began, self.mouth = time.monotonic(), threading.Lock()

    def say(self, text):
        with self.mouth:
            print(text, flush=True)

    def narrate(self, text):
        self.say(f"\n{text}")

    def happened(self, text):
        self.say(f"   {time.monotonic() - self.began:5.1f} s  {text}")

    def changed(self, server, before):
        why = re.split(r" \(|: ", server["reason"]["text"])[0].rstrip(".")
        self.happened(f"{server['name']}: {before} -> {server['actual_status']}   ({why})")

    # --- what a person types ---

    def read_commands(self):
        # Not sys.stdin: a thread that waits in it makes Python abort at its end.
        while typed := os.read(0, 4096):
            for line in typed.decode(errors="replace").splitlines():
                self.read_command(line.split())

    def read_command(self, words):
        try:
            self.obey(words)
        except Refused as refused:
            self.say(f"refused: {refused}")
        except KeyError as name:
            self.say(f"there is no machine {name}")
        except (OSError, ValueError) as error:
            self.say(f"not done: {error}")

    def obey(self, words):
        match words:
            case []:
                pass
            case ["on" | "off" as target, name]:
                self.headquarters.power(name, target.upper())
            case ["press" | "unplug" | "suspend" | "freeze" | "thaw" as deed, name]:
                self.machines[name].do(deed)
            case ["secure", name, password]:
                self.machines[name].do(f"secure {password}")
            case ["boot", name, seconds]:
                self.machines[name].do(f"boot {float(seconds)}")
            case ["stop", name, seconds]:
                until = seconds if seconds == "never" else float(seconds)
                self.machines[name].do(f"stop {until}")
            case ["hold", name, *reason]:
                self.machines[name].hold.write_text(" ".join(reason) + "\n")
            case ["release", name]:
                self.machines[name].hold.unlink(missing_ok=True)
            case ["status"]:
                self.say("\n".join(
                    f"{name:8} {server['actual_status']:16} {server['reason']['text']}"
                    for name, server in self.headquarters.servers.items()))
            case ["quit"]:
                os.kill(os.getpid(), signal.SIGTERM)
            case _:
                self.say(TRY)


def run(demo, url, root):
    headquarters, machines = demo.headquarters, demo.machines
    demo.say(f"""CPM's demo: {len(machines)} machines that are processes, in a network of their own.
  The manager      {url}   (user demo, password {headquarters.password})
  By curl          curl -H "Authorization: Bearer $(cat {root}/token)" {url}/api/v1/servers
  The machines     {root}/machines/NAME: journal, pre-off.d (hooks), …
{TRY}""")
    headquarters.watch(demo.changed)
    for machine in machines.values():
        machine.heard = lambda machine, event: demo.happened(f"{machine.name} {event}")
    threading.Thread(target=demo.read_commands, daemon=True).start()
    try:
        story.tell(demo.narrate, headquarters, machines)
    except Refused as refused:
        demo.narrate(f"The story ends here, as somebody else asked something: {refused}")
    demo.narrate("Now you. " + TRY)
    while headquarters.process.poll() is None:
        time.sleep(0.5)
    raise OSError(f"the manager ended: {root}/manager.log")


def main():
    parser = argparse.ArgumentParser(prog="tools/run --demo", description=__doc__)
    parser.add_argument("--machines", type=int, default=8, metavar="N",
                        help=f"how many, {story.CAST} to 100 (default 8)")
    options = parser.parse_args()
    if not story.CAST <= options.machines <= 100:
        parser.error(f"--machines: expected a number from {story.CAST} to 100")
    listener = bridge.listen(8080)
    isolation.enter()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with contextlib.ExitStack() as ends:
        root = pathlib.Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="cpm-demo-")))
        headquarters = Headquarters(BIN / "cpm-manager", root, listener.getsockname()[1])
        ends.callback(headquarters.close)
        headquarters.set_up()
        machines = fleet.Fleet(root / "machines", BIN / "cpm-agent")
        ends.callback(machines.close)
        for number in range(1, options.machines + 1):
            off_method = "suspend" if number == story.CAST else "poweroff"
            headquarters.enrol(machines.add(f"node{number}"), fleet.WAKE, off_method)
        bridge.serve(listener)
        # Once it ends, it ends in order, however often Ctrl-C is pressed.
        ends.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)
        run(Demo(headquarters, {machine.name: machine for machine in machines.machines}), url, root)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.exit(f"demo: {error}")
