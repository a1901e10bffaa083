// The list: counters filter, and search, tag, status and order stand in the address, so that a link
// shows to a colleague what one sees.
import assert from "node:assert/strict";
import test from "node:test";

import { inEveryLook, openBrowser, openPage, tap } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await (await new Manager().start()).setUp();
test.after(async () => {
    await browser.close();
    await manager.close();
});
// Six that nobody has heard of, and two that are being started.
const NAMES = ["alpha", "beta", "delta", "gamma", "node2", "node10", "omega", "zeta"];
for (const [n, name] of NAMES.entries()) {
    const tags = n % 2 ? ["odd", "rack1"] : ["rack1"];
    const id = await manager.addServer(name, { mac_addresses: [`52:54:00:00:10:0${n}`], tags });
    if (["delta", "node10"].includes(name)) await manager.power(id, "ON");
}

/** The names that are shown, from top to bottom. */
const shown = (page) => page.locator("[data-server] .name a").allInnerTexts();
const shows = (page, what, names) =>
    waitUntil(what, async () => (await shown(page)).join() === names.join());
const search = (page) => new URL(page.url()).searchParams;

inEveryLook("list: counters, search, tag and order filter, in the address (5)", async (t, options) => {
    const page = await openPage(browser, manager, options);
    await page.goto(manager.url);
    await shows(page, "in the order of names, numbers as numbers", NAMES);
    const counters = page.locator("section ul button");
    assert.deepEqual(await counters.locator("b").allInnerTexts(), ["8", "6", "2"]);

    await tap(counters.nth(2));
    await shows(page, "those that are starting", ["delta", "node10"]);
    assert.equal(search(page).get("status"), "Starting");
    assert.equal(await counters.nth(2).getAttribute("aria-pressed"), "true");
    await tap(counters.nth(2));
    await shows(page, "all again", NAMES);

    await page.locator("search select").first().selectOption("odd");
    await shows(page, "of the tag", ["beta", "gamma", "node10", "zeta"]);
    await page.locator("search select").nth(1).selectOption("-name");
    await shows(page, "reversed", ["zeta", "node10", "gamma", "beta"]);
    await page.fill("#search", "ETA");
    await shows(page, "found", ["zeta", "beta"]);
    assert.equal(search(page).toString(), "tag=odd&sort=-name&q=ETA");

    // Somebody else opens the same address; and one who comes back from a server sees the same.
    await page.reload();
    await shows(page, "the same in a new page", ["zeta", "beta"]);
    assert.equal(await page.locator("#search").inputValue(), "ETA");
    await page.locator("[data-server] .name a").first().click();
    await page.locator("section.now").waitFor();
    await page.goBack();
    await shows(page, "the same after a look at one", ["zeta", "beta"]);

    await page.fill("#search", "nothing like it");
    await tap(page.locator(".empty .button"));
    await shows(page, "all, by one tap", NAMES);
    assert.equal(new URL(page.url()).search, "");

    await page.locator("search select").nth(1).selectOption("status");
    await waitUntil("the gravest first", async () => (await shown(page)).slice(-2).join() === "delta,node10");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});
