// The audit trail: every event, filtered by kind, type and server; each opens to all that it holds.
import assert from "node:assert/strict";
import test from "node:test";

import { inEveryLook, openBrowser, openPage, tap } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await (await new Manager().start()).setUp();
test.after(async () => {
    await browser.close();
    await manager.close();
});
// More than a page of them, so that older ones are asked for.
const ids = [];
for (let n = 0; n < 60; n++)
    ids.push(await manager.addServer(`node${n}`, { mac_addresses: [`52:54:00:00:11:${10 + n}`] }));
await manager.power(ids[7], "ON");
await manager.power(ids[8], "ON");
await manager.api("PATCH", "/settings", { missed_heartbeats: 4 });

const WORDS = {
    "en-GB": { requested: "Power requested", added: "Server added", edited: "Settings changed" },
    "ja-JP": { requested: "電源を要求", added: "サーバーを追加", edited: "設定を変更" },
};

inEveryLook("activity: kinds, types and servers filter; an event opens to all it holds (5)", async (t, options) => {
    const words = WORDS[options.locale];
    const page = await openPage(browser, manager, options);
    await page.goto(`${manager.url}/activity`);
    const rows = page.locator("details");
    const texts = () => rows.locator("summary .what b").allInnerTexts();
    const becomes = (what, condition) => waitUntil(what, async () => condition(await texts()));
    const [byType, byServer] = [page.locator("select").nth(0), page.locator("select").nth(1)];

    // Power first: it is what one looks for.
    await becomes("the power family", (all) => all.filter((one) => one === words.requested).length === 2);
    await byServer.selectOption(ids[8]);
    await becomes("of one server", (all) => all.filter((one) => one === words.requested).length === 1);
    assert.equal(new URL(page.url()).searchParams.get("server"), ids[8]);
    const row = rows.filter({ hasText: words.requested });
    assert.match(await row.locator("summary").innerText(), /node8[^]*story/, "whom it concerns, and who did it");
    await tap(row.locator("time"));
    await row.locator("dd code", { hasText: /^[0-9a-f]{64}$/ }).waitFor();
    await tap(row.locator("dd a"));
    await page.locator("h1", { hasText: "node8" }).waitFor();
    await page.goBack();
    await becomes("the same filter again", (all) => all.filter((one) => one === words.requested).length === 1);

    await byServer.selectOption("");
    await byType.selectOption("ServerAdded");
    await becomes("a page of one type", (all) => all.length === 50 && all.every((one) => one === words.added));
    await tap(page.locator(".list > .button"));
    await becomes("and the older ones", (all) => all.length === 60);
    assert.equal(new Set(await page.locator("details .what bdi").allInnerTexts()).size, 60);

    await byType.selectOption("RollbackAccepted");
    await tap(page.locator(".list .events .button"));
    await becomes("nothing of a kind leads back to everything", (all) => all.includes(words.edited));
    assert.equal(new URL(page.url()).search, "?family=all");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});
