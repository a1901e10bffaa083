// The store: every server and notification, fed by the event stream and by nothing else. What comes
// is applied once a frame, however much it is.
import { noteDate } from "../lib/api";
import { clock } from "../lib/time.svelte";
import type { DisplayStatus, Notification, Server } from "../lib/types";
import { ManagedServer } from "./server.svelte";
import { isNew, STATUS_NAMES } from "./status";
import { readStream, type StreamMessage } from "./stream";

export type Connection = "connecting" | "live" | "lost";
export type Counts = Record<DisplayStatus, number>;

/** A tab that is hidden gives its connection back: a browser has six for one manager. */
const CLOSE_HIDDEN_AFTER_MS = 5_000;
/** Who comes back to the page is not left longer with what it knew before. */
const ANSWER_WITHIN_MS = 4_000;
/** Numbers that change more often are read by nobody. */
const COUNT_EVERY_MS = 250;
const RETRY_MS = [300, 700, 1500, 3000, 5000];

function noCounts(): Counts {
    return Object.fromEntries(STATUS_NAMES.map((name) => [name, 0])) as Counts;
}

class Fleet {
    /** In the order of names. A new array only when servers come, go or are edited. */
    all = $state.raw<ManagedServer[]>([]);
    counts = $state.raw<Counts>(noCounts());
    /** Added and never heard of: they are Unknown, and wait for their agent. */
    newcomers = $state(0);
    notifications = $state.raw<Notification[]>([]);
    connection = $state<Connection>("connecting");
    /** When the page last knew that it is up to date, in the manager's ms. */
    freshAt = $state(0);
    isLoaded = $state(false);
    /** Moves with every frame in which a status changed. */
    statusRevision = $state(0);

    #byId = new Map<string, ManagedServer>();
    #notices = new Map<string, Notification>();
    #pending: StreamMessage[] = [];
    #frame = 0;
    #lastId: string | null = null;
    #reading: AbortController | null = null;
    #hideTimer = 0;
    #answerTimer = 0;
    #countTimer = 0;
    #countedAt = -Infinity;
    #onSignedOut = () => {};
    #watchers = new Set<(server: ManagedServer, before: DisplayStatus) => void>();

    find(id: string): ManagedServer | undefined {
        void this.all;
        return this.#byId.get(id);
    }

    /** Calls `watcher` for each status that becomes another. */
    watch(watcher: (server: ManagedServer, before: DisplayStatus) => void): () => void {
        this.#watchers.add(watcher);
        return () => this.#watchers.delete(watcher);
    }

    open(onSignedOut: () => void): () => void {
        this.#onSignedOut = onSignedOut;
        document.addEventListener("visibilitychange", this.#onVisibility);
        // A stream whose network is gone does not end; asking again does, at once.
        for (const change of ["online", "offline"]) addEventListener(change, this.#reconnect);
        void this.#read();
        return () => this.#close();
    }

    #close(): void {
        document.removeEventListener("visibilitychange", this.#onVisibility);
        for (const change of ["online", "offline"]) removeEventListener(change, this.#reconnect);
        clearTimeout(this.#hideTimer);
        clearTimeout(this.#answerTimer);
        this.#stopReading();
        this.#lastId = null;
        this.#byId.clear();
        this.#notices.clear();
        this.isLoaded = false;
        this.#publish(true, true);
    }

    #stopReading(): void {
        this.#reading?.abort();
        this.#reading = null;
        // What is not heard is not live.
        if (this.connection === "live") this.connection = "connecting";
    }

    #reconnect = (): void => {
        this.#stopReading();
        clearTimeout(this.#answerTimer);
        this.#answerTimer = window.setTimeout(() => {
            if (this.isLoaded && this.connection === "connecting") this.connection = "lost";
        }, ANSWER_WITHIN_MS);
        void this.#read();
    };

    #onVisibility = (): void => {
        clearTimeout(this.#hideTimer);
        if (document.hidden)
            this.#hideTimer = window.setTimeout(() => this.#stopReading(), CLOSE_HIDDEN_AFTER_MS);
        // Whoever looks does not wait for the next attempt.
        else if (!this.#reading || this.connection === "lost") this.#reconnect();
    };

    /** Reads the stream, again and again, until it is stopped. */
    async #read(): Promise<void> {
        const reading = new AbortController();
        this.#reading = reading;
        for (let failures = 0; !reading.signal.aborted; failures++) {
            let opened = false;
            const ending = await readStream(
                this.#lastId,
                reading.signal,
                (response) => {
                    noteDate(response);
                    opened = true;
                    failures = 0;
                },
                (messages) => this.#hear(messages),
            );
            if (ending === "closed") return;
            if (ending === "signed-out") return this.#onSignedOut();
            this.connection = this.isLoaded || failures > 0 || opened ? "lost" : "connecting";
            const pause = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 5000;
            await new Promise((resolve) => setTimeout(resolve, pause * (0.8 + Math.random() * 0.4)));
        }
    }

    #hear(messages: StreamMessage[]): void {
        this.connection = "live";
        this.freshAt = clock.now;
        if (messages.length === 0) return;
        for (const message of messages) {
            this.#pending.push(message);
            // Only the last message of a decision has an id: nobody resumes from its middle.
            if (message.id) this.#lastId = message.id;
        }
        if (this.#frame) return;
        const apply = () => {
            this.#frame = 0;
            this.#apply(this.#pending.splice(0));
        };
        // A hidden page has no frames.
        this.#frame = document.hidden ? window.setTimeout(apply, 50) : requestAnimationFrame(apply);
    }

    #apply(messages: StreamMessage[]): void {
        let reordered = false;
        let restated = false;
        let told = false;
        for (const { event, data } of messages) {
            const body = JSON.parse(data);
            if (event === "server") {
                const effect = this.#takeServer(body as Server);
                reordered ||= effect.reordered;
                restated ||= effect.restated;
            } else if (event === "seen") {
                for (const { id, last_heartbeat_at } of body.servers) {
                    const server = this.#byId.get(id);
                    if (server) server.heardAt = last_heartbeat_at;
                }
            } else if (event === "server_removed") {
                reordered = this.#byId.delete(body.id) || reordered;
            } else if (event === "notification") {
                this.#notices.set(body.id, body);
                told = true;
            } else if (event === "notification_cleared") {
                told = this.#notices.delete(body.id) || told;
            } else if (event === "snapshot") {
                this.#takeSnapshot(body);
                reordered = told = true;
            }
        }
        this.#publish(reordered, told, restated);
    }

    #takeSnapshot(body: { servers: Server[]; notifications: Notification[] }): void {
        const stay = new Set(body.servers.map((server) => server.id));
        for (const id of this.#byId.keys()) if (!stay.has(id)) this.#byId.delete(id);
        for (const server of body.servers) this.#takeServer(server);
        this.#notices = new Map(body.notifications.map((one) => [one.id, one]));
        this.isLoaded = true;
    }

    /** Also for an answer of the API, which may come before the stream tells it. */
    take(facts: Server): void {
        const { reordered, restated } = this.#takeServer(facts);
        this.#publish(reordered, false, restated);
    }

    forget(id: string): void {
        if (this.#byId.delete(id)) this.#publish(true, false);
    }

    #takeServer(facts: Server): { reordered: boolean; restated: boolean } {
        const known = this.#byId.get(facts.id);
        if (!known) {
            this.#byId.set(facts.id, new ManagedServer(facts));
            return { reordered: true, restated: true };
        }
        const before = known.facts;
        if (facts.sequence < before.sequence) return { reordered: false, restated: false };
        known.take(facts);
        const restated =
            before.display_status !== facts.display_status || before.changed_at !== facts.changed_at;
        if (before.display_status !== facts.display_status)
            for (const watcher of this.#watchers) watcher(known, before.display_status);
        return { reordered: isEdited(before, facts), restated };
    }

    #publish(reordered: boolean, told: boolean, restated = true): void {
        if (reordered) {
            const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
            this.all = [...this.#byId.values()].sort((a, b) =>
                collator.compare(a.facts.name, b.facts.name),
            );
            this.all.forEach((server, rank) => (server.nameRank = rank));
        }
        if (reordered || restated) {
            this.#countSoon();
            this.statusRevision++;
        }
        if (told) this.notifications = [...this.#notices.values()];
    }

    /** At once, unless that was done a moment ago. */
    #countSoon(): void {
        if (this.#countTimer) return;
        const wait = this.#countedAt + COUNT_EVERY_MS - performance.now();
        if (wait <= 0) return this.#count();
        this.#countTimer = window.setTimeout(() => this.#count(), wait);
    }

    #count(): void {
        this.#countTimer = 0;
        this.#countedAt = performance.now();
        const counts = noCounts();
        let newcomers = 0;
        for (const server of this.#byId.values()) {
            counts[server.facts.display_status]++;
            if (isNew(server.facts)) newcomers++;
        }
        this.counts = counts;
        this.newcomers = newcomers;
    }
}

function isEdited(before: Server, after: Server): boolean {
    return (
        before.name !== after.name ||
        before.note !== after.note ||
        before.tags.join("\n") !== after.tags.join("\n") ||
        before.mac_addresses.join() !== after.mac_addresses.join() ||
        before.agent.hostname !== after.agent.hostname ||
        before.agent.address !== after.agent.address
    );
}

export const fleet = new Fleet();
