// Chromium as a person has it: one window with tabs, of which one is shown and the others are
// hidden. Playwright tells every page that it is shown, so this speaks to the browser itself.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ARGUMENTS, findChromium } from "./browser.mjs";
import { waitUntil } from "./manager.mjs";

export class Window {
    #last = 0;
    #asked = new Map();
    #heard = "";

    /** Opens it, signed in with the cookie of `manager`. */
    async open(manager) {
        this.folder = mkdtempSync(join(tmpdir(), "cpm-window-"));
        this.process = spawn(
            findChromium(),
            ["--headless", "--remote-debugging-pipe", "--no-first-run", "--lang=en-GB", ...ARGUMENTS,
             `--user-data-dir=${this.folder}`, "about:blank"],
            { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
        );
        this.ended = new Promise((done) => this.process.once("exit", done));
        this.process.stdio[4].on("data", (piece) => this.#hear(piece));
        const [name, value] = manager.cookie.split("=");
        const cookie = { name, value, url: manager.url, httpOnly: true, sameSite: "Strict" };
        await this.send("Storage.setCookies", { cookies: [cookie] });
        return this;
    }

    async close() {
        void this.send("Browser.close");
        await this.ended;
        // Its other processes may end, and write, a moment after it.
        await waitUntil("its folder is gone", () => {
            try {
                rmSync(this.folder, { recursive: true, force: true });
                return true;
            } catch {
                return false;
            }
        });
    }

    #hear(piece) {
        const messages = (this.#heard + piece).split("\0");
        this.#heard = messages.pop();
        for (const { id, result, error } of messages.map((one) => JSON.parse(one))) {
            const [done, failed] = this.#asked.get(id) ?? [];
            this.#asked.delete(id);
            if (error) failed?.(new Error(error.message));
            else done?.(result);
        }
    }

    send(method, params = {}, sessionId = undefined) {
        const id = ++this.#last;
        this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        return new Promise((...ways) => this.#asked.set(id, ways));
    }

    /** A new tab with this address, which is the one that is shown now; or one beside it. */
    async openTab(url, newWindow = false) {
        const { targetId } = await this.send("Target.createTarget", { url, newWindow });
        const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
        return new Tab(this, targetId, sessionId);
    }
}

class Tab {
    constructor(window, targetId, sessionId) {
        Object.assign(this, { window, targetId, sessionId });
    }

    /** Shows it, which hides the one that was shown. */
    async show() {
        await this.window.send("Target.activateTarget", { targetId: this.targetId });
        await this.until("it is shown", "!document.hidden");
    }

    async close() {
        await this.window.send("Target.closeTarget", { targetId: this.targetId });
    }

    async read(expression) {
        const asked = { expression, returnByValue: true };
        const { result, exceptionDetails } = await this.window.send("Runtime.evaluate", asked, this.sessionId);
        if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.text}`);
        return result.value;
    }

    /** Waits until the expression is true in the page; while it loads, nothing is. */
    async until(what, expression, timeout = 30_000) {
        await waitUntil(what, () => this.read(expression).catch(() => false), timeout);
    }
}
