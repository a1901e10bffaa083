// Signing in, the list, and power for one server: one tap wakes, OFF asks once.
import assert from "node:assert/strict";
import test from "node:test";

import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, PASSWORD, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

for (const [where, options] of [
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }],
    ["on a phone, in Japanese", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }],
]) {
    test(`power: sign in, wake with one tap, turn off with one question ${where} (5)`, async (t) => {
        const manager = await new Manager().start();
        t.after(() => manager.close());
        await manager.setUp();
        await manager.api("PATCH", "/settings", {
            heartbeat_interval_seconds: 1,
            standby_time_seconds: 600,
            release_standby_when_settled: true,
        });
        const mac = "52:54:00:00:00:01";
        const id = await manager.addServer("rack1-node1", { mac_addresses: [mac] });

        const page = await openPage(browser, manager, { ...options, cookie: null });
        await page.goto(manager.url);
        await page.fill('input[autocomplete="username"]', "alice");
        await page.fill('input[type="password"]', PASSWORD);
        await page.click("form .button.strong");

        const row = page.locator(`[data-server="${id}"]`);
        await row.locator("button").first().click();
        await waitUntil("the request", async () => (await manager.server(id)).power_status === "ON");
        await row.locator('[role="timer"]').waitFor();

        const machine = (await manager.join(id, mac)).live(300);
        t.after(() => machine.silence());
        await row.locator(".hue-on").first().waitFor();

        await row.locator(".power button").first().click();
        const question = row.locator(".question");
        assert.match(await question.innerText(), /rack1-node1/);
        assert.equal((await manager.server(id)).power_status, "ON", "asking alone changes nothing");
        // The answer wakes up a moment later: a habitual second tap must not give it.
        assert.equal(await question.locator("button").first().isDisabled(), true);
        await question.locator("button").first().click();
        await row.locator(".hue-off").first().waitFor();
        assert.equal((await manager.server(id)).actual_status, "OFF");
        assert.deepEqual(page.complaints, []);
    });
}
