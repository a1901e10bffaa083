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
const RANK = { error: 1, warning: 2, info: 3 };

/** Whether it tells of a status, which the server's row tells, too. */
export function isStatusKind(kind: Notification["kind"]): boolean {
    return ["crashed", "unknown", "startup_delayed", "shutdown_delayed"].includes(kind);
}

/** A log that was rolled back holds up everything else. */
function rankOf({ kind, severity }: Group): number {
    return kind === "rolled_back" ? 0 : RANK[severity];
}

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
        (a, b) => rankOf(a) - rankOf(b) || (b.since ?? "").localeCompare(a.since ?? ""),
    );
}
