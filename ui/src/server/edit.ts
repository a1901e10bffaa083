// A server's settings as text in a form, and back to what the API takes.
import type { Server, ServerEdit } from "../lib/types";

export interface Draft {
    name: string;
    macs: string;
    tags: string;
    note: string;
    heartbeat: string;
    missed: string;
    standby: string;
    broadcast: string;
    ports: string;
    card: string;
    secureOn: string;
    offMethod: "poweroff" | "suspend" | "hibernate";
    isProtected: boolean;
    allowUnsigned: boolean;
}

export function emptyDraft(): Draft {
    return {
        name: "",
        macs: "",
        tags: "",
        note: "",
        heartbeat: "",
        missed: "",
        standby: "",
        broadcast: "",
        ports: "",
        card: "",
        secureOn: "",
        offMethod: "poweroff",
        isProtected: false,
        allowUnsigned: false,
    };
}

export function draftOf(server: Server): Draft {
    return {
        name: server.name,
        macs: server.mac_addresses.join("\n"),
        tags: server.tags.join(", "),
        note: server.note,
        heartbeat: String(server.heartbeat_interval_seconds),
        missed: String(server.missed_heartbeats),
        standby: String(server.standby_time_seconds),
        broadcast: server.wake.broadcast_address,
        ports: server.wake.ports.join(", "),
        card: server.wake.interface,
        secureOn: "",
        offMethod: server.off_method,
        isProtected: server.protected,
        allowUnsigned: server.allow_unsigned,
    };
}

function words(text: string): string[] {
    return text
        .split(/[,、\n]/)
        .map((word) => word.trim())
        .filter(Boolean);
}

/** Empty follows the settings; what is no number goes as it is, so that the manager names it. */
function numberOrNull(text: string): number | null {
    const trimmed = text.trim();
    return trimmed === "" ? null : (Number.isFinite(Number(trimmed)) ? Number(trimmed) : (trimmed as never));
}

/** The fields that differ; a field that was not touched is not sent. */
export function changesOf(draft: Draft, before: Draft): ServerEdit {
    const edit: ServerEdit = {};
    const differs = (...fields: (keyof Draft)[]) => fields.some((field) => draft[field] !== before[field]);
    if (differs("name")) edit.name = draft.name.trim();
    if (differs("macs"))
        edit.mac_addresses = draft.macs.split(/[\s,、]+/).filter(Boolean);
    if (differs("tags")) edit.tags = [...new Set(words(draft.tags))];
    if (differs("note")) edit.note = draft.note;
    if (differs("heartbeat")) edit.heartbeat_interval_seconds = numberOrNull(draft.heartbeat);
    if (differs("missed")) edit.missed_heartbeats = numberOrNull(draft.missed);
    if (differs("standby")) edit.standby_time_seconds = numberOrNull(draft.standby);
    if (differs("broadcast", "ports", "card", "secureOn")) {
        edit.wake = {};
        if (differs("broadcast")) edit.wake.broadcast_address = draft.broadcast.trim();
        if (differs("ports")) edit.wake.ports = words(draft.ports).map(Number);
        if (differs("card")) edit.wake.interface = draft.card.trim();
        if (differs("secureOn")) edit.wake.secure_on = draft.secureOn.trim() || null;
    }
    if (differs("offMethod")) edit.off_method = draft.offMethod;
    if (differs("isProtected")) edit.protected = draft.isProtected;
    if (differs("allowUnsigned")) edit.allow_unsigned = draft.allowUnsigned;
    return edit;
}

/** The fault of a field, also of one of its parts ("mac_addresses[1]"). */
export function faultOf(faults: Record<string, string>, field: string): string | undefined {
    const found = Object.entries(faults).filter(
        ([name]) => name === field || name.startsWith(`${field}[`) || name.startsWith(`${field}.`),
    );
    return found.length > 0 ? found.map(([, message]) => message).join(" ") : undefined;
}
