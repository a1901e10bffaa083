// What follows from a status: its glyph, its colour, its group, and what may be asked of a server.
import type { DisplayStatus, PowerStatus, Server } from "../lib/types";

/** The families of colour in tokens.css; colour is kept for statuses. */
export type Hue = "on" | "off" | "moving" | "late" | "crashed" | "unknown";

interface Meaning {
    hue: Hue;
    /** In the order of how much it wants to be seen. */
    rank: number;
    needsAttention: boolean;
}

export const STATUSES: Record<DisplayStatus, Meaning> = {
    Crashed: { hue: "crashed", rank: 0, needsAttention: true },
    Unknown: { hue: "unknown", rank: 1, needsAttention: true },
    StartupDelayed: { hue: "late", rank: 2, needsAttention: true },
    ShutdownDelayed: { hue: "late", rank: 3, needsAttention: true },
    Starting: { hue: "moving", rank: 4, needsAttention: false },
    BeforeStopping: { hue: "moving", rank: 5, needsAttention: false },
    Stopping: { hue: "moving", rank: 6, needsAttention: false },
    ON: { hue: "on", rank: 7, needsAttention: false },
    OFF: { hue: "off", rank: 8, needsAttention: false },
};

export const STATUS_NAMES = Object.keys(STATUSES) as DisplayStatus[];

export function isStatus(text: string): text is DisplayStatus {
    return text in STATUSES;
}

/** Nothing was heard and nothing asked: there is nothing to explain yet. */
export function isUntouched(server: Server): boolean {
    return server.display_status === "Unknown" && server.last_heartbeat_at === null
        && server.power_status === "OFF";
}

/** Added, and not heard of or asked for yet: it waits for its agent, nothing is wrong. */
export function isNew(server: Server): boolean {
    return isUntouched(server) && !server.agent.enrolled;
}

/** How many call for a person; who only waits for its agent does not. */
export function attentionOf(counts: Record<DisplayStatus, number>, newcomers: number): number {
    return STATUS_NAMES.reduce(
        (sum, name) => sum + (STATUSES[name].needsAttention ? counts[name] : 0),
        -newcomers,
    );
}

export function isSilent(server: Server): boolean {
    return server.heartbeat_status.current === "None";
}

/** on: wake it. off: its agent is told. record: it is silent, so only the record changes. */
export type PowerVerb = "on" | "wakeAgain" | "off" | "offAgain" | "record";

export function targetOf(verb: PowerVerb): PowerStatus {
    return verb === "on" || verb === "wakeAgain" ? "ON" : "OFF";
}

/** What an OFF means to this server now. */
export function offVerb(server: Server): PowerVerb {
    if (isSilent(server)) return "record";
    return server.display_status === "ShutdownDelayed" ? "offAgain" : "off";
}

/** What may be asked now, the likeliest first. While the standby time is open: nothing. */
export function verbsFor(server: Server): PowerVerb[] {
    switch (server.display_status) {
        case "ON":
            return ["off"];
        case "OFF":
            return ["on"];
        case "Crashed":
        case "StartupDelayed":
            return ["wakeAgain", "record"];
        case "ShutdownDelayed":
            return ["offAgain", "on"];
        case "Unknown":
            if (isUntouched(server)) return ["on"];
            return isSilent(server) ? ["on", "record"] : ["off", "on"];
        case "Starting":
        case "BeforeStopping":
        case "Stopping":
            return server.power_status === "ON" ? ["off"] : ["on"];
    }
}

/** Whether a wish for many would be heard by this one, and if not, why not. */
export type Exclusion = "standby" | "holds" | "protected" | "moved";

export function exclusion(server: Server, target: PowerStatus, hasStandby: boolean): Exclusion | null {
    if (hasStandby) return "standby";
    if (server.power_status === target && server.display_status === target) return "holds";
    if (target === "OFF" && server.protected) return "protected";
    return null;
}
