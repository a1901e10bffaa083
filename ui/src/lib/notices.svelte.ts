// What became of what a person just did, in words, at the foot of the page.
import { i18n } from "../i18n/words.svelte";
import { announcer } from "./announce.svelte";
import { Problem, UNREACHABLE } from "./api";

export interface Notice {
    id: number;
    text: string;
    isTrouble: boolean;
}

const SHOWN_MS = 6000;

class Notices {
    items = $state.raw<Notice[]>([]);
    #last = 0;

    #add(text: string, isTrouble: boolean): void {
        const notice = { id: ++this.#last, text, isTrouble };
        this.items = [...this.items.slice(-2), notice];
        announcer.say(text);
        // What went wrong stays until it has been read.
        if (!isTrouble) setTimeout(() => this.drop(notice.id), SHOWN_MS);
    }

    done(text: string): void {
        this.#add(text, false);
    }

    trouble(text: string): void {
        this.#add(text, true);
    }

    drop(id: number): void {
        this.items = this.items.filter((notice) => notice.id !== id);
    }
}

export const notices = new Notices();

/** "mac_addresses: 52:54:… belongs to rack1-node1": what is in the way of one field. */
const OF_FIELD = /^([a-z_]+): (.+)$/;

/** What is wrong with each field, by its name in the API. */
export function faultsOf(failure: unknown): Record<string, string> {
    if (!(failure instanceof Problem)) return {};
    const field = failure.kind === "conflict" ? OF_FIELD.exec(failure.message) : null;
    const faults = failure.body.errors ?? (field ? [{ field: field[1]!, message: field[2]! }] : []);
    return Object.fromEntries(faults.map((one) => [one.field, i18n.t.problems.field(one.message)]));
}

/** What to tell people of a failure. */
export function sentenceOf(failure: unknown): string {
    if (!(failure instanceof Problem)) return String(failure);
    if (failure.kind === UNREACHABLE) return i18n.t.problems.unreachable;
    if (Object.keys(faultsOf(failure)).length > 0 && failure.kind !== "confirm") return i18n.t.problems.seeFields;
    const said = i18n.t.problems.refusal(failure.message);
    return said ?? i18n.t.problems.byKind[failure.kind]?.(failure.body) ?? failure.message;
}
