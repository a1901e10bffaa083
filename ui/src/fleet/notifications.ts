// Many notifications of one kind are one, with all its servers: a power cut is one thing to read.
import type { Notification } from "../lib/types";

export interface Group {
    id: string;
    kind: Notification["kind"];
    severity: Notification["severity"];
    items: Notification[];
    serverIds: string[];
    since: string | null;
    actions: string[];
}

const GROUPED_FROM = 3;
const RANK = { error: 0, warning: 1, info: 2 };

function groupOf(items: Notification[]): Group {
    const first = items[0] as Notification;
    return {
        id: items.length > 1 ? first.kind : first.id,
        kind: first.kind,
        severity: first.severity,
        items,
        serverIds: items.flatMap((one) => one.server_ids),
        since: first.since,
        // What all of them offer.
        actions: first.actions.filter((action) => items.every((one) => one.actions.includes(action))),
    };
}

/** The gravest first, of those the newest. */
export function groupNotifications(all: readonly Notification[]): Group[] {
    const byKind = new Map<string, Notification[]>();
    for (const one of all) byKind.set(one.kind, [...(byKind.get(one.kind) ?? []), one]);
    const groups = [...byKind.values()].flatMap((items) =>
        items.length >= GROUPED_FROM ? [groupOf(items)] : items.map((one) => groupOf([one])),
    );
    return groups.sort(
        (a, b) => RANK[a.severity] - RANK[b.severity] || (b.since ?? "").localeCompare(a.since ?? ""),
    );
}
