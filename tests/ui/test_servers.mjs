// Servers: what is edited is what was read, faults stand at their fields, removing is asked once.
import assert from "node:assert/strict";
import test from "node:test";

import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await new Manager().start();
test.after(async () => {
    await browser.close();
    await manager.close();
});
await manager.setUp();

for (const [where, options] of [
    ["on a PC, in Japanese", { viewport: PC, locale: "ja-JP", colorScheme: "dark" }],
    ["on a phone, in English", { viewport: PHONE, locale: "en-GB" }],
]) {
    test(`servers: one is edited, with faults at their fields ${where} (5)`, async () => {
        const id = await manager.addServer(`before ${where}`, { note: "kept" });
        const page = await openPage(browser, manager, options);
        await page.goto(`${manager.url}/servers/${id}`);
        await page.locator("aside .button").first().click();
        const fields = page.locator("dialog form input.input");
        await fields.first().fill(`after ${where}`);
        await page.fill("dialog textarea", "5254.0012.3456, 52-54-00-ab-cd-ef");
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
        assert.deepEqual(server.mac_addresses, ["52:54:00:12:34:56", "52:54:00:ab:cd:ef"]);
        assert.deepEqual([...server.tags].sort(), ["gpu", "rack1"]);
        assert.equal(server.heartbeat_interval_seconds, 7);
        assert.equal(server.note, "kept");
        await manager.api("DELETE", `/servers/${id}?force=true`);
        await page.locator("a[href='/']").first().waitFor();
        assert.deepEqual(page.complaints, []);
    });
}

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

test("servers: removing is asked once, by name, and leaves the list (5)", async () => {
    const id = await manager.addServer("old-node");
    const page = await openPage(browser, manager);
    await page.goto(`${manager.url}/servers/${id}`);
    await page.locator("aside .button.bare").first().click();
    assert.match(await page.locator("dialog h2").innerText(), /old-node/);
    await page.locator("dialog footer .button").first().click();
    await page.locator("dialog").waitFor({ state: "detached" });
    assert.equal((await manager.server(id)).name, "old-node", "cancelling removes nothing");
    await page.locator("aside .button.bare").first().click();
    await page.locator("dialog footer .strong").click();
    await waitUntil("the list", () => new URL(page.url()).pathname === "/");
    const gone = await manager.ask("GET", `/api/v1/servers/${id}`, undefined, {
        Authorization: `Bearer ${manager.token}`,
    });
    assert.ok([404, 410].includes(gone.status), `${gone.status}`);
    assert.equal(await page.locator(`[data-server="${id}"]`).count(), 0);
    assert.deepEqual(page.complaints, []);
});
