// Which settings stand together. One that is in no group stands in the last: what the manager knows,
// the page can set.
export const GROUPS = {
    power: [
        "heartbeat_interval_seconds",
        "missed_heartbeats",
        "standby_time_seconds",
        "release_standby_when_settled",
        "wake_stagger_ms",
    ],
    guards: ["confirm_above", "min_on"],
    sessions: ["session_idle_seconds", "session_lifetime_seconds"],
    access: ["agents_over_plain_http", "metrics_open", "metrics_per_server"],
    log: ["heartbeat_retention_days", "heartbeat_retention_bytes"],
    more: [],
} as const satisfies Record<string, readonly string[]>;

export type GroupName = keyof typeof GROUPS;

/** The settings that are there, by group and in its order; no group is empty. */
export function grouped(keys: readonly string[]): [GroupName, string[]][] {
    const known = new Set<string>(Object.values(GROUPS).flat());
    const rest = keys.filter((key) => !known.has(key));
    return (Object.keys(GROUPS) as GroupName[])
        .map((name): [GroupName, string[]] => [
            name,
            [...GROUPS[name].filter((key) => keys.includes(key)), ...(name === "more" ? rest : [])],
        ])
        .filter(([, found]) => found.length > 0);
}
