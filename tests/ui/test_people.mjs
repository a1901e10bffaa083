// People: users with their roles, tokens for scripts, sessions, and one's own password.
import assert from "node:assert/strict";
import test from "node:test";

import { inEveryLook, openBrowser, openPage, PHONE } from "./browser.mjs";
import { Manager, PASSWORD, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await (await new Manager().start()).setUp();
test.after(async () => {
    await browser.close();
    await manager.close();
});
let made = 0;

inEveryLook("people: a user is added, given a role, shut out and removed (5)", async (t, options) => {
    const name = `bob${++made}`;
    const page = await openPage(browser, manager, options);
    await page.goto(`${manager.url}/people`);
    const users = page.locator("section.sheet").first();
    const bob = users.locator(".line", { hasText: name });
    const found = async () =>
        (await manager.api("GET", "/users")).items.find((user) => user.name === name);

    await users.locator("header button").click();
    await page.fill("dialog input[type=password]", "too short");
    await page.fill("dialog input:not([type=password])", name);
    await page.locator("dialog footer .strong").click();
    await page.locator('dialog input[type=password][aria-invalid="true"]').waitFor();
    assert.equal(await found(), undefined, "a fault adds nobody");
    await page.fill("dialog input[type=password]", PASSWORD);
    await page.selectOption("dialog select", "viewer");
    await page.locator("dialog footer .strong").click();
    await bob.waitFor();
    assert.equal((await found()).role, "viewer");

    await bob.locator("select").selectOption("operator");
    await waitUntil("the role", async () => (await found()).role === "operator");
    const signedIn = () =>
        manager.ask("POST", "/api/v1/session", { username: name, password: PASSWORD });
    assert.equal((await signedIn()).status, 200);

    await bob.locator("button").click();
    await page.locator("dialog footer button").first().click();
    await waitUntil("shut out", async () => (await found()).disabled);
    assert.equal((await signedIn()).status, 401);

    await bob.locator("button").click();
    await page.locator("dialog footer .bare").click();
    assert.match(await page.locator("dialog p").last().innerText(), new RegExp(name));
    assert.notEqual(await found(), undefined, "asking alone removes nobody");
    await page.locator("dialog footer .strong").click();
    await bob.waitFor({ state: "detached" });
    assert.equal(await found(), undefined);

    // Oneself is changed by another administrator only.
    const self = users.locator(".line", { hasText: "alice" });
    assert.equal(await self.locator("select").isDisabled(), true);
    assert.deepEqual(page.complaints, []);
});

test("people: who may only look sees everything, and nothing to switch or change with (5)", async () => {
    const id = await manager.addServer("looked-at", { mac_addresses: ["52:54:00:00:14:01"] });
    await manager.api("POST", "/users", { name: "viewer", role: "viewer", password: PASSWORD });
    const page = await openPage(browser, manager, { viewport: PHONE, locale: "ja-JP", cookie: null });
    await page.goto(manager.url);
    await page.fill('input[autocomplete="username"]', "viewer");
    await page.fill('input[type="password"]', PASSWORD);
    await page.click("form .button.strong");
    const row = page.locator(`[data-server="${id}"]`);
    await row.waitFor();
    assert.equal(await page.locator("main input[type=checkbox], .power button, .add").count(), 0);
    assert.match(await row.innerText(), /閲覧のみ/);
    await page.keyboard.press("j");
    await page.keyboard.press("w");
    await row.locator(".name a").click();
    await page.locator(".picture").waitFor();
    assert.equal(await page.locator("aside button, .deeds button").count(), 0);
    await page.goto(`${manager.url}/settings`);
    await page.locator(".setting").first().waitFor();
    assert.equal(await page.locator("form .save").count(), 0);
    assert.equal((await manager.server(id)).power_status, "OFF");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test("people: a token is shown once, is good for its role, and ends at once (5)", async () => {
    const page = await openPage(browser, manager);
    await page.goto(`${manager.url}/people`);
    const tokens = page.locator("section.sheet").nth(1);
    await tokens.locator("header button").click();
    await page.fill("dialog input", "nightly");
    await page.selectOption("dialog select >> nth=0", "viewer");
    await page.locator("dialog footer .strong").click();
    const secret = (await page.locator("dialog code").innerText()).trim();
    await page.locator("dialog footer .strong").click();
    const line = tokens.locator(".line", { hasText: "nightly" });
    await line.waitFor();
    assert.equal((await page.content()).includes(secret), false, "it is nowhere any more");

    const as = { Authorization: `Bearer ${secret}` };
    assert.equal((await manager.ask("GET", "/api/v1/servers", undefined, as)).status, 200);
    const added = await manager.ask("POST", "/api/v1/servers", { name: "no" }, as);
    assert.equal(added.status, 403);
    await line.locator("button").click();
    await page.locator("dialog footer .strong").click();
    await line.waitFor({ state: "detached" });
    assert.equal((await manager.ask("GET", "/api/v1/servers", undefined, as)).status, 401);
    assert.deepEqual(page.complaints, []);
});

test("people: one's own password asks for the present one, and ends the session (5)", async () => {
    const page = await openPage(browser, manager);
    await page.goto(`${manager.url}/people`);
    const present = page.locator('form input[autocomplete="current-password"]');
    await page.fill('form input[autocomplete="new-password"]', "another horse battery");
    await present.fill("not the password");
    await page.locator("form button").click();
    await page.locator('form input[autocomplete="current-password"][aria-invalid="true"]').waitFor();
    await present.fill(PASSWORD);
    await page.locator("form button").click();
    await page.fill('input[autocomplete="username"]', "alice");
    await page.fill('input[type="password"]', "another horse battery");
    await page.click("form .button.strong");
    await page.locator("section.sheet").first().waitFor();
    assert.deepEqual(page.complaints, []);
});
