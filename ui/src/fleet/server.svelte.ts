// One server as the page knows it. One reactive object each: a change redraws its row, no other.
import { clock } from "../lib/time.svelte";
import type { PowerStatus, Server } from "../lib/types";

export class ManagedServer {
    facts: Server = $state.raw(null as unknown as Server);
    /** Its last heartbeat; moves without anything else of it changing. */
    heardAt: string | null = $state.raw(null);
    /** By the manager's clock, in ms; null: no standby time is open. */
    #standbyEnds: number | null = $state.raw(null);
    /** A request of this page is under way. */
    asking: PowerStatus | null = $state.raw(null);
    /** What became of the last request of this page, when it was refused. */
    trouble: string | null = $state.raw(null);
    /** Where it stands in the order of names. */
    nameRank = 0;

    readonly id: string;

    constructor(facts: Server) {
        this.id = facts.id;
        this.take(facts);
    }

    take(facts: Server): void {
        // The refusal itself comes over the stream, too: only what moves the server on ends its words.
        const before: Server | null = this.facts;
        if (before?.changed_at !== facts.changed_at || before.power_status !== facts.power_status)
            this.trouble = null;
        this.facts = facts;
        this.heardAt = facts.last_heartbeat_at;
        this.#standbyEnds = facts.standby ? clock.now + facts.standby.remaining_seconds * 1000 : null;
    }

    /** Seconds left of the standby time, or null. */
    get standbySeconds(): number | null {
        if (this.#standbyEnds === null) return null;
        // Its end is an event of the manager's, which takes it away here.
        return Math.max(0, (this.#standbyEnds - clock.now) / 1000);
    }

    get hasStandby(): boolean {
        return this.#standbyEnds !== null;
    }

    /** Overdue by its own interval: the value shown is no fresh one. */
    get isOverdue(): boolean {
        if (!this.heardAt || this.facts.heartbeat_status.current === "None") return false;
        const silent = (clock.now - Date.parse(this.heardAt)) / 1000;
        // The page hears of routine heartbeats every 5 s only.
        return silent > this.facts.heartbeat_interval_seconds * 2 + 8;
    }
}
