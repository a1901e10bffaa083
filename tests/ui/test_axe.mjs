// axe finds nothing in any view, light and dark, on a phone and on a PC (WCAG 2.2 AA).
import assert from "node:assert/strict";
import test from "node:test";

import { faults } from "./axe.mjs";
import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await new Manager().start();
const machines = [];
test.after(async () => {
    for (const machine of machines) machine.silence();
    await browser.close();
    await manager.close();
});

async function makeFleet() {
    await manager.setUp();
    await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 1, standby_time_seconds: 600 });
    const ids = {};
    let n = 0;
    for (const name of ["on", "crashed", "starting", "stopping", "fresh"]) {
        const mac = `52:54:00:00:02:0${++n}`;
        ids[name] = await manager.addServer(name, { mac_addresses: [mac], tags: ["axe"], note: "a note" });
        if (["on", "crashed", "stopping"].includes(name))
            machines.push((await manager.join(ids[name], mac, name)).live(400, 1e9));
    }
    const is = (name, status) => async () => (await manager.server(ids[name])).actual_status === status;
    await waitUntil("ON", is("stopping", "ON"));
    await manager.power(ids.stopping, "OFF");
    await manager.power(ids.starting, "ON");
    await waitUntil("ON", is("crashed", "ON"));
    machines[1].silence();
    await waitUntil("Stopping", is("stopping", "Stopping"));
    await waitUntil("Crashed", is("crashed", "Crashed"));
    return ids;
}

const VIEWS = {
    list: async (page) => page.locator("[data-server]").first().waitFor(),
    question: async (page, ids) => {
        await page.locator(`[data-server="${ids.on}"] .power button`).first().click();
        await page.locator(".question .strong:enabled").waitFor();
    },
    notifications: async (page) => {
        await page.locator("[data-server]").first().waitFor();
        const button = page.locator("section > button[aria-expanded]:visible");
        if (await button.count()) await button.first().click();
    },
    bulk: async (page) => {
        await page.locator(".head input[type=checkbox]").click();
        await page.getByRole("toolbar").getByRole("button").nth(1).click();
        await page.locator("dialog .names").waitFor();
    },
    palette: async (page) => {
        await page.locator("[data-server]").first().waitFor();
        await page.keyboard.press("Control+k");
        await page.locator("dialog [role=option]").first().waitFor();
    },
    help: async (page) => {
        await page.locator("[data-server]").first().waitFor();
        await page.keyboard.press("?");
        await page.locator("dialog kbd").first().waitFor();
    },
    server: async (page, ids) => {
        await page.goto(`${manager.url}/servers/${ids.stopping}`);
        await page.locator(".picture").waitFor();
        await page.locator("details summary").first().waitFor();
    },
    join: async (page, ids) => {
        await page.goto(`${manager.url}/servers/${ids.fresh}?join=1`);
        await page.locator("code").first().waitFor();
    },
    edit: async (page, ids) => {
        await page.goto(`${manager.url}/servers/${ids.on}`);
        await page.locator("aside .button").first().click();
        await page.locator("dialog summary").click();
    },
    add: async (page) => {
        await page.goto(`${manager.url}/add`);
        await page.locator("form .button.strong").waitFor();
    },
    activity: async (page) => {
        await page.goto(`${manager.url}/activity`);
        await page.locator("details summary time").first().click();
    },
    people: async (page) => {
        await page.goto(`${manager.url}/people`);
        await page.locator(".line").nth(2).waitFor();
    },
    settings: async (page) => {
        await page.goto(`${manager.url}/settings`);
        await page.locator(".setting").first().waitFor();
    },
};

const ids = await makeFleet();
for (const [where, options] of [
    ["on a PC, light, in English", { viewport: PC, colorScheme: "light", locale: "en-GB" }],
    ["on a phone, dark, in Japanese", { viewport: PHONE, colorScheme: "dark", locale: "ja-JP" }],
    ["on a PC, dark, in Japanese", { viewport: PC, colorScheme: "dark", locale: "ja-JP" }],
    ["on a phone, light, in English", { viewport: PHONE, colorScheme: "light", locale: "en-GB" }],
]) {
    test(`axe: no violation in any view ${where} (5)`, async () => {
        const all = [];
        const page = await openPage(browser, manager, options);
        for (const [view, show] of Object.entries(VIEWS)) {
            await page.goto(manager.url);
            await show(page, ids);
            all.push(...(await faults(page)).map((fault) => `${view}: ${fault}`));
        }
        assert.deepEqual(page.complaints, []);
        await page.context().close();
        const stranger = await openPage(browser, manager, { ...options, cookie: null });
        for (const path of ["/", "/#setup=ABCD"]) {
            await stranger.goto("about:blank");
            await stranger.goto(manager.url + path);
            await stranger.locator("form").waitFor();
            all.push(...(await faults(stranger)).map((fault) => `${path}: ${fault}`));
        }
        await stranger.context().close();
        assert.deepEqual(all, []);
    });
}
