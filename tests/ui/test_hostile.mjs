// Names that want to be markup, have no end or run the other way: they execute nothing, break no
// layout, and the page's policy finds nothing to report.
import assert from "node:assert/strict";
import test from "node:test";

import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const NAMES = [
    '<img src=x onerror="window.hurt=1">',
    '"><script>window.hurt=1</script><b title="',
    "{@html '<svg onload=window.hurt=1>'} ${window.hurt=1}",
    "w".repeat(200),
    "長".repeat(66),
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 ".repeat(7).trim(),
    "javascript:window.hurt=1",
];

const browser = await openBrowser();
const manager = await new Manager().start();
test.after(async () => {
    await browser.close();
    await manager.close();
});
await manager.setUp();
await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 1, missed_heartbeats: 1 });
const ids = [];
for (const name of NAMES) {
    const mac = `52:54:00:00:07:0${ids.length}`;
    const tags = [...new Set([name.slice(0, 16), "a", "b"])];
    const id = await manager.addServer(name, { mac_addresses: [mac], note: name.repeat(3), tags });
    const machine = await manager.join(id, mac, name.slice(0, 64));
    await machine.say("ON");
    ids.push(id);
}
for (const id of ids)
    await waitUntil("Crashed", async () => (await manager.server(id)).actual_status === "Crashed");
await manager.api("POST", "/users", { name: "<img src=x onerror=window.hurt=1>".repeat(2).slice(0, 60), role: "viewer", password: "a good long one" });
await manager.api("POST", "/tokens", { name: "w".repeat(64), role: "viewer" });

/** What sticks out to the side, or was executed, or was reported. */
async function faults(page, view) {
    return page.evaluate((where) => {
        const found = [...window.reports.map((one) => `${where}: policy: ${one}`)];
        if (window.hurt) found.push(`${where}: executed`);
        if (document.querySelector("img, b[title], svg[onload]")) found.push(`${where}: became markup`);
        const wide = document.documentElement;
        if (wide.scrollWidth > wide.clientWidth) found.push(`${where}: the page scrolls sideways`);
        for (const one of document.querySelectorAll("body *")) {
            const { overflowX } = getComputedStyle(one);
            if (["auto", "scroll"].includes(overflowX) && one.scrollWidth > one.clientWidth + 1)
                found.push(`${where}: scrolls sideways: ${one.tagName}.${one.className}`);
        }
        for (const one of document.querySelectorAll("button, input, select, h1, h2")) {
            const box = one.getBoundingClientRect();
            const isShown = box.width > 1 && box.height > 1 && one.checkVisibility();
            if (isShown && (box.left < -1 || box.right > innerWidth + 1))
                found.push(`${where}: sticks out: ${one.tagName} ${one.textContent.slice(0, 40)}`);
        }
        return found;
    }, view);
}

const VIEWS = {
    list: async (page) => page.locator("[data-server]").nth(6).waitFor(),
    question: async (page) => {
        await page.locator(`[data-server="${ids[3]}"] .power button`).last().click();
    },
    bulk: async (page) => {
        await page.locator(".head input[type=checkbox]").click();
        await page.getByRole("toolbar").getByRole("button").first().click();
        await page.locator("dialog h2").waitFor();
    },
    palette: async (page) => {
        await page.locator("[data-server]").first().waitFor();
        await page.keyboard.press("Control+k");
        await page.locator("dialog [role=option]").first().waitFor();
    },
    notifications: async (page) => {
        await page.locator("article, section > button.line").first().waitFor({ state: "attached" });
        const button = page.locator("section > button[aria-expanded]:visible");
        if (await button.count()) await button.first().click();
    },
    people: async (page) => {
        await page.goto(`${manager.url}/people`);
        await page.locator(".line").nth(3).waitFor();
    },
    activity: async (page) => {
        await page.goto(`${manager.url}/activity`);
        await page.locator("details summary time").first().click();
    },
};
for (const [index, id] of ids.entries()) {
    VIEWS[`server ${index}`] = async (page) => {
        await page.goto(`${manager.url}/servers/${id}`);
        await page.locator(".picture").waitFor();
    };
}
VIEWS.edit = async (page) => {
    await page.goto(`${manager.url}/servers/${ids[3]}`);
    await page.locator("aside .button").first().click();
    await page.locator("dialog textarea").waitFor();
};
VIEWS.remove = async (page) => {
    await page.goto(`${manager.url}/servers/${ids[3]}`);
    await page.locator("aside .button.bare").first().click();
    await page.locator("dialog h2").waitFor();
};

for (const [where, options] of [
    ["on a phone, in Japanese", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }],
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }],
]) {
    test(`hostile names: nothing is executed, and no layout breaks ${where} (5)`, async () => {
        const page = await openPage(browser, manager, options);
        await page.addInitScript(() => {
            window.reports = [];
            addEventListener("securitypolicyviolation", (event) =>
                window.reports.push(`${event.violatedDirective} ${event.blockedURI}`),
            );
        });
        const all = [];
        for (const [view, show] of Object.entries(VIEWS)) {
            await page.goto(manager.url);
            await show(page);
            all.push(...(await faults(page, view)));
        }
        assert.deepEqual(all, []);
        assert.deepEqual(page.complaints, []);
    });
}
