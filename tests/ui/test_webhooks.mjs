// Webhooks: one is added, its secret is shown once and signs, a trial tells what became of it, and
// what is changed or removed is so for the receiver, too.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import test from "node:test";

import { faults } from "./axe.mjs";
import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, PASSWORD, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

/** Takes what is sent to it, and answers 204. */
async function receiver(t) {
    const messages = [];
    const server = createServer((request, answer) => {
        const pieces = [];
        request.on("data", (piece) => pieces.push(piece));
        request.on("end", () => {
            messages.push({ headers: request.headers, body: Buffer.concat(pieces) });
            answer.writeHead(204).end();
        });
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    t.after(() => server.close());
    return { server, messages, url: `http://127.0.0.1:${server.address().port}/cpm` };
}

function isSigned({ headers, body }, secret) {
    const key = Buffer.from(secret.replace("whsec_", ""), "base64");
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    const mac = createHmac("sha256", key).update(signed).digest("base64");
    return headers["webhook-signature"].split(" ").includes(`v1,${mac}`);
}

for (const [where, options] of [
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }],
    ["on a phone, in Japanese", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }],
]) {
    test(`webhooks: added, tried, changed and removed ${where} (3.2, 5)`, async (t) => {
        const manager = await new Manager().start();
        t.after(() => manager.close());
        await manager.setUp();
        const { server, messages, url } = await receiver(t);
        const found = async () => (await manager.api("GET", "/webhooks")).items[0];
        const page = await openPage(browser, manager, options);
        await page.goto(`${manager.url}/settings`);
        const card = page.locator("section.sheet", { hasText: "Webhook" });
        const row = card.locator("li", { hasText: "ops" });
        const submit = page.locator("dialog footer .strong");
        await card.locator("li.none").waitFor();

        // Faults stand at their fields, and add nothing.
        await card.locator("header button").click();
        await page.fill("dialog input", "ops");
        await page.fill("dialog input[type=url]", "ftp://127.0.0.1/x");
        const boxes = page.locator("dialog fieldset input");
        for (let at = 0; at < 4; at++) await boxes.nth(at).click();
        await submit.click();
        await page.locator("dialog fieldset .fault").waitFor();
        await boxes.first().click();
        await submit.click();
        await page.locator("dialog input[type=url][aria-invalid]").waitFor();
        assert.equal(await page.evaluate(() => document.activeElement.type), "url");
        assert.equal(await found(), undefined);
        assert.deepEqual(await faults(page), []);

        await page.fill("dialog input[type=url]", url);
        await submit.click();
        const secret = (await page.locator("dialog code").innerText()).trim();
        assert.deepEqual(await faults(page), []);
        await submit.click();
        await row.waitFor();
        assert.deepEqual((await found()).statuses, ["Crashed"]);
        assert.equal((await page.content()).includes(secret), false, "it is nowhere any more");

        // A trial is signed with that secret, and its outcome is said.
        await row.locator(".deeds button").first().click();
        await row.locator(".how", { hasText: "204" }).waitFor();
        assert.equal(messages.length, 1);
        assert.equal(JSON.parse(messages[0].body).type, "test");
        assert.ok(isSigned(messages[0], secret));
        assert.deepEqual(await faults(page), []);

        // Changing it leaves what was not typed, and disabling is told in the list.
        await row.locator(".deeds button").last().click();
        await page.locator("dialog .check input").last().click();
        await submit.click();
        await waitUntil("disabled", async () => (await found()).enabled === false);
        assert.equal((await found()).url, url);
        await row.locator(".how svg").waitFor({ state: "detached" });

        // Nobody there: the trial says so.
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
        await row.locator(".deeds button").last().click();
        await page.locator("dialog .check input").last().click();
        await submit.click();
        await page.locator("dialog").waitFor({ state: "detached" });
        await row.locator(".deeds button").first().click();
        await row.locator(".how", { hasText: "refused" }).waitFor();

        await row.locator(".deeds button").last().click();
        await page.locator("dialog footer .remove").click();
        assert.notEqual(await found(), undefined, "asking alone removes nothing");
        await submit.click();
        await card.locator("li.none").waitFor();
        assert.equal(await found(), undefined);
        assert.deepEqual(page.complaints, []);
    });
}

test("webhooks: only administrators see them (3.2)", async (t) => {
    const manager = await new Manager().start();
    t.after(() => manager.close());
    await manager.setUp();
    await manager.api("POST", "/users", { name: "bob", role: "operator", password: PASSWORD });
    const page = await openPage(browser, manager, { cookie: null });
    await page.goto(`${manager.url}/settings`);
    await page.fill('input[autocomplete="username"]', "bob");
    await page.fill('input[type="password"]', PASSWORD);
    await page.click("form .button.strong");
    await page.locator(".setting").first().waitFor();
    assert.equal(await page.locator("section.sheet", { hasText: "Webhook" }).count(), 0);
    assert.deepEqual(page.complaints, []);
});
