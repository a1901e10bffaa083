// Names that want to be markup, have no end or run the other way: they execute nothing, break no
// layout, and the page's policy finds nothing to report.
import assert from "node:assert/strict";
import test from "node:test";

import { go, openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { layoutFaults } from "./layout.mjs";
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

for (const preset of ["generic", "slack"])
    await manager.api("POST", "/webhooks", { name: `${preset} ${NAMES[0]}`, url: "http://127.0.0.1:9/x", preset });
await manager.api("PATCH", "/settings", { min_on: { [NAMES[0].slice(0, 16)]: 1 } });

/** What was executed, became markup or was reported, and what breaks the layout. */
async function faults(page) {
    const found = await page.evaluate(() => [
        ...window.reports.map((one) => `policy: ${one}`),
        ...(window.hurt ? ["executed"] : []),
        ...(document.querySelector("img, b[title], svg[onload]") ? ["became markup"] : []),
    ]);
    return [...found, ...(await layoutFaults(page))];
}

/** The address of each view, and what has to be done there to see it. */
const VIEWS = {
    list: ["/", async (page) => page.locator("[data-server]").nth(6).waitFor()],
    bulk: [
        "/",
        async (page) => {
            await page.locator(".head input[type=checkbox]").click();
            await page.getByRole("toolbar").getByRole("button").first().click();
            await page.locator("dialog h2").waitFor();
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
    notifications: [
        "/",
        async (page) => {
            await page.locator("article, section > button.line").first().waitFor({ state: "attached" });
            const button = page.locator("section > button[aria-expanded]:visible");
            if (await button.count()) await button.first().click();
        },
    ],
    filtered: [
        `/?tag=${encodeURIComponent(NAMES[0].slice(0, 16))}&q=${encodeURIComponent(NAMES[0])}`,
        async (page) => page.locator("[data-server]").waitFor(),
    ],
    people: ["/people", async (page) => page.locator(".line").nth(3).waitFor()],
    activity: ["/activity", async (page) => page.locator("details summary time").first().click()],
    settings: ["/settings", async (page) => page.locator("li", { hasText: "slack" }).waitFor()],
    add: [
        "/add",
        async (page) => {
            await page.locator("form input.input").first().fill(NAMES[0]);
            await page.fill("textarea", NAMES[1]);
            await page.click("form .button.strong");
            await page.locator("[aria-invalid=true]").first().waitFor();
        },
    ],
    edit: [
        `/servers/${ids[3]}`,
        async (page) => {
            await page.locator("aside .button").first().click();
            await page.locator("dialog textarea").waitFor();
        },
    ],
    remove: [
        `/servers/${ids[3]}`,
        async (page) => {
            await page.locator("aside .button.bare").first().click();
            await page.locator("dialog h2").waitFor();
        },
    ],
    join: [`/servers/${ids[0]}?join=1`, async (page) => page.locator(".picture").waitFor()],
};
for (const [index, id] of ids.entries()) {
    VIEWS[`server ${index}`] = [`/servers/${id}`, async (page) => page.locator(".picture").waitFor()];
    VIEWS[`question ${index}`] = [
        "/",
        async (page) => {
            await page.locator(`[data-server="${id}"] .power button`).last().click();
            await page.locator(".question p").waitFor();
        },
    ];
}

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
        await page.goto(manager.url);
        await page.locator("[data-server]").first().waitFor();
        for (const [view, [path, show]] of Object.entries(VIEWS)) {
            await go(page, path);
            await show(page);
            all.push(...(await faults(page)).map((fault) => `${view}: ${fault}`));
        }
        assert.deepEqual(all, []);
        assert.deepEqual(page.complaints, []);
    });
}

test("hostile names: the page's policy is in force, not only said (5)", async () => {
    const page = await openPage(browser, manager);
    await page.goto(manager.url);
    await page.locator("[data-server]").first().waitFor();
    const outcome = await page.evaluate(async (elsewhere) => {
        const reports = [];
        addEventListener("securitypolicyviolation", (event) => reports.push(event.violatedDirective));
        const refused = (deed) => {
            try {
                deed();
                return false;
            } catch (error) {
                return error.constructor.name;
            }
        };
        const found = {
            markup: refused(() => (document.createElement("p").innerHTML = "<b>x</b>")),
            address: refused(() => (document.createElement("script").src = "/x.js")),
            policy: refused(() => window.trustedTypes.createPolicy("other", {})),
        };
        const picture = document.createElement("img");
        picture.src = `${elsewhere}/x.png`;
        document.body.append(picture);
        const style = document.createElement("style");
        document.head.append(style);
        found.request = await fetch(`${elsewhere}/x`).then(() => "sent", () => "refused");
        const form = document.createElement("form");
        form.action = elsewhere;
        document.body.append(form);
        form.submit();
        window.reports = reports;
        return found;
    }, "http://127.0.0.1:9");
    assert.deepEqual(outcome, { markup: "TypeError", address: "TypeError", policy: "TypeError", request: "refused" });
    for (const directive of ["require-trusted-types-for", "img-src", "connect-src", "form-action"])
        await waitUntil(`a report of ${directive}`, () =>
            page.evaluate((one) => window.reports.includes(one), directive),
        );
});
