// The servers that the list shows: searched, filtered and sorted as the address bar says.
import { untrack } from "svelte";

import { router } from "../lib/router.svelte";
import type { DisplayStatus } from "../lib/types";
import { fleet } from "./fleet.svelte";
import type { ManagedServer } from "./server.svelte";
import { isStatus, STATUSES } from "./status";

export type SortKey = "name" | "status" | "changed_at" | "last_heartbeat_at";

export interface Filter {
    q: string;
    tag: string;
    statuses: DisplayStatus[];
    sort: SortKey;
    descending: boolean;
}

const SORT_KEYS: SortKey[] = ["name", "status", "changed_at", "last_heartbeat_at"];

export function readFilter(search: URLSearchParams): Filter {
    const sort = search.get("sort") ?? "name";
    const key = sort.replace(/^-/, "") as SortKey;
    return {
        q: search.get("q") ?? "",
        tag: search.get("tag") ?? "",
        statuses: (search.get("status") ?? "").split(",").filter(isStatus),
        sort: SORT_KEYS.includes(key) ? key : "name",
        descending: sort.startsWith("-"),
    };
}

function matchesText(server: ManagedServer, q: string): boolean {
    const { name, note, tags, mac_addresses, agent, id } = server.facts;
    const texts = [name, note, ...tags, ...mac_addresses, agent.hostname ?? "", agent.address ?? "", id];
    return texts.some((text) => text.toLowerCase().includes(q));
}

function select(all: ManagedServer[], filter: Filter): ManagedServer[] {
    const q = filter.q.trim().toLowerCase();
    const wanted = new Set(filter.statuses);
    const found = all.filter(
        (server) =>
            (wanted.size === 0 || wanted.has(server.facts.display_status)) &&
            (!filter.tag || server.facts.tags.includes(filter.tag)) &&
            (!q || matchesText(server, q)),
    );
    return order(found, filter);
}

function countTags(all: ManagedServer[]): [string, number][] {
    const counts = new Map<string, number>();
    for (const server of all)
        for (const tag of server.facts.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => a.localeCompare(b));
}

function order(found: ManagedServer[], { sort, descending }: Filter): ManagedServer[] {
    const direction = descending ? -1 : 1;
    if (sort === "name") return descending ? found.reverse() : found;
    const value: (server: ManagedServer) => number =
        sort === "status"
            ? (server) => STATUSES[server.facts.display_status].rank
            : sort === "changed_at"
              ? (server) => Date.parse(server.facts.changed_at)
              : (server) => Date.parse(server.facts.last_heartbeat_at ?? "1970-01-01");
    const keyed = found.map((server) => ({ server, key: value(server) }));
    keyed.sort((a, b) => direction * (a.key - b.key) || a.server.nameRank - b.server.nameRank);
    return keyed.map(({ server }) => server);
}

class View {
    filter = $derived(readFilter(router.search));
    rows = $state.raw<ManagedServer[]>([]);
    /** Chosen for one deed on many. */
    selected = $state.raw<ReadonlySet<string>>(new Set());
    /** The row the keys are about. */
    cursor = $state<string | null>(null);
    /** How often the keys have moved it. */
    moves = $state(0);
    #timer = 0;
    #notBefore = 0;

    /** Every tag there is, with its servers. An edit makes fleet.all anew; no status is asked. */
    tags = $derived.by(() => {
        const { all } = fleet;
        return untrack(() => countTags(all));
    });

    get isFiltered(): boolean {
        return this.filter.q !== "" || this.filter.tag !== "" || this.filter.statuses.length > 0;
    }

    /** To be called once, where effects live. */
    follow(): void {
        $effect(() => {
            const { all } = fleet;
            const { filter } = this;
            // A status that changes is the other effect's, which takes its time.
            untrack(() => this.#choose(all, filter));
            const selected = untrack(() => this.selected);
            const left = [...selected].filter((id) => fleet.find(id));
            if (left.length < selected.size) this.selected = new Set(left);
        });
        $effect(() => {
            void fleet.statusRevision;
            const { filter } = this;
            // By name and unfiltered, no status changes what the list shows.
            if (filter.sort === "name" && filter.statuses.length === 0) return;
            this.#chooseSoon();
        });
    }

    /** With many servers choosing takes a while: at most a twelfth of the time goes into it. */
    #chooseSoon(): void {
        if (this.#timer) return;
        const wait = Math.max(0, this.#notBefore - performance.now());
        this.#timer = window.setTimeout(() => {
            this.#timer = 0;
            this.#choose(fleet.all, this.filter);
        }, wait);
    }

    #choose(all: ManagedServer[], filter: Filter): void {
        const began = performance.now();
        this.rows = select(all, filter);
        const took = performance.now() - began;
        this.#notBefore = began + Math.min(2000, took * 12);
    }

    toggle(id: string, isChosen: boolean): void {
        const next = new Set(this.selected);
        if (isChosen) next.add(id);
        else next.delete(id);
        this.selected = next;
    }

    chooseAll(): void {
        this.selected = new Set(this.rows.map((server) => server.id));
    }

    chooseNone(): void {
        this.selected = new Set();
    }
}

export const view = new View();
