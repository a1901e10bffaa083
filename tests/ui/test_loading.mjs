// A page that waits for the manager holds the place of what will be there, says once that it waits,
// and moves nothing when it comes; what is wrong with the manager is told to everybody, with what to do.
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import test from "node:test";

import { faults } from "./axe.mjs";
import { go, openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { layoutFaults } from "./layout.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await (await new Manager().start()).setUp();
test.after(async () => {
    await browser.close();
    await manager.close();
});
const id = await manager.addServer("node1", { mac_addresses: ["52:54:00:00:12:01"], tags: ["gpu"] });
await manager.power(id, "ON");
for (let n = 2; n < 12; n++) await manager.addServer(`node${n}`);
for (const name of ["bob", "carol", "dave"])
    await manager.api("POST", "/users", { name, role: "viewer", password: "a good long one" });
await manager.api("POST", "/webhooks", { name: "on-call", preset: "ntfy", url: "http://127.0.0.1:9/hook" });

/** The address of each view that reads something, and what is there when it has. */
const VIEWS = {
    list: ["/", "[data-server]"],
    server: [`/servers/${id}`, ".three li"],
    "server, with all of the list awaited": [`/servers/${id}`, ".three li"],
    activity: ["/activity", "details summary"],
    people: ["/people", ".line"],
    settings: ["/settings", ".setting"],
};

/** In the page: notes what moves, and what is said aloud. */
function watch() {
    window.moved = 0;
    window.movers = [];
    window.said = [];
    new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
            window.moved += value;
            const names = sources.map(({ node, previousRect: a, currentRect: b }) => `${node?.className || node?.nodeName} ${a.y}+${a.height} ${b.y}+${b.height}`);
            window.movers.push(`${value.toFixed(3)} at ${performance.now().toFixed(0)} ms: ${names.join("; ")}`);
        }
    }).observe({ type: "layout-shift", buffered: true });
    new MutationObserver(() => {
        const text = document.querySelector("[aria-live=polite]")?.textContent;
        if (text && window.said.at(-1) !== text) window.said.push(text);
    }).observe(document, { childList: true, characterData: true, subtree: true });
}

for (const [where, options, loading] of [
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }, "Loading…"],
    ["on a phone, in Japanese", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }, "読み込み中…"],
])
    test(`loading: places are held, said once, and nothing moves when all is there ${where} (5)`, async () => {
        const page = await openPage(browser, manager, options);
        await page.addInitScript(watch);
        // Answers come when the story says so.
        let [isHeld, release, released] = [() => false];
        await page.route(/\/api\/v1\/(?!session)/, async (route) => {
            if (isHeld(route.request().url())) await released;
            await route.continue().catch(() => {}); // of the page before
        });
        for (const [view, [path, sign]] of Object.entries(VIEWS)) {
            isHeld = (url) => /list/.test(view) || !url.endsWith("/stream");
            released = new Promise((done) => (release = done));
            await page.goto(manager.url + path);
            await page.locator(".skeleton").first().waitFor();
            assert.equal(await page.locator(sign).filter({ visible: true }).count(), 0, `${view}: nothing is there yet`);
            assert.ok((await page.locator("[aria-busy=true]").count()) > 0, `${view}: it is busy`);
            await waitUntil(`${view}: said`, () => page.evaluate(() => window.said.length > 0));
            assert.deepEqual(await faults(page), [], view);
            assert.deepEqual(await layoutFaults(page), [], view);
            release();
            await page.locator(sign).first().waitFor();
            await page.locator(".skeleton").first().waitFor({ state: "detached" });
            await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
            const { moved, movers, said } = await page.evaluate(() => {
                const { moved, movers, said } = window;
                return { moved, movers, said };
            });
            assert.deepEqual(said, [loading], view);
            assert.ok(moved < 0.01, `${view}: the layout moves: ${movers.join(" | ")}`);
            await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
        }
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });

test("loading: one of too many questions is asked again by itself (3.1, 5)", async () => {
    const page = await openPage(browser, manager);
    let refused = 0;
    await page.route("**/api/v1/events?*", async (route) => {
        if (refused > 1) return route.continue();
        refused++;
        await route.fulfill({
            status: 429,
            headers: { "Retry-After": "1", "Content-Type": "application/problem+json" },
            body: JSON.stringify({ type: "/problems/too-many", title: "Too Many Requests", status: 429, detail: "too many searches" }),
        });
    });
    await page.goto(`${manager.url}/activity`);
    await page.locator("details summary").first().waitFor();
    assert.equal(refused, 2);
    assert.equal(await page.locator(".fault").count(), 0);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test("loading: a manager that reads its log first is waited for, and says that it starts (5)", async () => {
    const page = await openPage(browser, manager, { viewport: PHONE, locale: "ja-JP" });
    // What it answers to everything until then.
    await page.route("**/api/v1/session", (route) =>
        route.fulfill({
            status: 503,
            headers: { "Retry-After": "1", "Content-Type": "application/problem+json" },
            body: JSON.stringify({ type: "/problems/starting", title: "Not serving", status: 503, detail: "the manager is reading its event log" }),
        }),
    );
    await page.goto(manager.url);
    await page.locator("h1", { hasText: "起動中" }).waitFor();
    assert.deepEqual(await faults(page), []);
    await page.unroute("**/api/v1/session");
    await page.locator("[data-server]").first().waitFor();
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

for (const [where, options, words] of [
    ["on a PC, in English", {}, /disk is nearly full.*Free some space/],
    ["on a phone, in Japanese", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }, /空きを増やす/],
])
    test(`loading: a manager without space says so to everybody, and what to do ${where} (3.6, 5)`, async () => {
        const page = await openPage(browser, manager, options);
        await page.goto(manager.url);
        await page.locator(".lamp.live").waitFor();
        assert.equal(await page.locator(".banner").count(), 0);
        await manager.stop();
        // It wants to be left twice as much as there is: less than that, and more than the quarter
        // without which it does not start.
        const { bavail, bsize } = statfsSync(manager.folder);
        await manager.start({ CPM_SPACE_RESERVE_MIB: String(Math.ceil((2 * bavail * bsize) / 2 ** 20)) });
        await page.locator(".banner.space").waitFor();
        assert.match(await page.locator(".banner.space").innerText(), words);
        assert.deepEqual(await faults(page), []);
        // And what is asked all the same is refused in words.
        await go(page, "/add");
        await page.locator("form input.input").first().fill("one more");
        await page.click("form .button.strong");
        await page.locator("form .fault").waitFor();
        await manager.stop();
        await manager.start();
        await page.locator(".banner").waitFor({ state: "detached" });
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });
