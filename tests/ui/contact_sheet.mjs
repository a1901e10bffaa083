// contact_sheet.mjs [FOLDER]: pictures of the real page, into docs/ unless a folder is named.
// dashboard-sheet.png has the main views, on a PC and on a phone, in both languages, light and dark;
// the others are what the READMEs show.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const FOLDER = process.argv[2] ?? fileURLToPath(new URL("../../docs", import.meta.url));
const LOOKS = [
    { locale: "en-GB", colorScheme: "light" },
    { locale: "en-GB", colorScheme: "dark" },
    { locale: "ja-JP", colorScheme: "light" },
    { locale: "ja-JP", colorScheme: "dark" },
];
const COLUMNS = [PC, PHONE].flatMap((viewport) => LOOKS.map((look) => ({ viewport, ...look })));
const HEIGHT = 330; // of a picture in the sheet, in px
const GAP = 8;

const browser = await openBrowser();
const manager = await new Manager().start();
const machines = {};
const ids = {};

const becomes = (name, status) =>
    waitUntil(
        `${name} ${status}`,
        async () => (await manager.server(ids[name])).actual_status === status,
        60_000,
    );
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function add(name, tags, fields = {}, hasJoined = true) {
    const mac = `52:54:00:00:08:${String(Object.keys(ids).length).padStart(2, "0")}`;
    ids[name] = await manager.addServer(name, { mac_addresses: [mac], tags, ...fields });
    if (hasJoined) machines[name] = (await manager.join(ids[name], mac, name)).live(500, 3);
}

/** As a person at the page asks. */
async function power(name, target) {
    const headers = { Cookie: manager.cookie, Origin: manager.url };
    const path = `/api/v1/servers/${ids[name]}/power`;
    const { status } = await manager.ask("PUT", path, { power_status: target }, headers);
    if (status >= 300) throw new Error(`${name} ${target}: ${status}`);
}

async function makeFleet() {
    await manager.setUp();
    await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 1, standby_time_seconds: 300 });
    for (const [name, role] of [["naomi", "operator"], ["wall-display", "viewer"]])
        await manager.api("POST", "/users", { name, role, password: "a long enough one" });
    await manager.api("POST", "/tokens", { name: "nightly-jobs", role: "operator" });
    const url = "http://127.0.0.1:9/hook";
    const statuses = ["Crashed", "Unknown"];
    await manager.api("POST", "/webhooks", { name: "on-call", preset: "ntfy", statuses, url });
    await manager.api("POST", "/webhooks", { name: "#servers", preset: "slack", url });
    await add("db-primary", ["db"], { protected: true });
    await add("ci-runner-12", ["ci"], {}, false);
    await add("lab-bench-7", [], { note: "Under Naomi's desk" }, false);
    for (const n of [1, 2, 3, 4]) {
        await add(`rack1-node${n}`, ["gpu", "rack1"], { standby_time_seconds: n > 2 ? 2 : 300 });
        await add(`rack2-node${n}`, ["ceph", "rack2"]);
    }
    await add("rack2-node5", ["ceph", "rack2"], { standby_time_seconds: 1 }, false);
    await Promise.all(Object.keys(machines).map((name) => becomes(name, "ON")));

    // One with a past: off, on again, and then gone without a word.
    const [name, machine] = ["rack1-node3", machines["rack1-node3"]];
    await pause(6000);
    await power(name, "OFF");
    await becomes(name, "OFF");
    await pause(8000);
    await power(name, "ON");
    await pause(1500);
    machine.boot = randomUUID();
    machine.live(500, 3);
    await becomes(name, "ON");
    await pause(9000);
    machine.silence();
    await becomes(name, "Crashed");

    await power("rack1-node4", "OFF");
    await power("rack2-node5", "ON");
    await becomes("rack1-node4", "OFF");
    await becomes("rack2-node5", "StartupDelayed");
    await power("ci-runner-12", "ON");
    const slow = machines["rack2-node4"];
    slow.silence();
    slow.live(500, 1e9);
    await power("rack2-node4", "OFF");
    await becomes("rack2-node4", "Stopping");
}

await makeFleet();
const VIEWS = [
    ["/", "[data-server]"],
    [`/servers/${ids["rack1-node3"]}`, ".three li"],
    ["/add", "form .button.strong"],
    ["/people", ".line"],
    ["/settings", ".setting"],
    ["/activity", "details summary"],
];

async function show(page, [path, sign]) {
    await page.goto(manager.url + path);
    await page.locator(sign).first().waitFor();
    await page.locator(".lamp.live").waitFor();
    await page.evaluate(() => document.fonts.ready);
}

const columns = [];
for (const options of COLUMNS) {
    const page = await openPage(browser, manager, options);
    const shots = [];
    for (const view of VIEWS) {
        await show(page, view);
        shots.push((await page.screenshot()).toString("base64"));
    }
    await page.context().close();
    columns.push(shots);
}

// The browser itself puts the sheet together: a row a view.
const sheet = await browser.newPage({ viewport: { width: 1600, height: 600 } });
const images = VIEWS.flatMap((_, at) =>
    columns.map((shots) => `<img height="${HEIGHT}" src="data:image/png;base64,${shots[at]}">`),
);
await sheet.setContent(`<body style="margin:0;padding:${GAP}px;background:#8a8f94;width:max-content">
    <div>${images.join("")}</div>
    <style>div{display:grid;gap:${GAP}px;grid-template-columns:repeat(${COLUMNS.length},auto)} img{display:block}</style>`);
await sheet.evaluate(() => Promise.all([...document.images].map((image) => image.decode())));
await sheet.locator("body").screenshot({ path: join(FOLDER, "dashboard-sheet.png") });

const READMES = { "dashboard.png": LOOKS[0], "dashboard-dark.png": LOOKS[1], "dashboard-ja.png": LOOKS[2] };
for (const [file, look] of Object.entries(READMES)) {
    const page = await openPage(browser, manager, { viewport: PC, ...look, scale: 1.5 });
    await show(page, VIEWS[0]);
    await page.screenshot({ path: join(FOLDER, file) });
    await page.context().close();
}
console.log(FOLDER);
for (const machine of Object.values(machines)) machine.silence();
await browser.close();
await manager.close();
