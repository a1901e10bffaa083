// Without a pointer and without eyes: all that can be used is reached with Tab and seen to be, the
// focus comes back from where it went, and what is said aloud is what matters.
import assert from "node:assert/strict";
import test from "node:test";

import { go, openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await new Manager().start();
const machines = [];
test.after(async () => {
    for (const machine of machines) machine.silence();
    await browser.close();
    await manager.close();
});
await manager.setUp();
await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 2, standby_time_seconds: 600 });
await manager.api("POST", "/users", { name: "bob", role: "viewer", password: "a good long one" });

async function addMachine(name, mac) {
    const id = await manager.addServer(name, { mac_addresses: [mac], tags: ["focus"] });
    const machine = (await manager.join(id, mac, name)).live(500, 1e9);
    machines.push(machine);
    await waitUntil("ON", async () => (await manager.server(id)).display_status === "ON");
    return { id, machine };
}
const one = await addMachine("node1", "52:54:00:00:0a:01");
const two = await addMachine("node2", "52:54:00:00:0a:02");
await manager.addServer("node3", { mac_addresses: ["52:54:00:00:0a:03"] });

/** Notes all that can be used in the page, or in its dialog. */
function noteControls() {
    const root = document.querySelector("dialog[open]") ?? document.body;
    const groups = new Set();
    window.left = new Set();
    for (const each of root.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")) {
        if (each.disabled || each.tabIndex < 0 || !each.checkVisibility()) continue;
        // A row is where j and k are; Tab goes through what is in it.
        if (each.matches("[data-server]")) continue;
        // Of a group of radio buttons Tab reaches one, the arrows the others.
        if (each.type === "radio" && groups.has(each.name)) continue;
        if (each.type === "radio") groups.add(each.name);
        window.left.add(each);
    }
    document.activeElement.blur();
    return window.left.size;
}

/** What is wrong with what has the focus; and it is reached. */
function judgeFocus() {
    const at = document.activeElement;
    if (at === document.body) return { rest: window.left.size, faults: [] };
    const name = `${at.tagName} ${(at.getAttribute("aria-label") ?? at.textContent).trim().slice(0, 30)}`;
    for (const each of window.left)
        if (each === at || (each.type === "radio" && each.name === at.name)) window.left.delete(each);
    const faults = [];
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) faults.push(`is not seen to have the focus: ${name}`);
    const box = at.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height, innerHeight) / 2];
    const hit = document.elementFromPoint(x, y);
    if (!hit || !(at.contains(hit) || hit.contains(at) || at.labels?.[0]?.contains(hit)))
        faults.push(`is out of sight or covered: ${name}`);
    return { rest: window.left.size, faults };
}

/** Goes through everything with Tab alone. */
async function walk(page) {
    const count = await page.evaluate(noteControls);
    assert.ok(count > 1, "there is something to be used");
    const found = [];
    let rest = count;
    for (let presses = 0; rest > 0 && presses < count + 20; presses++) {
        await page.keyboard.press("Tab");
        const judged = await page.evaluate(judgeFocus);
        rest = judged.rest;
        found.push(...judged.faults);
    }
    const left = await page.evaluate(() => [...window.left].map((each) => `is not reached: ${each.outerHTML.slice(0, 90)}`));
    return [...new Set([...found, ...left])];
}

const VIEWS = {
    list: ["/", async (page) => page.locator("[data-server]").nth(2).waitFor()],
    selection: [
        "/",
        async (page) => {
            await page.locator("[data-server] input").first().check();
            await page.getByRole("toolbar").waitFor();
        },
    ],
    server: [`/servers/${two.id}`, async (page) => page.locator("details summary").first().waitFor()],
    edit: [
        `/servers/${two.id}`,
        async (page) => {
            await page.locator("aside .button").first().click();
            await page.locator("dialog summary").click();
        },
    ],
    add: ["/add", async (page) => page.locator("form .button.strong").waitFor()],
    activity: ["/activity", async (page) => page.locator("details summary").first().waitFor()],
    people: ["/people", async (page) => page.locator(".line").nth(2).waitFor()],
    settings: ["/settings", async (page) => page.locator(".setting").first().waitFor()],
};

for (const [where, options] of [
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }],
    ["on a phone, in Japanese, dark", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }],
])
    test(`focus: Tab reaches all that can be used, where it is seen ${where} (5)`, async () => {
        const page = await openPage(browser, manager, options);
        const all = [];
        await page.goto(manager.url);
        await page.locator("[data-server]").first().waitFor();
        for (const [view, [path, show]] of Object.entries(VIEWS)) {
            await go(page, path);
            await show(page);
            all.push(...(await walk(page)).map((fault) => `${view}: ${fault}`));
        }
        assert.deepEqual(all, []);
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });

test("focus: keys alone turn off, and the focus comes back from where it went (5)", async () => {
    const page = await openPage(browser, manager);
    await page.goto(manager.url);
    const row = page.locator(`[data-server="${two.id}"]`);
    const turnOff = row.locator(".power button").first();
    const hasFocus = (what) => what.evaluate((each) => each === document.activeElement);
    const focusIn = (what) => what.evaluate((each) => each.contains(document.activeElement));
    await turnOff.focus();
    // The safe answer has the focus; Escape takes the question back, and the focus with it.
    await page.keyboard.press("Enter");
    assert.equal(await hasFocus(row.locator(".question button").last()), true);
    await page.keyboard.press("Escape");
    await waitUntil("back", () => hasFocus(turnOff));

    for (const [key, inside] of [["Control+k", "dialog input"], ["?", "dialog kbd"]]) {
        await page.keyboard.press(key);
        await page.locator(inside).first().waitFor();
        assert.equal(await focusIn(page.locator("dialog")), true, `${key} leads into what it opens`);
        await page.keyboard.press("Escape");
        await waitUntil(`back from ${key}`, () => hasFocus(turnOff));
    }

    await page.keyboard.press("Enter");
    await row.locator(".question .strong:enabled").waitFor();
    await page.keyboard.press("Shift+Tab");
    assert.equal(await hasFocus(row.locator(".question .strong")), true);
    await page.keyboard.press("Enter");
    await waitUntil("OFF", async () => (await manager.server(two.id)).power_status === "OFF");
    await waitUntil("the focus stays in the row", () => focusIn(row));
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test("focus: said aloud is what calls for a person and what became of a request, not all that moves (5)", async () => {
    const page = await openPage(browser, manager);
    await page.goto(manager.url);
    await page.locator("[data-server]").first().waitFor();
    const region = page.locator("[aria-live=polite]");
    assert.equal(await region.count(), 1);
    await region.evaluate((each) => {
        window.said = [];
        new MutationObserver(() => each.textContent && window.said.push(each.textContent)).observe(each, {
            childList: true,
            characterData: true,
            subtree: true,
        });
    });
    const said = () => page.evaluate(() => window.said);
    // It turns ON by itself: seen, not said.
    const four = await addMachine("node4", "52:54:00:00:0a:04");
    await page.locator(`[data-server="${four.id}"] .hue-on`).first().waitFor();
    // One's own request is answered.
    await page.locator(`[data-server="${four.id}"] .power button`).first().click();
    await page.locator(`[data-server="${four.id}"] .question .strong:enabled`).click();
    await waitUntil("the request", async () => (await said()).length === 1);
    // A crash calls for a person.
    one.machine.silence();
    await waitUntil("the crash", async () => (await said()).length >= 2);
    assert.deepEqual(await said(), ["node4: asked to turn off.", "node1 is Crashed."]);
    await manager.stop();
    await waitUntil("not connected", async () => /^Not connected/.test((await said())[2]));
    await manager.start();
    await waitUntil("connected again", async () => (await said()).includes("Connected again. All is up to date."));
    assert.deepEqual(page.complaints, []);
});
