// axe finds nothing in any view (WCAG 2.2 AA), and nothing sticks out to the side: the main views in
// both languages, light and dark, on a phone and on a PC; the others on one of each.
import assert from "node:assert/strict";
import test from "node:test";

import { COLOURS, faults } from "./axe.mjs";
import { go, openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { layoutFaults, touchFaults } from "./layout.mjs";
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

const ids = await makeFleet();

/** The main views: the address of each, and what has to be done there to see it. */
const MAIN = {
    list: ["/", async (page) => page.locator("[data-server]").first().waitFor()],
    server: [
        `/servers/${ids.stopping}`,
        async (page) => {
            await page.locator(".picture").waitFor();
            await page.locator("details summary").first().waitFor();
        },
    ],
    add: ["/add", async (page) => page.locator("form .button.strong").waitFor()],
    activity: ["/activity", async (page) => page.locator("details summary time").first().click()],
    people: ["/people", async (page) => page.locator(".line").nth(2).waitFor()],
    settings: ["/settings", async (page) => page.locator(".setting").first().waitFor()],
};

/** What else they can look like. */
const REST = {
    question: [
        "/",
        async (page) => {
            await page.locator(`[data-server="${ids.on}"] .power button`).first().click();
            await page.locator(".question .strong:enabled").waitFor();
        },
    ],
    bulk: [
        "/",
        async (page) => {
            await page.locator(".head input[type=checkbox]").click();
            await page.getByRole("toolbar").getByRole("button").nth(1).click();
            await page.locator("dialog .names").waitFor();
        },
    ],
    palette: [
        "/",
        async (page) => {
            await page.locator("[data-server]").first().waitFor();
            await page.keyboard.press("Control+k");
            await page.locator("dialog [role=option]").first().waitFor();
        },
    ],
    help: [
        "/",
        async (page) => {
            await page.locator("[data-server]").first().waitFor();
            await page.keyboard.press("?");
            await page.locator("dialog kbd").first().waitFor();
        },
    ],
    nothing: ["/?q=nosuchserver", async (page) => page.locator(".empty").waitFor()],
    crashed: [`/servers/${ids.crashed}`, async (page) => page.locator(".picture").waitFor()],
    join: [`/servers/${ids.fresh}?join=1`, async (page) => page.locator("code").first().waitFor()],
    edit: [
        `/servers/${ids.on}`,
        async (page) => {
            await page.locator("aside .button").first().click();
            await page.locator("dialog summary").click();
        },
    ],
    remove: [
        `/servers/${ids.on}`,
        async (page) => {
            await page.locator("aside .button.bare").first().click();
            await page.locator("dialog h2").waitFor();
        },
    ],
    notifications: [
        "/",
        async (page) => {
            await page.locator("article, section > button.line").first().waitFor({ state: "attached" });
            const button = page.locator("section > button[aria-expanded]:visible");
            if (await button.count()) await button.first().click();
        },
    ],
};
const STRANGERS = ["/", "/#setup=ABCD"];

/** The page's ground as it is painted: 0 is black, 255 is white. */
async function brightness(page) {
    const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    return Math.max(...ground.match(/\d+/g).map(Number));
}

/** The narrowest phone, tablets between the two layouts, and a wide screen. */
const WIDTHS = { 390: [360], 1440: [800, 1100, 1920] };

/** What sticks out, at all the widths of such a device. */
async function faultsOfWidths(page) {
    const found = [];
    const { width, height } = page.viewportSize();
    for (const one of [...WIDTHS[width], width]) {
        await page.setViewportSize({ width: one, height });
        found.push(...(await layoutFaults(page)).map((fault) => `${one} px: ${fault}`));
    }
    if (width < 600) found.push(...(await touchFaults(page)));
    const moving = await page.evaluate(() => document.getAnimations().length);
    if (moving > 0) found.push(`${moving} things move for one who asks for reduced motion`);
    return found;
}

/** What is wrong with a view as it stands, light and dark. */
async function faultsInBoth(page) {
    const found = await faultsOfWidths(page);
    for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        const isDark = (await brightness(page)) < 60;
        if (isDark !== (colorScheme === "dark")) found.push(`is not ${colorScheme}`);
        // What the colours do not touch was found in the light already.
        const rules = colorScheme === "light" ? undefined : COLOURS;
        found.push(...(await faults(page, rules)).map((fault) => `${colorScheme}: ${fault}`));
    }
    await page.emulateMedia({ colorScheme: "light" });
    return found;
}

/** Whether it speaks this language: the letters of the other one only name it. */
async function isIn(locale, page) {
    const text = (await page.locator("body").innerText()).replaceAll("日本語", "");
    const isJapanese = /[\u3040-\u30ff]/.test(text);
    return (await page.locator("html").getAttribute("lang")) === locale.slice(0, 2) && isJapanese === (locale === "ja-JP");
}

const LOOKS = [
    ["on a phone, in English", PHONE, "en-GB", MAIN],
    ["on a phone, in Japanese", PHONE, "ja-JP", { ...MAIN, ...REST }],
    ["on a PC, in English", PC, "en-GB", { ...MAIN, ...REST }],
    ["on a PC, in Japanese", PC, "ja-JP", MAIN],
];
for (const [where, viewport, locale, views] of LOOKS)
    test(`axe: no violation in any view ${where}, light and dark (5)`, async () => {
        const all = [];
        const look = async (page, view) => {
            all.push(...(await faultsInBoth(page)).map((fault) => `${view}: ${fault}`));
            if (!(await isIn(locale, page))) all.push(`${view}: is in another language`);
        };
        const page = await openPage(browser, manager, { viewport, locale });
        await page.goto(manager.url);
        await page.locator("[data-server]").first().waitFor();
        for (const [view, [path, show]] of Object.entries(views)) {
            await go(page, path);
            await show(page);
            await look(page, view);
        }
        assert.deepEqual(page.complaints, []);
        await page.context().close();
        const stranger = await openPage(browser, manager, { viewport, locale, cookie: null });
        for (const path of STRANGERS) {
            await stranger.goto("about:blank");
            await stranger.goto(manager.url + path);
            await stranger.locator("form").waitFor();
            await look(stranger, path);
        }
        await stranger.context().close();
        assert.deepEqual(all, []);
    });
