"""Busy fleets whose manager is killed again and again, at fault points and at random moments: what
was answered is kept exactly once, statuses are what they were, and the log proves it.

CPM_KILLS is how often they are killed (60; the soak suite e2e_crashes_1000: 1,000), CPM_SEED
repeats a run's random choices."""

import os
import random
import subprocess
import time
import unittest

import load
import support
from load import of_type
from support import wait_until

KILLS_A_WORLD = 20
KILLS = int(os.environ.get("CPM_KILLS", 60))
SEED = int(os.environ.get("CPM_SEED", time.time_ns() % 1_000_000))


class World:
    """One manager with a busy fleet, killed again and again: in turn at a fault point and at a
    random moment."""

    POINTS = (("append", 60), ("sync", 60), ("answer", 50), ("effect", 3))

    def __init__(self, number):
        self.number = number
        self.random = random.Random(SEED * 100 + number)
        self.ledger, self.air, self.actors, self.died_at = load.Ledger(), load.Air(), [], []
        self.manager = load.manager_at_fixed_port().set_up()
        self.manager.api("PATCH", "/settings", {
            "wake_stagger_ms": 0, "standby_time_seconds": 1,
            "heartbeat_interval_seconds": 1, "missed_heartbeats": 1})
        self.steady = [self.machine(f"steady-{i}", 0.25, missed_heartbeats=8, stops_in=0)
                       for i in range(2)]
        self.cycled = [self.machine("cycled", 0.12, standby_time_seconds=2)]
        self.settled = self.settle()
        for machine in self.steady + self.cycled:
            machine.start()
        self.actors += self.steady + self.cycled
        self.lamps = [self.manager.add_server(
            f"lamp-{i}", mac_addresses=[f"52:54:00:00:01:0{i}"],
            wake=self.air.wake_settings())["id"] for i in range(2)]
        self.people = [load.Person(self.manager, self.ledger, server_id, self.random.random())
                       for server_id in self.lamps + [m.agent.server_id for m in self.cycled]]
        self.people.append(load.Clerk(self.manager, self.ledger))
        wait_until("all steady ones are ON", lambda: all(
            self.manager.status(m.agent.server_id) == "ON" for m in self.steady))
        for person in self.people:
            person.start()
        self.actors += self.people

    def machine(self, name, period, stops_in=2, **fields):
        mac = f"52:54:00:00:00:{len(self.manager.api('GET', '/servers')['items']) + 1:02x}"
        added = self.manager.add_server(name, mac_addresses=[mac],
                                        wake=self.air.wake_settings(), **fields)
        agent = self.manager.join(added["id"], mac=mac)
        return load.Machine(self.ledger, agent, period, self.air, mac, stops_in)

    def settle(self):
        """Servers at rest in each status that lasts by itself: {id: state}."""
        off = self.machine("off", 0.1).agent
        crashed = self.machine("crashed", 0.1).agent
        delayed = self.manager.add_server("delayed")["id"]
        acknowledged = self.manager.add_server("acknowledged")["id"]
        never = self.manager.add_server("never")["id"]
        for agent in (off, crashed):
            agent.say()
            agent.say()
        assert self.manager.power(off.server_id, "OFF").status == 202
        assert self.manager.power(delayed, "ON").status == 202
        assert self.manager.power(acknowledged, "OFF").status == 202
        assert off.say() == "OFF" and off.say("Stopping") == "OFF"
        wanted = {off.server_id: "OFF", crashed.server_id: "Crashed", delayed: "StartupDelayed",
                  acknowledged: "OFF", never: "Unknown"}
        wait_until("all are settled", lambda: all(
            self.manager.status(server) == status for server, status in wanted.items()))
        wait_until("no standby time is open", lambda: not any(
            self.manager.server(server)["standby"] for server in wanted))
        return {server: state for server, state in load.served_states(self.manager).items()
                if server in wanted}

    def run(self):
        self.manager.kill()
        for kill in range(KILLS_A_WORLD // 2):
            point, most = self.random.choice(self.POINTS)
            fault = f"{point}:{self.random.randint(2, most)}"
            try:
                self.die(fault)
                self.check()
                support.let_pass(self.random.uniform(0, 0.8))
                self.manager.kill()
                load.assert_verifies(self.manager)
                self.ledger.assert_kept_by(load.logged_events(self.manager))
            except Exception as error:
                raise AssertionError(f"world {self.number}, kill {kill}, {fault}: {error}; "
                                     f"{self.manager.output()[-2000:]}") from error
        self.manager.start()
        self.check()
        self.end()

    def die(self, fault):
        """A life that ends at a fault point (or, when that is not passed in time, at once)."""
        self.manager.start(fault=fault, ready=False)
        try:
            self.manager.process.wait(timeout=6)
            self.died_at.append(fault)
        except subprocess.TimeoutExpired:
            pass
        self.manager.kill()
        load.assert_verifies(self.manager)
        events = load.logged_events(self.manager)
        self.ledger.assert_kept_by(events)
        self.manager.start()

    def check(self):
        """What must hold in every new life, under load."""
        load.assert_replayed_is_served(self.manager)
        served = load.served_states(self.manager)
        for server_id, state in self.settled.items():
            assert served[server_id] == state, (server_id, served[server_id], state)
        for machine in self.steady:
            assert served[machine.agent.server_id]["actual_status"] == "ON", served

    def assert_wakes_were_sent(self, events):
        """1.6: no ON of a lamp, which never reports, is without its packet when the next request
        comes, in whatever life; but a request may come first in a life before which its standby
        time ended."""
        elapsed = of_type(events, "StandbyElapsed")
        late = {e["data"]["request"] for e in elapsed if e["data"]["late"]}
        for lamp in self.lamps:
            requests = of_type(events, "PowerRequested", lamp)
            for request, following in zip(requests, requests[1:]):
                sent = [e for e in of_type(events, "WakeSent", lamp)
                        if e["data"]["request"] == request["sequence"]
                        and e["sequence"] < following["sequence"]]
                is_owed = request["data"]["target"] == "ON" and request["sequence"] not in late
                assert sent or not is_owed, (request, following)

    def end(self):
        for person in self.people:
            person.end()
            if isinstance(person, load.Person):
                person.finish()
        for actor in self.actors:
            actor.end()
        load.assert_replayed_is_served(self.manager)
        events = load.logged_events(self.manager)
        self.ledger.assert_kept_by(events)
        self.ledger.assert_nothing_beside(events)
        self.assert_wakes_were_sent(events)
        for machine in self.steady:
            lost = of_type(events, "HeartbeatLost", machine.agent.server_id)
            assert not lost, lost
        assert not self.air.malformed
        assert self.manager.stop() == 0, self.manager.output()
        load.assert_verifies(self.manager)

    def close(self):
        for actor in self.actors:
            actor.ended.set()
        self.manager.close()
        self.air.close()


class UnderLoad(unittest.TestCase):
    def test_killed_at_points_and_random_moments_it_keeps_what_it_answered(self):
        """1.0.5: three fleets at once, each killed ten times at a random passage of a random fault
        point, and ten times at a random moment."""
        print(f"\nCPM_SEED={SEED}", flush=True)
        worlds = []

        def live(number):
            world = World(number)
            worlds.append(world)
            try:
                world.run()
            finally:
                world.close()
        load.in_parallel(live, range(-(-KILLS // KILLS_A_WORLD)), workers=3)
        reached = [fault for world in worlds for fault in world.died_at]
        accepted = sum(len(r) for world in worlds for r in world.ledger.requests.values())
        reports = sum(len(world.ledger.reports) for world in worlds)
        print(f"died at {len(reached)} fault points and {len(worlds) * KILLS_A_WORLD // 2} random "
              f"moments; kept {reports} reports and {accepted} answers to power requests",
              flush=True)
        self.assertGreater(len(reached), KILLS / 4, "most fault points were never passed")
        self.assertEqual({fault.split(":")[0] for fault in reached},
                         {"append", "sync", "answer", "effect"})


if __name__ == "__main__":
    if not load.has_fault_points():
        support.skip("this build has no fault points (CPM_FAULT_POINTS)")
    support.main()
