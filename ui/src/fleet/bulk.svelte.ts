// The one wish for many that is being asked. It outlives what it was asked from: a selection that is
// cleared, a notification that goes because of the answer.
import type { PowerStatus } from "../lib/types";
import type { ManagedServer } from "./server.svelte";

interface Wish {
    target: PowerStatus;
    servers: ManagedServer[];
}

class Bulk {
    wish = $state.raw<Wish | null>(null);

    ask(target: PowerStatus, servers: ManagedServer[]): void {
        this.wish = { target, servers };
    }

    close = (): void => {
        this.wish = null;
    };
}

export const bulk = new Bulk();
