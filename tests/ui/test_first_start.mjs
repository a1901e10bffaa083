// From the first start to the first ON, with nothing but the page: the setup code, the first
// administrator, the first server, the line its agent joins with, and the row that turns ON.
import assert from "node:assert/strict";
import test from "node:test";

import { faults } from "./axe.mjs";
import { inEveryLook, openBrowser, openPage, PHONE } from "./browser.mjs";
import { Manager, PASSWORD } from "./manager.mjs";

const MAC = "52:54:00:aa:bb:cc";
const browser = await openBrowser();
test.after(() => browser.close());

inEveryLook("first start: setup code, first server, join line, ON by itself (5)", async (t, options) => {
    const manager = await new Manager().start();
    t.after(() => manager.close());
    const page = await openPage(browser, manager, { ...options, cookie: null });

    await page.goto(`${manager.url}/#setup=${manager.ready.setup_code}`);
    assert.equal(await page.locator("form input").first().inputValue(), manager.ready.setup_code);
    await page.fill('input[autocomplete="username"]', "alice");
    await page.fill('input[type="password"]', "too short");
    await page.click("form .button.strong");
    await page.locator('input[type="password"][aria-invalid="true"]').waitFor();
    await page.fill('input[type="password"]', PASSWORD);
    await page.click("form .button.strong");

    // The empty list says what to do next; the code is in no address any more.
    await page.locator(".empty a[href='/add']").click();
    assert.equal(new URL(page.url()).hash, "");
    const fields = page.locator("form input.input");
    await fields.first().fill("rack1-node1");
    await page.fill("textarea", "52-54-00-AA-BB-CC");
    await page.click("form .button.strong");

    const line = await page.locator("code").first().innerText();
    const token = /cpm_join_[\w-]+/.exec(line)[0];
    const machine = await manager.joinWith(token, MAC, "rack1-node1");
    t.after(() => machine.silence());
    await page.locator(".joined").waitFor();
    machine.live(500);
    await page.locator(".now.hue-on").waitFor();

    await page.locator(".joined + .cluster a").first().click();
    await page.locator("[data-server] .hue-on").first().waitFor();
    assert.deepEqual(page.complaints, []);
});

test("first start: the code is typed by hand; a wrong one says where the right one is (5)", async (t) => {
    const manager = await new Manager().start();
    t.after(() => manager.close());
    const page = await openPage(browser, manager, { viewport: PHONE, locale: "ja-JP", cookie: null });
    await page.goto(manager.url);
    await page.locator(".as-link").click();
    const code = page.locator("form input").first();
    await code.fill("ABCD-EFGH-JKLM");
    await page.fill('input[autocomplete="username"]', "\u7530\u4e2d");
    await page.fill('input[type="password"]', PASSWORD);
    await page.click("form .button.strong");
    await page.locator("form input[aria-invalid]").first().waitFor();
    assert.match(await page.locator("form .fault").first().innerText(), /ターミナル/);
    // Nobody types capitals on a phone.
    await code.fill(` ${manager.ready.setup_code.toLowerCase()} `);
    await page.click("form .button.strong");
    await page.locator(".empty a[href='/add']").waitFor();
    assert.deepEqual(await faults(page), []);
    assert.deepEqual(page.complaints, []);
});

test("first start: a line that would be turned away says what to do (3.5, 5)", async (t) => {
    const manager = await new Manager().start();
    t.after(() => manager.close());
    await manager.setUp();
    const id = await manager.addServer("far");
    const page = await openPage(browser, manager, { viewport: PHONE });
    // Served without TLS: where this machine has another address, the line is of plain HTTP.
    await page.goto(`${manager.url}/servers/${id}?join=1`);
    const line = await page.locator("code").first().innerText();
    const isFar = !/http:\/\/127\./.test(line);
    if (isFar) await page.locator(".refused a").waitFor();
    else assert.equal(await page.locator(".refused").count(), 0);
    assert.deepEqual(await faults(page), []);

    await manager.api("PATCH", "/settings", { agents_over_plain_http: true });
    await page.goto(`${manager.url}/servers/${id}?join=1`);
    await page.locator(".waits").waitFor();
    assert.equal(await page.locator(".refused").count(), 0);
    assert.deepEqual(page.complaints, []);
});
