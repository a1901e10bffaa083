"""The demo's story: every status of the model, by acts on machines, in about a minute."""

import time

CAST = 6  # machines in it: node1 to node6, of which the last suspends instead of going off

STATUSES = ("ON", "OFF", "Starting", "StartupDelayed", "BeforeStopping", "Stopping",
            "ShutdownDelayed", "ManuallyON", "Crashed", "Unknown")


# Between the parts: so that a person can follow.
PAUSE = 3


def tell(say, headquarters, machines):
    """`say` prints a line of it; machines by name."""
    wait, power = headquarters.wait_for, headquarters.power
    early = ["node1", "node2", "node3", "node4", "node6"]

    say("1. Nobody has heard of these machines yet: they are Unknown. Switch on node1 to node6:\n"
        "   each hears a magic packet and boots. node5 takes 30 s, longer than its standby time.")
    machines["node5"].do("boot 30")
    for name in [*early, "node5"]:
        power(name, "ON")
    wait("ON", *early)
    time.sleep(PAUSE)

    say("2. Switch off node1 and node6. Their agents check the signed order, ask once more, and\n"
        "   go down; node6 is configured to suspend.")
    power("node1", "OFF")
    power("node6", "OFF")
    time.sleep(PAUSE)

    say("3. node4 is told OFF too, but never gets to its end: its disk hangs.")
    machines["node4"].do("stop never")
    power("node4", "OFF")
    time.sleep(PAUSE)

    say("4. The plug of node2 falls out. Nobody asked for that: Crashed, after 9 s of silence.")
    machines["node2"].do("unplug")
    wait("OFF", "node1")
    wait("Crashed", "node2")

    say("5. Somebody presses the buttons of node1 and node2. node1 was OFF: what is up stays up.")
    machines["node1"].do("press")
    machines["node2"].do("press")
    wait("ON", "node1", "node2")
    time.sleep(PAUSE)

    say("6. node3 hangs for 5 s just as it is told OFF: BeforeStopping until it hears of it.")
    machines["node3"].do("freeze")
    power("node3", "OFF")
    time.sleep(5)
    machines["node3"].do("thaw")

    say("7. Switch on node6: the packet resumes it, in the boot it was in, and what it was told\n"
        "   before counts no more.")
    power("node6", "ON")
    wait("ON", "node6")
    time.sleep(PAUSE)

    say("8. node4 is still not down, and node5 took its time: both are said to be delayed.")
    wait("ON", "node5")
    wait("ShutdownDelayed", "node4")
    wait("OFF", "node3")

    say("9. Pull the plug of node4: it said Stopping before it fell silent, so it is OFF.")
    machines["node4"].do("unplug")
    machines["node4"].do("stop 1")
    wait("OFF", "node4")

    seen = [status for status in STATUSES if status in headquarters.passed]
    missing = [status for status in STATUSES if status not in headquarters.passed]
    say(f"The end: {len(seen)} of {len(STATUSES)} statuses were seen"
        + (f"; not {', '.join(missing)}." if missing else ": all there are."))
