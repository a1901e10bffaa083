// What a browser gives only to some pages: on plain HTTP in a LAN there is no clipboard, no service
// worker and no crypto.randomUUID, and everything works all the same.

/** 128 random bits in hexadecimal: an Idempotency-Key. getRandomValues is there on every page. */
export function randomKey(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Copies text; false when the browser does not let us, and the person has to. */
export async function copyText(text: string, shown: HTMLElement): Promise<boolean> {
    try {
        if (navigator.clipboard) {
            await navigator.clipboard.writeText(text);
            return true;
        }
    } catch {
        // Not allowed here: the old way may still be.
    }
    const selection = getSelection();
    if (!selection) return false;
    selection.selectAllChildren(shown);
    return document.execCommand("copy");
}

/** Keeps the page itself for a start without the manager (public/sw.js). */
export function keepShell(): void {
    if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
    // The only name that may pass the policy `cpm` of the page (HTTP 3.5).
    const policy = window.trustedTypes?.createPolicy("cpm", {
        createScriptURL: (url) => (url === "/sw.js" ? url : ""),
    });
    const url = policy ? policy.createScriptURL("/sw.js") : "/sw.js";
    navigator.serviceWorker.register(url as string).catch(() => {
        // It is a convenience: where it is refused, the page lives without it.
    });
}
