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

for (const [where, options] of [
    ["on a PC, in Japanese", { viewport: PC, locale: "ja-JP", colorScheme: "dark" }],
    ["on a phone, in English", { viewport: PHONE, locale: "en-GB" }],
]) {
    test(`notifications: many of a kind are one, with all their servers, and answered as one ${where} (5)`, async (t) => {
        const manager = await new Manager().start();
        t.after(() => manager.close());
        await manager.setUp();
        await manager.api("PATCH", "/settings", {
            heartbeat_interval_seconds: 2,
            missed_heartbeats: 1,
            standby_time_seconds: 1,
        });
        const page = await openPage(browser, manager, options);
        await page.goto(manager.url);
        const notes = async () => (await manager.api("GET", "/notifications")).items;
        let made = 0;
        const add = async (name) => {
            const mac = `52:54:00:00:09:${String(++made).padStart(2, "0")}`;
            return { id: await manager.addServer(name, { mac_addresses: [mac] }), mac };
        };
        /** Turned on, reporting, and then not any more: all of them at once. */
        const fallSilent = async (...names) => {
            const machines = [];
            for (const name of names) {
                const { id, mac } = await add(name);
                machines.push((await manager.join(id, mac, name)).live(300));
            }
            for (const { id } of machines)
                await waitUntil("ON", async () => (await manager.server(id)).display_status === "ON");
            for (const machine of machines) machine.silence();
            return machines.map(({ id }) => id);
        };
        const article = (text) => page.locator("article", { hasText: text });
        /** On a phone they are one line, on a PC the gravest, until one asks for more. */
        const openAll = async () => {
            const more = page.locator("section > button[aria-expanded=false]:visible");
            await more.first().click();
        };
        const named = (of) => of.locator("a bdi").allInnerTexts();
        const statuses = async (ids) =>
            Promise.all(ids.map(async (id) => (await manager.server(id)).power_status));
        const submit = page.locator("dialog footer .strong");

        const crashed = await fallSilent("crash-1", "crash-2", "crash-3");
        await waitUntil("three have crashed", async () => (await notes()).length === 3);
        const late = [];
        for (const name of ["late-1", "late-2", "late-3", "late-4"]) late.push((await add(name)).id);
        for (const id of late) await manager.power(id, "ON");
        await waitUntil("four are late", async () => (await notes()).length === 7);

        await openAll();
        await article("late-4").filter({ hasText: "4" }).waitFor();
        assert.equal(await page.locator("article").count(), 2, "one of each kind");
        assert.deepEqual((await named(page.locator("article").first())).sort(), ["crash-1", "crash-2", "crash-3"]);
        assert.deepEqual((await named(page.locator("article").last())).sort(), ["late-1", "late-2", "late-3", "late-4"]);
        const [main, foot] = await page.evaluate(() =>
            ["main", ".foot"].map((one) => document.querySelector(one).getBoundingClientRect()),
        );
        assert.ok(main.bottom <= foot.top + 1 && main.height > 100, "it covers nothing");

        // The gravest first, and an answer for all of them names them.
        await article("crash-1").locator(".actions button").first().click();
        const asked = await page.locator("dialog .names bdi").allInnerTexts();
        assert.deepEqual(asked.sort(), ["crash-1", "crash-2", "crash-3"]);
        assert.match(await submit.innerText(), /3/);
        assert.deepEqual(await statuses(crashed), ["ON", "ON", "ON"], "asking alone sets nothing");
        await submit.click();
        await page.locator("dialog .results").waitFor();
        assert.deepEqual(await statuses(crashed), ["OFF", "OFF", "OFF"]);
        await submit.click();
        await article("crash-1").waitFor({ state: "detached" });

        // Dismissed as one, too.
        await article("late-1").locator(".actions button").last().click();
        await article("late-1").waitFor({ state: "detached" });
        await waitUntil("none is left", async () => (await notes()).length === 0);

        // A power cut is one thing to read from the start.
        await fallSilent("cut-1", "cut-2", "cut-3", "cut-4", "cut-5");
        await waitUntil("many fell silent", async () => (await notes())[0]?.server_ids.length === 5);
        if (options.viewport === PHONE && (await article("cut-1").count()) === 0) await openAll();
        await article("cut-5").waitFor();
        assert.equal(await page.locator("article").count(), 1);
        assert.equal((await named(page.locator("article"))).length, 5);
        assert.deepEqual(page.complaints, []);
    });
}

test("notifications: \"record\" is no OFF when the server speaks again while it is asked (5)", async (t) => {
    const manager = await (await new Manager().start()).setUp();
    t.after(() => manager.close());
    await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 1, missed_heartbeats: 3 });
    const mac = "52:54:00:00:06:09";
    const id = await manager.addServer("node-four", { mac_addresses: [mac] });
    const machine = await manager.join(id, mac, "node-four");
    // It went down by itself although it is set to ON.
    await machine.say("ON");
    await machine.say("Stopping");
    await waitUntil("it is silent", async () => (await manager.server(id)).reason.rule === "ON/Stopping/None");
    const page = await openPage(browser, manager);
    await page.goto(manager.url);
    const article = page.locator("article", { hasText: "node-four" });
    await article.getByRole("button", { name: "Set OFF" }).click();
    await article.locator(".question").waitFor();
    machine.boots();
    const goingDown = setInterval(() => void machine.say("Stopping"), 300);
    t.after(() => clearInterval(goingDown));
    await article.getByRole("button", { name: "Turn off" }).waitFor();
    assert.equal(await page.locator("article .question").count(), 0, "it is asked anew");
    assert.equal((await manager.server(id)).power_status, "ON");
    assert.deepEqual(page.complaints, []);
});
