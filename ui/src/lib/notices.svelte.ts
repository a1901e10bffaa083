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

/** What to tell people of a failure. */
export function sentenceOf(failure: unknown): string {
    if (!(failure instanceof Problem)) return String(failure);
    if (failure.kind === UNREACHABLE) return i18n.t.problems.unreachable;
    const known = i18n.t.problems.byKind[failure.kind];
    // The manager's own words are English, and say more than ours.
    return i18n.language === "en" || !known ? failure.message : known(failure.body);
}
