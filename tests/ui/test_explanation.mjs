// A server's page says why: what is known and from whom, what happens by itself and when, and what a
// person can do; in both languages, and anew with each change.
import assert from "node:assert/strict";
import test from "node:test";

import { faults } from "./axe.mjs";
import { inEveryLook, openBrowser, openPage } from "./browser.mjs";
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
await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 1, missed_heartbeats: 6, standby_time_seconds: 600 });
let made = 0;

async function machineOf(name) {
    const mac = `52:54:00:00:0c:${String(++made).padStart(2, "0")}`;
    const id = await manager.addServer(name, { mac_addresses: [mac] });
    const machine = (await manager.join(id, mac, name)).live(400, 1e9);
    machines.push(machine);
    await waitUntil("ON", async () => (await manager.server(id)).actual_status === "ON");
    return { id, machine };
}

const WORDS = {
    "en-GB": { late: "Shutdown delayed", off: "set OFF" },
    "ja-JP": { late: "停止遅延", off: "OFF と記録" },
};
inEveryLook("explanation: evidence, deadlines and the next step (5)", async (t, options, where) => {
    const words = WORDS[options.locale];
    const { id, machine } = await machineOf(`why ${where}`);
    const page = await openPage(browser, manager, options);
    await page.goto(`${manager.url}/servers/${id}`);
    const rule = page.locator(".three code");
    const [known, byItself, next] = [0, 1, 2].map((at) => page.locator(".three > div").nth(at));
    await page.locator(".three code", { hasText: /^ON\/(ON|None)\/ON$/ }).waitFor();

    await manager.power(id, "OFF");
    await page.locator(".three code", { hasText: "OFF/Stopping/Stopping" }).waitFor();
    await byItself.locator("li", { hasText: words.late }).waitFor();
    // Who asked, and the time that is left, which goes down.
    await known.locator("li", { hasText: "story" }).waitFor();
    const left = async () => /(\d):(\d\d)\D*$/m.exec(await byItself.locator("li").first().innerText());
    const before = await left();
    await waitUntil("the countdown", async () => (await left())[0] !== before[0]);
    assert.deepEqual(await faults(page), []);

    // A new ON wins, and a silence without a word is a crash: the page follows by itself.
    machine.silence();
    const other = await machineOf(`crash ${where}`);
    await page.goto(`${manager.url}/servers/${other.id}`);
    await rule.waitFor();
    other.machine.silence();
    await page.locator(".three code", { hasText: /\/None$/ }).waitFor();
    await next.locator("p", { hasText: words.off }).waitFor();
    assert.deepEqual(await faults(page), []);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test("explanation: who waits for its agent needs the join line, and nothing explained (5)", async () => {
    const id = await manager.addServer("newcomer");
    const page = await openPage(browser, manager);
    await page.goto(`${manager.url}/servers/${id}`);
    await page.locator(".picture").waitFor();
    assert.equal(await page.locator(".three").count(), 0);
    assert.deepEqual(page.complaints, []);
});
