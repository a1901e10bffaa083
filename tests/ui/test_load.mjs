// 10,000 servers and 20 changes a second: a window of rows, a main thread that idles, memory that
// stays. Fifteen seconds here; CPM_LOAD_SECONDS makes it longer.
import assert from "node:assert/strict";
import test from "node:test";

import { openBrowser, openPage } from "./browser.mjs";
import { Manager } from "./manager.mjs";

const SERVERS = 10_000;
const CHANGES_A_SECOND = 20;
const SECONDS = Number(process.env.CPM_LOAD_SECONDS ?? 15);
// A slow machine of the CI may need twice what a measurement may.
const BUSY_PERCENT = process.env.CPM_LOAD_SECONDS ? 10 : 20;

const browser = await openBrowser();
const manager = await new Manager().start();
test.after(async () => {
    await browser.close();
    await manager.close();
});

/** Adds them a few at a time: each waits for the disk, together they wait once. */
async function addServers() {
    const ids = [];
    let next = 0;
    const add = async () => {
        while (next < SERVERS) {
            const n = next++;
            const mac = [0x52, 0x54, 0, 0, n >> 8, n & 255].map((one) => one.toString(16).padStart(2, "0"));
            ids[n] = await manager.addServer(`node${String(n).padStart(5, "0")}`, {
                mac_addresses: [mac.join(":")],
                tags: [`rack${n % 100}`],
            });
        }
    };
    await Promise.all(Array.from({ length: 64 }, add));
    return ids;
}

test("load: 10,000 servers and 20 changes a second leave the page idle and its memory flat (5)", async () => {
    await manager.setUp();
    const ids = await addServers();
    const page = await openPage(browser, manager);
    await page.goto(manager.url);
    await page.locator("[data-server]").first().waitFor();
    const devtools = await page.context().newCDPSession(page);
    // The thread's own time: what others on this machine take from it does not count.
    await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
    await devtools.send("HeapProfiler.enable");
    const measure = async () => {
        await devtools.send("HeapProfiler.collectGarbage");
        const { metrics } = await devtools.send("Performance.getMetrics");
        return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
    };

    // Every server is asked only once: what is open is not asked again.
    let at = 0;
    let changed = 0;
    const change = async (seconds) => {
        const begin = Date.now();
        const asked = [];
        while (Date.now() - begin < seconds * 1000) {
            const due = ((Date.now() - begin) / 1000) * CHANGES_A_SECOND;
            while (asked.length < due) {
                // Half of them on the screen, half far away.
                const n = at % 2 ? SERVERS - 1 - (at >> 1) : at >> 1;
                at++;
                asked.push(manager.power(ids[n], "ON").then(() => changed++));
            }
            await new Promise((done) => setTimeout(done, 10));
        }
        await Promise.all(asked);
    };
    await change(5); // what is made once has been made
    const before = await measure();
    const started = changed;
    const begin = Date.now();
    await change(SECONDS);
    const took = (Date.now() - begin) / 1000;
    const after = await measure();
    const busy = (100 * (after.TaskDuration - before.TaskDuration)) / took;
    const grown = (after.JSHeapUsedSize - before.JSHeapUsedSize) / 1e6;
    const rate = (changed - started) / took;
    const rows = await page.locator("[data-server]").count();
    console.log(
        `${SECONDS} s, ${rate.toFixed(1)} changes/s: main thread ${busy.toFixed(1)} % busy, ` +
            `heap ${(after.JSHeapUsedSize / 1e6).toFixed(1)} MB (${grown.toFixed(2)} MB more), ${rows} rows`,
    );
    assert.ok(rows < 100, `${rows} rows are in the page`);
    assert.ok(busy < BUSY_PERCENT, `the main thread is ${busy.toFixed(1)} % busy`);
    assert.ok(grown < 8, `the heap grew by ${grown.toFixed(1)} MB`);
    assert.deepEqual(page.complaints, []);
});
