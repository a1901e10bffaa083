// contact_sheet.mjs [FILE]: the main views of the real page in one picture, on a phone and on a PC,
// in both languages, light and dark; docs/dashboard-sheet.png unless a file is named.
import { fileURLToPath } from "node:url";

import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const FILE = process.argv[2] ?? fileURLToPath(new URL("../../docs/dashboard-sheet.png", import.meta.url));
const ROWS = [
    { viewport: PC, locale: "en-GB", colorScheme: "light" },
    { viewport: PC, locale: "ja-JP", colorScheme: "dark" },
    { viewport: PHONE, locale: "ja-JP", colorScheme: "light" },
    { viewport: PHONE, locale: "en-GB", colorScheme: "dark" },
];
const HEIGHT = 250; // of a row of the sheet, in px
const GAP = 8;

const browser = await openBrowser();
const manager = await new Manager().start();
const machines = [];

async function makeFleet() {
    await manager.setUp();
    await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 2, standby_time_seconds: 600 });
    for (const role of ["operator", "viewer"])
        await manager.api("POST", "/users", { name: `${role}-1`, role, password: "a long enough one" });
    const ids = [];
    for (let i = 1; i <= 12; i++) {
        const mac = `52:54:00:00:08:${String(i).padStart(2, "0")}`;
        const name = `rack${i <= 6 ? 1 : 2}-node${i}`;
        const id = await manager.addServer(name, { mac_addresses: [mac], tags: [i <= 6 ? "web" : "gpu"] });
        ids.push(id);
        if (i <= 9) machines.push((await manager.join(id, mac, name)).live(700, 1e9));
    }
    const becomes = (at, status) =>
        waitUntil(status, async () => (await manager.server(ids[at])).actual_status === status, 60_000);
    for (let at = 0; at < 9; at++) await becomes(at, "ON");
    machines[1].silence();
    await becomes(1, "Crashed");
    await manager.power(ids[2], "OFF");
    await manager.power(ids[10], "ON");
    await becomes(2, "Stopping");
    return ids;
}

const ids = await makeFleet();
const VIEWS = [
    ["/", "[data-server]"],
    [`/servers/${ids[1]}`, ".picture"],
    ["/add", "form .button.strong"],
    ["/people", ".line"],
    ["/settings", ".setting"],
    ["/activity", "details summary"],
];

const rows = [];
for (const options of ROWS) {
    const page = await openPage(browser, manager, options);
    const shots = [];
    for (const [path, sign] of VIEWS) {
        await page.goto(manager.url + path);
        await page.locator(sign).first().waitFor();
        await page.locator(".lamp.live").waitFor();
        await page.evaluate(() => document.fonts.ready);
        shots.push((await page.screenshot()).toString("base64"));
    }
    await page.context().close();
    rows.push({ ...options, shots });
}

// The browser itself puts the sheet together: two rows of PCs, and one of phones.
const sheet = await browser.newPage({ viewport: { width: 1600, height: 600 } });
const picture = ({ viewport, shots }) => {
    const height = viewport === PC ? HEIGHT : HEIGHT * 1.73;
    return shots.map((shot) => `<img height="${height}" src="data:image/png;base64,${shot}">`).join("");
};
await sheet.setContent(`<body style="margin:0;padding:${GAP}px;background:#8a8f94;width:max-content">
    ${rows.slice(0, 2).map((row) => `<div class="pc">${picture(row)}</div>`).join("")}
    <div>${picture(rows[2])}${picture(rows[3])}</div>
    <style>div{display:flex;gap:${GAP}px;margin-bottom:${GAP}px} .pc{display:grid;grid-template-columns:repeat(6,auto)}
    div:last-of-type{margin:0} img{display:block}</style>`);
await sheet.evaluate(() => Promise.all([...document.images].map((image) => image.decode())));
await sheet.locator("body").screenshot({ path: FILE });
console.log(FILE);
for (const machine of machines) machine.silence();
await browser.close();
await manager.close();
