// Power for many: at most four taps turn off twenty, and each of them is named before and after.
import assert from "node:assert/strict";
import test from "node:test";

import { countTaps, openBrowser, openPage, PC, PHONE, tap } from "./browser.mjs";
import { Manager, PASSWORD, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

async function fleetOfTwenty(t) {
    const manager = await new Manager().start();
    const machines = [];
    t.after(async () => {
        for (const machine of machines) machine.silence();
        await manager.close();
    });
    await manager.setUp();
    await manager.api("PATCH", "/settings", {
        heartbeat_interval_seconds: 2,
        standby_time_seconds: 600,
    });
    for (let i = 1; i <= 20; i++) {
        const mac = `52:54:00:00:01:${i.toString(16).padStart(2, "0")}`;
        const id = await manager.addServer(`node${i}`, { mac_addresses: [mac], tags: ["batch"] });
        machines.push((await manager.join(id, mac, `node${i}`)).live(1000));
    }
    const count = async (status) =>
        (await manager.api("GET", "/servers?limit=100")).items.filter((s) => s.actual_status === status).length;
    await waitUntil("all twenty ON", async () => (await count("ON")) === 20, 60_000);
    return { manager, count };
}

for (const [where, options] of [
    ["on a PC", { viewport: PC, locale: "ja-JP" }],
    ["on a phone", { viewport: PHONE, locale: "en-GB", colorScheme: "dark" }],
]) {
    test(`power: three taps turn off twenty, all of them named ${where} (5)`, async (t) => {
        const { manager, count } = await fleetOfTwenty(t);
        const page = await openPage(browser, manager, options);
        const taps = await countTaps(page);
        await page.goto(manager.url);
        await page.locator("[data-server]").first().waitFor();
        await page.evaluate(() => document.fonts.ready); // nothing moves any more
        await tap(page.locator(".head input[type=checkbox]"));
        await tap(page.getByRole("toolbar").getByRole("button").nth(1));
        const every = Array.from({ length: 20 }, (_, n) => `node${n + 1}`).sort();
        const named = await page.locator("dialog .names bdi").allInnerTexts();
        assert.deepEqual(named.sort(), every);
        // Each can be brought into sight, whole.
        for (const name of await page.locator("dialog .names bdi").all()) {
            await name.scrollIntoViewIfNeeded();
            assert.equal(await name.evaluate((one) => one.scrollWidth <= one.clientWidth), true);
        }
        assert.equal(await count("ON"), 20, "nothing is asked before the last tap");
        const submit = page.locator("dialog footer .button.strong");
        assert.match(await submit.innerText(), /20/);
        await tap(submit);
        await page.locator("dialog .results").waitFor();
        assert.deepEqual((await page.locator("dialog .results bdi").allInnerTexts()).sort(), every);
        assert.equal(await page.locator("dialog .results .refused").count(), 0);
        assert.equal(await taps(), 3);
        const wishes = (await manager.api("GET", "/servers?limit=100")).items.map((s) => s.power_status);
        assert.deepEqual(new Set(wishes), new Set(["OFF"]));
        assert.deepEqual(page.complaints, []);
    });
}

test("power: what is asked becomes less while it is asked, never more (5)", async (t) => {
    const manager = await (await new Manager().start()).setUp();
    t.after(() => manager.close());
    await manager.api("PATCH", "/settings", {
        heartbeat_interval_seconds: 1,
        missed_heartbeats: 2,
        release_standby_when_settled: false,
    });
    const [ids, machines] = [{}, {}];
    for (const [at, name] of ["stays", "silent", "waits"].entries()) {
        const mac = `52:54:00:00:03:9${at}`;
        ids[name] = await manager.addServer(name, { mac_addresses: [mac], standby_time_seconds: 20 });
        machines[name] = (await manager.join(ids[name], mac, name)).live(300, 1e9);
    }
    t.after(() => Object.values(machines).forEach((machine) => machine.silence()));
    const becomes = (name, status) =>
        waitUntil(`${name} ${status}`, async () => (await manager.server(ids[name])).actual_status === status);
    for (const name in ids) await becomes(name, "ON");
    const page = await openPage(browser, manager);
    await page.goto(manager.url);

    // A question that no longer fits is gone, and does not come back by itself.
    const row = (name) => page.locator(`[data-server="${ids[name]}"]`);
    for (const name of ["silent", "waits"]) {
        await row(name).locator(".power button").first().click();
        await row(name).locator(".question").waitFor();
        machines[name].silence();
    }
    for (const name of ["silent", "waits"]) await row(name).locator(".hue-crashed").first().waitFor();
    assert.equal(await page.locator(".question").count(), 0);

    // It is on, and its standby time is open: what is asked of many leaves it out.
    await manager.power(ids.waits, "ON");
    machines.waits.boots().live(300, 1e9);
    await becomes("waits", "ON");
    await page.locator(".head input[type=checkbox]").click();
    await page.getByRole("toolbar").getByRole("button").nth(1).click();
    const listed = (of) => page.locator(`dialog ${of} bdi`).allInnerTexts();
    assert.deepEqual([await listed(".names"), await listed(".left")], [["silent", "stays"], ["waits"]]);

    // While somebody reads it, one speaks again, so that OFF would switch it, and one's time is over.
    machines.silent.boots().live(300, 1e9);
    await becomes("silent", "ON");
    await waitUntil("its time is over", async () => !(await manager.server(ids.waits)).standby);
    const submit = page.locator("dialog footer .button.strong");
    await waitUntil("the page heard of it", async () =>
        (await page.locator("dialog .left .why").allInnerTexts()).every((why) => /^changed/.test(why)),
    );
    assert.deepEqual([await listed(".names"), await listed(".left")], [["stays"], ["silent", "waits"]]);
    assert.equal(await submit.innerText(), "Turn off 1 server");
    assert.equal(await page.locator(".question").count(), 0);
    await submit.click();
    await page.locator("dialog .results").waitFor();
    assert.deepEqual(await listed(".results"), ["stays"]);
    const wishes = await Promise.all(Object.values(ids).map(async (id) => (await manager.server(id)).power_status));
    assert.deepEqual(wishes, ["OFF", "ON", "ON"]);
    assert.deepEqual(page.complaints, []);
});

test("power: an old session gives its password again, a wrong one changes nothing (3.2)", async (t) => {
    const { manager, count } = await fleetOfTwenty(t);
    const page = await openPage(browser, manager);
    // What the manager asks of a session that was opened more than five minutes ago.
    let asked = 0;
    await page.route("**/api/v1/power", async (route) => {
        const body = route.request().postDataJSON();
        if (body.password === PASSWORD) return route.continue();
        asked++;
        await route.fulfill({
            status: 409,
            contentType: "application/problem+json",
            body: JSON.stringify({
                type: "/problems/confirm",
                title: "Confirm",
                status: 409,
                detail: "give the password",
                errors: [{ field: "password", message: "is needed" }],
            }),
        });
    });
    await page.goto(manager.url);
    await page.locator(".head input[type=checkbox]").click();
    await page.getByRole("toolbar").getByRole("button").nth(1).click();
    await page.locator("dialog footer .button.strong").click();
    await page.fill("dialog input[type=password]", "not the password");
    await page.locator("dialog footer .button.strong").click();
    await page.locator("dialog .fault").waitFor();
    assert.equal(asked, 2);
    // Below twenty names, it is brought into sight.
    assert.equal(await page.locator("dialog input[type=password]").evaluate((one) => one === document.activeElement), true);
    assert.equal(await count("ON"), 20);
    await page.fill("dialog input[type=password]", PASSWORD);
    await page.locator("dialog footer .button.strong").click();
    await page.locator("dialog .results").waitFor();
    assert.deepEqual(page.complaints, []);
});
