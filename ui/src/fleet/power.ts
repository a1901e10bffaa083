// Asking for power, and saying what became of it.
import { change, Problem } from "../lib/api";
import { announcer } from "../lib/announce.svelte";
import { notices, sentenceOf } from "../lib/notices.svelte";
import type { PowerOutcome, PowerStatus } from "../lib/types";
import { i18n } from "../i18n/words.svelte";
import { fleet } from "./fleet.svelte";
import type { ManagedServer } from "./server.svelte";

export interface Consent {
    confirm?: string;
    include_manager?: boolean;
}

/** Asks for one server. Null: accepted or unchanged; else why not, to be asked about or shown. */
export async function requestPower(
    server: ManagedServer,
    target: PowerStatus,
    consent: Consent = {},
): Promise<Problem | null> {
    if (server.asking) return null;
    server.asking = target;
    server.trouble = null;
    try {
        const body = { power_status: target, ...consent };
        const { body: outcome } = await change<PowerOutcome>("PUT", `/servers/${server.id}/power`, body);
        fleet.take(outcome.server);
        const { name } = server.facts;
        announcer.say(
            outcome.outcome === "unchanged"
                ? i18n.t.power.unchanged(name)
                : i18n.t.power.asked(name, target === "ON"),
        );
        return null;
    } catch (failure) {
        if (failure instanceof Problem && ["protected", "own-host"].includes(failure.kind)) return failure;
        server.trouble = sentenceOf(failure);
        announcer.say(`${server.facts.name}: ${server.trouble}`);
        return failure instanceof Problem ? failure : null;
    } finally {
        server.asking = null;
    }
}

/** One more magic packet; the power status stays. */
export async function sendPacket(server: ManagedServer): Promise<void> {
    try {
        await change("POST", `/servers/${server.id}/wake`);
        notices.done(i18n.t.power.packetSent(server.facts.name));
    } catch (failure) {
        notices.trouble(`${server.facts.name}: ${sentenceOf(failure)}`);
    }
}

/** What `w` does: wakes, or during the standby time of an ON sends one more packet. */
export async function wake(server: ManagedServer): Promise<void> {
    const { power_status, display_status } = server.facts;
    if (display_status === "ON") return notices.done(i18n.t.power.unchanged(server.facts.name));
    if (server.hasStandby && power_status === "ON") return sendPacket(server);
    const problem = await requestPower(server, "ON");
    if (problem && server.trouble) notices.trouble(`${server.facts.name}: ${server.trouble}`);
}
