// What a page reads when it opens. Until all of it is there its place is held (parts/Awaited.svelte),
// so nothing moves under a finger; a screen reader is told once, and only when it takes a while.
import { getContext, setContext } from "svelte";

import { i18n } from "../i18n/words.svelte";
import { announcer } from "./announce.svelte";

const KEY = Symbol("awaited");
const PATIENCE_MS = 700;

export class Awaited {
    #reads = $state(0);
    #timer = 0;

    get isWaiting(): boolean {
        return this.#reads > 0;
    }

    /** One thing more is read; the function that comes back says, once, that its reading is over. */
    begin = (): (() => void) => {
        if (this.#reads++ === 0)
            this.#timer = window.setTimeout(() => announcer.say(i18n.t.loading), PATIENCE_MS);
        let isOver = false;
        return () => {
            if (isOver) return;
            isOver = true;
            if (--this.#reads === 0) clearTimeout(this.#timer);
        };
    };
}

/** To be called where a component begins: all in it that is read is waited for together. */
export function awaitTogether(): Awaited {
    return setContext(KEY, new Awaited());
}

/** Begins a reading that the page around this component waits for; where none does, nobody. */
export function beginReading(): () => void {
    return getContext<Awaited | undefined>(KEY)?.begin() ?? (() => {});
}
