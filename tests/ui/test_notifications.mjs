// What the footer tells of can be answered there: set OFF, wake again, dismiss.
import assert from "node:assert/strict";
import test from "node:test";

import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

for (const [where, options] of [
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }],
    ["on a phone, in Japanese", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }],
]) {
    test(`notifications: a crash is set OFF, woken again or dismissed ${where} (5)`, async (t) => {
        const manager = await new Manager().start();
        t.after(() => manager.close());
        await manager.setUp();
        await manager.api("PATCH", "/settings", {
            heartbeat_interval_seconds: 1,
            missed_heartbeats: 1,
            standby_time_seconds: 600,
        });
        const page = await openPage(browser, manager, options);
        await page.goto(manager.url);
        const notes = async () => (await manager.api("GET", "/notifications")).items;
        /** A server of this name that has crashed, and its notification on the page. */
        const crash = async (name, mac) => {
            const id = await manager.addServer(name, { mac_addresses: [mac] });
            const machine = await manager.join(id, mac, name);
            await machine.say("ON");
            await waitUntil("Crashed", async () => (await manager.server(id)).actual_status === "Crashed");
            const line = page.locator("section > button.line:visible");
            const article = page.locator("article", { hasText: name });
            // On a phone they are one line until it is asked for more.
            if (options.viewport === PHONE) {
                await line.waitFor();
                if ((await line.getAttribute("aria-expanded")) === "false") await line.click();
            }
            await article.waitFor();
            return { id, buttons: article.locator(".actions button"), article };
        };

        const one = await crash("node-one", "52:54:00:00:06:01");
        await one.buttons.first().click();
        const question = one.article.locator(".question");
        assert.match(await question.innerText(), /node-one/);
        assert.equal((await manager.server(one.id)).power_status, "ON", "asking alone sets nothing");
        await question.locator(".strong:enabled").click();
        await waitUntil("OFF", async () => (await manager.server(one.id)).power_status === "OFF");
        await one.article.waitFor({ state: "detached" });

        const two = await crash("node-two", "52:54:00:00:06:02");
        await two.buttons.nth(1).click();
        await waitUntil("woken", async () => (await manager.server(two.id)).actual_status === "Starting");
        await two.article.waitFor({ state: "detached" });

        const three = await crash("node-three", "52:54:00:00:06:03");
        await three.buttons.last().click();
        await three.article.waitFor({ state: "detached" });
        assert.equal((await manager.server(three.id)).actual_status, "Crashed", "only the note is gone");
        assert.deepEqual(await notes(), []);
        assert.deepEqual(page.complaints, []);
    });
}
