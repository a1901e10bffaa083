// A list of the API that is read when its page opens, and again when something in it was changed.
import { get } from "./api";
import { beginReading } from "./awaited.svelte";
import { sentenceOf } from "./notices.svelte";
import type { Page } from "./types";

export class Listing<Item> {
    items = $state.raw<Item[] | null>(null);
    fault = $state("");

    /** Where a component begins: the page around it waits for the first reading. */
    constructor(readonly path: string) {
        void this.read().finally(beginReading());
    }

    read = async (): Promise<void> => {
        try {
            const found: Item[] = [];
            let cursor: string | null = null;
            do {
                const at: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
                const page: Page<Item> = await get(`${this.path}?limit=1000${at}`);
                found.push(...page.items);
                cursor = page.next_cursor;
            } while (cursor);
            this.items = found;
            this.fault = "";
        } catch (failure) {
            this.fault = sentenceOf(failure);
        }
    };
}
