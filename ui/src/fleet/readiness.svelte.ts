// Whether the manager takes what it is asked (HTTP 3.6). A log that was rolled back is told by a
// notification; a full disk is told by nothing but /readyz, and by each refusal.
import { fleet } from "./fleet.svelte";

const EVERY_MS = 20_000;

class Readiness {
    hasNoSpace = $state(false);

    /** Looks now and then while the page is shown and connected; to be called where effects live. */
    follow(): void {
        $effect(() => {
            if (fleet.connection !== "live") return;
            void this.#look();
            const timer = setInterval(() => document.hidden || void this.#look(), EVERY_MS);
            return () => clearInterval(timer);
        });
    }

    async #look(): Promise<void> {
        try {
            const answer = await fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(EVERY_MS) });
            this.hasNoSpace = ((await answer.json()) as { status?: string }).status === "no_space";
        } catch {
            // Not connected: the banner says so already.
        }
    }
}

export const readiness = new Readiness();
