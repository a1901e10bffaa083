// The keys, and that a tap moves nothing under the finger.
import assert from "node:assert/strict";
import test from "node:test";

import { inEveryLook, openBrowser, openPage, PHONE, tap } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await new Manager().start();
test.after(async () => {
    await browser.close();
    await manager.close();
});
await manager.setUp();
const ids = [];
let woken = 0;
for (let i = 10; i < 40; i++)
    ids.push(await manager.addServer(`node${i}`, { mac_addresses: [`52:54:00:00:03:${i}`] }));

test("keys: / searches, j k x choose, w wakes, ? helps, Ctrl-K goes; in a field they are letters (5)", async () => {
    const page = await openPage(browser, manager);
    await page.goto(manager.url);
    await page.locator("[data-server]").first().waitFor();
    const cursor = () => page.evaluate(() => document.activeElement?.dataset?.server ?? null);
    const press = async (key, expected) => {
        await page.keyboard.press(key);
        await waitUntil(`the cursor after ${key}`, async () => (await cursor()) === expected);
    };
    await press("j", ids[0]);
    await press("j", ids[1]);
    await press("j", ids[2]);
    await press("k", ids[1]);
    await page.keyboard.press("x");
    await page.getByRole("toolbar").waitFor();
    await page.keyboard.press("w");
    await waitUntil("woken", async () => (await manager.server(ids[1])).power_status === "ON");
    assert.equal((await manager.server(ids[0])).power_status, "OFF");

    await page.keyboard.press("/");
    await page.keyboard.type("jxw?node15");
    assert.equal(await page.locator("#search").inputValue(), "jxw?node15");
    await page.fill("#search", "node15");
    await waitUntil("one is found", async () => (await page.locator("[data-server]").count()) === 1);
    assert.match(page.url(), /q=node15/);
    await page.locator("#search").press("Escape");

    await page.keyboard.press("?");
    await page.locator("dialog kbd").first().waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("node20");
    await page.keyboard.press("Enter");
    await page.locator("section.now").waitFor();
    assert.match(page.url(), new RegExp(ids[10]));
    assert.deepEqual(page.complaints, []);
});

inEveryLook("palette: a server, a page and a deed by a few letters of it (5)", async (t, options) => {
    const id = ids[20 + woken++];
    const { name } = await manager.server(id);
    const page = await openPage(browser, manager, options);
    await page.goto(manager.url);
    await page.locator("[data-server]").first().waitFor();
    const choices = page.locator("dialog [role=option]");
    const isClosed = () => page.locator("dialog").waitFor({ state: "detached" });

    await tap(page.locator("header .find"));
    await page.keyboard.type(name);
    await waitUntil("the server, and waking it", async () => (await choices.count()) === 2);
    await page.keyboard.press("ArrowDown");
    assert.equal(await choices.nth(1).getAttribute("aria-selected"), "true");
    await page.keyboard.press("Enter");
    await isClosed();
    await waitUntil("woken", async () => (await manager.server(id)).power_status === "ON");

    await page.keyboard.press("Control+k");
    await page.keyboard.type("no such thing");
    await page.locator("dialog .none").waitFor();
    await page.keyboard.press("Escape");
    await isClosed();

    const isJapanese = options.locale === "ja-JP";
    await page.keyboard.press("Control+k");
    await page.keyboard.type(isJapanese ? "履歴" : "activi");
    await page.keyboard.press("Enter");
    await waitUntil("the page", () => new URL(page.url()).pathname === "/activity");

    await tap(page.locator("header .find"));
    await page.locator("dialog input").fill(isJapanese ? "English" : "日本語");
    await tap(choices.first());
    await page.locator(`html[lang=${isJapanese ? "en" : "ja"}]`).waitFor();
    await page.locator("h1", { hasText: isJapanese ? "Everything that happened" : "すべての履歴" }).waitFor();
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test("list: a tap on a row far down does what was tapped, and moves nothing (5)", async () => {
    const page = await openPage(browser, manager, { viewport: PHONE });
    await page.goto(manager.url);
    const row = page.locator(`[data-server="${ids[5]}"]`);
    await row.waitFor();
    await row.locator(".power button").first().click();
    await waitUntil("woken", async () => (await manager.server(ids[5])).power_status === "ON");
    assert.deepEqual(page.complaints, []);
});

test("list: coming back finds it as it was left: its order, and the place in it (5)", async () => {
    const page = await openPage(browser, manager, { viewport: PHONE });
    await page.goto(`${manager.url}/?sort=-name`);
    const row = page.locator(`[data-server="${ids[12]}"]`); // of 30, from the end
    const place = async () => Math.round((await row.boundingBox()).y);
    await page.locator("[data-server]").first().waitFor();
    await page.locator("main").evaluate((main) => (main.scrollTop = 1700));
    await row.waitFor();
    const before = await place();
    for (const back of [() => tap(page.locator(".back")), () => page.goBack()]) {
        await tap(row.locator(".name a"));
        await page.locator("main", { has: page.locator(".back") }).waitFor();
        assert.equal(await page.locator("main").evaluate((main) => main.scrollTop), 0, "a page begins at its top");
        await back();
        await row.waitFor();
        await waitUntil("the place it was left at", async () => (await place()) === before);
        assert.equal(new URL(page.url()).search, "?sort=-name");
    }
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});
