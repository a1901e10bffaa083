// What is shown is live or says that it is not: a manager that restarts, twelve tabs at once, a
// session that ends.
import assert from "node:assert/strict";
import test from "node:test";

import { openBrowser, openPage } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

async function start(t) {
    const manager = await new Manager().start();
    t.after(() => manager.close());
    await manager.setUp();
    return manager;
}

test("connection: a restarted manager is told of meanwhile, and found again by itself (5)", async (t) => {
    const manager = await start(t);
    await manager.addServer("before");
    const page = await openPage(browser, manager);
    await page.goto(manager.url);
    await page.getByText("before").waitFor();

    await manager.stop();
    await page.locator(".banner").waitFor();
    assert.equal(await page.locator("html[data-stale]").count(), 1, "what is stale looks stale");
    await manager.start();
    await page.locator(".lamp.live").waitFor();
    assert.equal(await page.locator(".banner").count(), 0);
    await manager.addServer("after");
    await page.getByText("after").waitFor();
    assert.deepEqual(page.complaints, []);
});

test("connection: twelve tabs are all live when they are shown (5)", async (t) => {
    const manager = await start(t);
    const first = await openPage(browser, manager);
    const tabs = [first];
    while (tabs.length < 12) tabs.push(await first.context().newPage());
    // A browser hides all tabs but one; this one has to be told.
    const show = (tab, isShown) =>
        tab.evaluate((hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }, !isShown);
    const isClosed = (tab) =>
        // The resource is complete once its connection was given back.
        tab.evaluate(() =>
            performance.getEntriesByType("resource").some((one) => one.name.endsWith("/stream")),
        );
    // A few at a time, because six are all that a browser has; those give theirs back together.
    for (let first = 0; first < tabs.length; first += 4) {
        const some = tabs.slice(first, first + 4);
        for (const tab of some) {
            await tab.goto(manager.url);
            await tab.locator(".lamp.live").waitFor();
        }
        for (const tab of some) await show(tab, false);
        for (const tab of some)
            await waitUntil("a hidden tab gives its connection back", () => isClosed(tab));
    }
    await manager.addServer("news");
    for (const tab of tabs) {
        await show(tab, true);
        await tab.getByText("news").waitFor();
        await show(tab, false);
    }
    assert.deepEqual(first.complaints, []);
});

test("connection: a session that ends leads to signing in, and back to the same place (5)", async (t) => {
    const manager = await start(t);
    await manager.addServer("node1", { tags: ["gpu"] });
    const page = await openPage(browser, manager);
    await page.goto(`${manager.url}/?tag=gpu`);
    await page.locator("[data-server]").waitFor();
    await manager.ask("DELETE", "/api/v1/session", undefined, { Cookie: manager.cookie, Origin: manager.url });
    await page.locator('input[autocomplete="username"]').waitFor();
    await page.fill('input[autocomplete="username"]', "alice");
    await page.fill('input[type="password"]', "correct horse battery");
    await page.click("form .button.strong");
    await page.locator("[data-server]").waitFor();
    assert.equal(new URL(page.url()).search, "?tag=gpu");
    assert.deepEqual(page.complaints, []);
});
