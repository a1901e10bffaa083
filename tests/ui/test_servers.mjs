// Servers: what is edited is what was read, faults stand at their fields, removing is asked once.
import assert from "node:assert/strict";
import test from "node:test";

import { inEveryLook, openBrowser, openPage } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await new Manager().start();
test.after(async () => {
    await browser.close();
    await manager.close();
});
await manager.setUp();

let made = 0;

inEveryLook("servers: one is edited, with faults at their fields (5)", async (t, options, where) => {
    const id = await manager.addServer(`before ${where}`, { note: "kept" });
    const page = await openPage(browser, manager, options);
    await page.goto(`${manager.url}/servers/${id}`);
    await page.locator("aside .button").first().click();
    const fields = page.locator("dialog form input.input");
    // What is known stands there at once, and nothing in the dialog moves when it was read anew.
    assert.equal(await fields.first().inputValue(), `before ${where}`);
    await fields.first().fill(`after ${where}`);
    const n = `0${made++}`;
    await page.fill("dialog textarea", `5254.0012.34${n}, 52-54-00-AB-CD-${n}`);
    await fields.nth(1).fill("rack1, gpu");
    await page.locator("dialog summary").click();
    await page.locator("dialog .three input").first().fill("0");
    await page.locator("dialog footer .strong").click();
    await page.locator('dialog .three input[aria-invalid="true"]').waitFor();
    assert.equal((await manager.server(id)).name, `before ${where}`, "a fault changes nothing");

    await page.locator("dialog .three input").first().fill("7");
    await page.locator("dialog footer .strong").click();
    await page.locator("h1", { hasText: `after ${where}` }).waitFor();
    const server = await manager.server(id);
    assert.deepEqual(server.mac_addresses, [`52:54:00:12:34:${n}`, `52:54:00:ab:cd:${n}`]);
    assert.deepEqual([...server.tags].sort(), ["gpu", "rack1"]);
    assert.equal(server.heartbeat_interval_seconds, 7);
    assert.equal(server.note, "kept");
    await manager.api("DELETE", `/servers/${id}?force=true`);
    await page.locator("a[href='/']").first().waitFor();
    assert.deepEqual(page.complaints, []);
});

inEveryLook("servers: one is added, with faults at their fields, and removed by name (5)", async (t, options, where) => {
    const name = `new ${where}`;
    const mac = `52:54:00:00:0f:0${made++}`;
    const page = await openPage(browser, manager, options);
    await page.goto(manager.url);
    await page.locator(".empty a[href='/add'], .add").click();
    await page.locator("form input.input").first().fill(name);
    await page.fill("textarea", "52:54:00:00:0f");
    await page.click("form .button.strong");
    await page.locator("textarea[aria-invalid=true]").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA");
    const found = async () => (await manager.api("GET", "/servers?limit=100")).items.find((one) => one.name === name);
    assert.equal(await found(), undefined, "a fault adds nothing");
    await page.fill("textarea", mac.replaceAll(":", "-").toUpperCase());
    await page.click("form .button.strong");
    // Its page has the line to paste.
    await page.locator("code", { hasText: "cpm_join_" }).waitFor();
    const { id, mac_addresses } = await found();
    assert.deepEqual(mac_addresses, [mac]);

    await page.locator("aside .button.bare").first().click();
    assert.match(await page.locator("dialog h2").innerText(), new RegExp(name));
    await page.locator("dialog footer .button").first().click();
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.notEqual(await found(), undefined, "cancelling removes nothing");
    await page.locator("aside .button.bare").first().click();
    await page.locator("dialog footer .strong").click();
    await waitUntil("the list", () => new URL(page.url()).pathname === "/");
    assert.equal(await found(), undefined);
    assert.equal(await page.locator(`[data-server="${id}"]`).count(), 0);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test("servers: what somebody else changed meanwhile is shown, not overwritten (5)", async () => {
    const id = await manager.addServer("shared");
    const page = await openPage(browser, manager);
    await page.goto(`${manager.url}/servers/${id}`);
    await page.locator("aside .button").first().click();
    const name = page.locator("dialog form input.input").first();
    await name.fill("mine");
    await manager.api("PATCH", `/servers/${id}`, { name: "theirs" });
    await page.locator("dialog footer .strong").click();
    await page.locator("dialog .fault").waitFor();
    assert.equal((await manager.server(id)).name, "theirs");
    assert.equal(await name.inputValue(), "theirs");
    await name.fill("mine");
    await page.locator("dialog footer .strong").click();
    await waitUntil("saved", async () => (await manager.server(id)).name === "mine");
    assert.deepEqual(page.complaints, []);
});
