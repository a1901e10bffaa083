// A log that was rolled back is told first, to everybody, and what to do; nobody is switched until an
// administrator accepts it.
import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { faults } from "./axe.mjs";
import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

for (const [where, options, words] of [
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }, { told: /older than it was/, said: /log was rolled back/, refused: /at the foot of this page/ }],
    [
        "on a phone, in Japanese",
        { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" },
        { told: /以前の時点に戻っています/, said: /イベントログの巻き戻り/, refused: /画面下の通知/ },
    ],
])
    test(`rollback: told first, power refused in words, and accepted ${where} (3.3, 5)`, async (t) => {
        const manager = await (await new Manager().start()).setUp();
        t.after(() => manager.close());
        await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 1, missed_heartbeats: 3 });
        const id = await manager.addServer("node1", { mac_addresses: ["52:54:00:00:13:01"] });
        const machine = await manager.join(id, "52:54:00:00:13:01");
        await machine.say("ON");
        // The data of now, put back later: what the machine was told in between contradicts them.
        const [data, kept] = ["data", "kept"].map((name) => join(manager.folder, name));
        await manager.stop();
        cpSync(data, kept, { recursive: true });
        await manager.start();
        await machine.say("ON");
        const { head } = await machine.told("ON");
        await manager.stop();
        rmSync(data, { recursive: true });
        cpSync(kept, data, { recursive: true });
        await manager.start();
        await manager.addServer("crashed-meanwhile");

        const page = await openPage(browser, manager, options);
        await page.addInitScript(() => {
            window.said = "";
            new MutationObserver(
                () => (window.said += document.querySelector("[aria-live=polite]")?.textContent ?? ""),
            ).observe(document, { childList: true, characterData: true, subtree: true });
        });
        await page.goto(manager.url);
        await page.locator(".lamp.live").waitFor();
        // It falls silent after this: a crash, which is told behind the other.
        await machine.say("ON", { witness: head });
        await waitUntil("said aloud", async () => words.said.test(await page.evaluate(() => window.said)));
        await waitUntil("Crashed", async () => (await manager.server(id)).actual_status === "Crashed");
        const line = page.locator("section > button.line:visible");
        await page.locator("article, section > button.line").first().waitFor({ state: "attached" });
        if (await line.count()) await line.click();
        const note = page.locator("article").first();
        await note.waitFor();
        assert.match(await note.innerText(), words.told);
        assert.deepEqual(await faults(page), []);

        const row = page.locator(`[data-server="${id}"]`);
        await row.locator(".power button").first().click();
        await row.locator(".trouble").waitFor();
        assert.match(await row.locator(".trouble").innerText(), words.refused);
        assert.equal((await manager.server(id)).actual_status, "Crashed");

        await note.locator(".actions button").click();
        assert.deepEqual(await faults(page), []);
        await page.locator("dialog footer .button").first().click();
        assert.equal((await manager.ask("GET", "/readyz")).body.status, "rolled_back", "asking alone accepts nothing");
        await note.locator(".actions button").click();
        await page.locator("dialog footer .strong").click();
        await page.locator("article", { hasText: words.told }).waitFor({ state: "detached" });
        await waitUntil("ready", async () => (await manager.ask("GET", "/readyz")).body.status === "ok");
        await row.locator(".power button").first().click();
        await waitUntil("woken", async () => (await manager.server(id)).actual_status === "Starting");
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });
