// Signing in, the list, and power for one server: one tap wakes, OFF asks once.
import assert from "node:assert/strict";
import test from "node:test";

import { countTaps, inEveryLook, openBrowser, openPage, tap } from "./browser.mjs";
import { Manager, PASSWORD, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

/** One of its own for each look: what moves in the list of others would move under this finger. */
async function begin(t) {
    const manager = await (await new Manager().start()).setUp();
    t.after(() => manager.close());
    await manager.api("PATCH", "/settings", {
        heartbeat_interval_seconds: 1,
        missed_heartbeats: 6,
        standby_time_seconds: 600,
        release_standby_when_settled: true,
    });
    return manager;
}

inEveryLook("power: sign in, wake with one tap, turn off with one question (5)", async (t, options) => {
    const manager = await begin(t);
    const name = "rack1-node1";
    const mac = "52:54:00:00:00:01";
    const id = await manager.addServer(name, { mac_addresses: [mac] });

    const page = await openPage(browser, manager, { ...options, cookie: null });
    const taps = await countTaps(page);
    await page.goto(manager.url);
    await page.fill('input[autocomplete="username"]', "alice");
    await page.fill('input[type="password"]', PASSWORD);
    await page.click("form .button.strong");

    const row = page.locator(`[data-server="${id}"]`);
    await row.waitFor();
    await page.evaluate(() => document.fonts.ready); // nothing moves any more
    const before = await taps();
    await tap(row.locator("button").first());
    await waitUntil("the request", async () => (await manager.server(id)).power_status === "ON");
    assert.equal((await taps()) - before, 1, "from the open page one tap wakes");
    await row.locator('[role="timer"]').waitFor();
    assert.match(await row.locator(".power p").innerText(), /^ON /, "the countdown, and why");

    const machine = (await manager.join(id, mac)).live(300);
    t.after(() => machine.silence());
    await row.locator(".hue-on").first().waitFor();

    // A second tap that follows by habit turns nothing off: where it falls, one keeps it on.
    const turnOff = row.locator(".power button").first();
    await turnOff.dblclick();
    // Wherever it falls: the answer sleeps for a moment. Nothing can wake it within one task.
    const isAsleep = await turnOff.evaluate(async (button) => {
        const row = button.closest("[data-server]");
        button.click();
        for (let turn = 0; turn < 20 && !row.querySelector(".question"); turn++) await null;
        return row.querySelector(".question .strong").disabled;
    });
    assert.equal(isAsleep, true);
    const question = row.locator(".question");
    assert.match(await question.innerText(), new RegExp(name));
    assert.equal((await manager.server(id)).power_status, "ON", "asking alone changes nothing");
    await question.locator(".strong:enabled").click();
    await row.locator(".hue-off").first().waitFor();
    assert.equal((await manager.server(id)).actual_status, "OFF");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});
