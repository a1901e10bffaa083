// The transitions of one server, newest first, and the pieces of time they make.
import { get, query } from "../lib/api";
import type { DisplayStatus, Page, Transition } from "../lib/types";

/** A stretch of time with one status; times in ms. */
export interface Stretch {
    status: DisplayStatus;
    from: number;
    to: number;
}

const PAGE = 100;
const MOST_PAGES = 6;

export function displayed(status: string): DisplayStatus {
    return (status === "ManuallyON" ? "ON" : status) as DisplayStatus;
}

/** One page of transitions, newest first. */
export function loadTransitions(id: string, cursor: string | null): Promise<Page<Transition>> {
    return get(`/servers/${id}/history${query({ limit: PAGE, cursor })}`);
}

/** All of them back to `since`, and the one that held then. */
export async function loadBackTo(id: string, since: number): Promise<Transition[]> {
    const found: Transition[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MOST_PAGES; page++) {
        const { items, next_cursor }: Page<Transition> = await loadTransitions(id, cursor);
        found.push(...items);
        const oldest = items.at(-1);
        if (!next_cursor || !oldest || Date.parse(oldest.at) < since) break;
        cursor = next_cursor;
    }
    return found;
}

/** What held when, from `since` to `until`; before its first transition there was no server. */
export function stretches(newestFirst: Transition[], since: number, until: number): Stretch[] {
    const pieces: Stretch[] = [];
    let end = until;
    for (const transition of newestFirst) {
        const at = Date.parse(transition.at);
        const from = Math.max(since, Math.min(at, end));
        const status = displayed(transition.to);
        const next = pieces.at(-1);
        // ManuallyON and ON are one for people.
        if (next && next.status === status) next.from = from;
        else if (end > from) pieces.push({ status, from, to: end });
        end = from;
        if (at <= since) break;
    }
    return pieces.reverse();
}
