// The demo fleet in the browser: machines that wake on a real magic packet, run the real agent and go
// off, and a person who switches them from a phone and a PC.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { inEveryLook, openBrowser, openPage, tap } from "./browser.mjs";
import { waitUntil } from "./manager.mjs";

const DEMO = fileURLToPath(new URL("../../tools/demo/demo.py", import.meta.url));
const BIN = resolve(process.env.CPM_BIN ?? "build/dev/bin");

// Of ten machines six are the demo's own story, which goes on meanwhile; the others are ours.
const demo = spawn("/usr/bin/python3", ["-B", DEMO, "--machines", "10"], {
    env: { ...process.env, CPM_BIN: BIN, CPM_SPACE_RESERVE_MIB: "16" },
});
let said = "";
for (const pipe of [demo.stdout, demo.stderr]) pipe.on("data", (piece) => (said += piece));
const ended = new Promise((done) => demo.once("exit", done));
const greeting = await waitUntil("the demo's greeting", () => {
    if (demo.exitCode === null) return /(http:\S+) +\(user (\w+), password (\S+)\)/.exec(said);
    if (!/namespace/.test(said)) throw new Error(`the demo ended: ${said}`);
    console.log(`SKIP: ${said.trim()}`);
    process.exit(77);
});
const [, url, username, password] = greeting;

const browser = await openBrowser();
test.after(async () => {
    demo.kill("SIGTERM");
    await Promise.all([ended, browser.close()]);
});
const hands = (deed) => demo.stdin.write(`${deed}\n`);
const OURS = ["node7", "node8", "node9", "node10"];

inEveryLook("demo: woken by one tap, turned off by one question, on by hand, crashed and answered (5)", async (t, options) => {
    const name = OURS.pop();
    const page = await openPage(browser, { url }, { ...options, cookie: null });
    await page.goto(url);
    await page.fill('input[autocomplete="username"]', username);
    await page.fill('input[type="password"]', password);
    await page.click("form .button.strong");

    // Its own row alone, as a filtered list shows it.
    await page.fill("#search", name);
    await waitUntil("one row", async () => (await page.locator("[data-server]").count()) === 1);
    const row = page.locator("[data-server]");
    // One tap, a real packet, and its own agent's word.
    await tap(row.locator(".power button").first());
    await row.locator(".status .hue-on").first().waitFor();

    await tap(row.locator(".power button").first());
    await tap(row.locator(".question .strong:enabled"));
    await row.locator(".status .hue-moving").first().waitFor();
    await row.locator(".status .hue-off").first().waitFor();

    // Somebody presses its button: what is up stays up. Then its plug falls out.
    hands(`press ${name}`);
    await row.locator(".status .hue-on").first().waitFor();
    hands(`unplug ${name}`);
    await row.locator(".status .hue-crashed").first().waitFor();
    await tap(row.locator(".power button").nth(1));
    assert.match(await row.locator(".question").innerText(), new RegExp(name));
    await tap(row.locator(".question .strong:enabled"));
    await row.locator(".status .hue-off").first().waitFor();

    // Its page tells all of it, newest first.
    await row.locator(".name a").click();
    await page.locator(".picture").waitFor();
    const past = page.locator("ol li .status");
    await waitUntil("its past", async () => (await past.count()) >= 7);
    const word = options.locale === "ja-JP" ? "クラッシュ" : "Crashed";
    assert.deepEqual((await past.allInnerTexts()).slice(0, 3), ["OFF", word, "ON"]);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});
