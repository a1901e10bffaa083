// What a form goes through: sent once at a time, and what is wrong stands at its field, or below all.
import { tick } from "svelte";

import { faultsOf, sentenceOf } from "./notices.svelte";

export class Form {
    /** What is wrong, by the field's name in the API. */
    faults = $state.raw<Record<string, string>>({});
    fault = $state("");
    isBusy = $state(false);

    clear(): void {
        this.faults = {};
        this.fault = "";
    }

    /** Does `deed`; a failure is shown, and the first field that is wrong has the focus. */
    async submit(event: SubmitEvent, deed: () => Promise<unknown>): Promise<void> {
        event.preventDefault();
        if (this.isBusy) return;
        const form = event.currentTarget as HTMLFormElement;
        this.isBusy = true;
        this.clear();
        try {
            await deed();
        } catch (failure) {
            this.fail(failure);
            await tick();
            form.querySelector<HTMLElement>("[aria-invalid]")?.focus();
        } finally {
            this.isBusy = false;
        }
    }

    fail(failure: unknown): void {
        this.faults = faultsOf(failure);
        this.fault = sentenceOf(failure);
    }
}
