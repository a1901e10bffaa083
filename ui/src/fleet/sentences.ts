// Why, in one sentence. English is the manager's own, which names who and when; Japanese is made
// here from the rule it names (status model 1.3).
import { i18n } from "../i18n/words.svelte";
import { localized, when } from "../lib/time.svelte";
import type { Notification, Server } from "../lib/types";
import { isStatusKind } from "./notifications";
import { isNew } from "./status";

/** These hold while the standby time is open; the other statuses of a rule come when it is over. */
const WHILE_OPEN = ["Starting", "BeforeStopping", "Stopping"];

/** What a rule says of a status, in a language that has words of its own for it. */
export function ruleWords(rule: string, status: string): string | null {
    const [open, elapsed] = ((i18n.t.rules as Record<string, string>)[rule] ?? "").split("|");
    return (WHILE_OPEN.includes(status) ? open : (elapsed ?? open)) || null;
}

/** Why the server has its status. */
export function reasonOf(server: Server): string {
    const { rule, text } = server.reason;
    const t = i18n.t;
    if (i18n.language === "en") return localized(text);
    if (isNew(server)) return t.reason.neverReported;
    const words = ruleWords(rule, server.actual_status);
    if (!words) return localized(text);
    const heard = server.last_heartbeat_at
        ? t.reason.lastHeard(when(server.last_heartbeat_at))
        : t.reason.neverHeard;
    const held = server.blocked_by ? t.reason.held(server.blocked_by) : "";
    const aside = server.set_aside ? t.reason.setAside : "";
    return `${words}${heard}${held}${aside}`;
}

/** What a person can do about it. */
export function nextStepOf(server: Server): string {
    const { status, rules, setAside } = i18n.t.explain.steps;
    if (server.set_aside) return setAside;
    const ofRule = (rules as Record<string, string>)[server.reason.rule];
    return server.display_status === "Unknown" && ofRule ? ofRule : status[server.display_status];
}

/** What a notification tells, in a few words. */
export function briefOf({ kind }: Notification, name: string): string {
    return (i18n.t.notifications.brief as Record<string, (name: string) => string>)[kind]?.(name) ?? name;
}

/** What a notification tells. */
export function sentenceFor(notification: Notification, server: Server | undefined): string {
    if (i18n.language === "en") return localized(notification.text);
    const what = (i18n.t.notifications.kinds as Record<string, (name: string) => string>)[notification.kind];
    if (!what) return localized(notification.text);
    const name = server?.name ?? "";
    const why = server && isStatusKind(notification.kind);
    return what(name) + (why ? reasonOf(server) + nextStepOf(server) : "");
}
