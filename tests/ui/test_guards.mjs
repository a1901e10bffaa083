// What stands between a finger and an OFF: protection, the least that stays on, the password.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";

import { faults } from "./axe.mjs";
import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, PASSWORD, waitUntil } from "./manager.mjs";

const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
/** A card of this machine, on which the manager runs. */
const OWN_MAC = readdirSync("/sys/class/net")
    .filter((name) => name !== "lo" && existsSync(`/sys/class/net/${name}/address`))
    .map((name) => readFileSync(`/sys/class/net/${name}/address`, "utf8").trim())
    .find((mac) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) && mac !== "00:00:00:00:00:00");

const browser = await openBrowser();
const manager = await begin();
test.after(async () => {
    await browser.close();
    await manager.close();
});

async function begin() {
    const manager = await (await new Manager().start()).setUp();
    await manager.api("PATCH", "/settings", { heartbeat_interval_seconds: 5 });
    return manager;
}

/** Servers with a machine each that is ON; gone again after the story. */
async function fleetOf(t, manager, ...servers) {
    const ids = [];
    for (const [name, { mac_addresses, ...fields }] of servers) {
        const [mac] = mac_addresses ?? [`52:54:00:00:05:0${ids.length}`];
        const id = await manager.addServer(name, { mac_addresses: [mac], ...fields });
        const machine = (await manager.join(id, mac, "machine")).live(1000, 1e9);
        t.after(async () => {
            machine.silence();
            await manager.api("DELETE", `/servers/${id}?force=true`);
        });
        await waitUntil("ON", async () => (await manager.server(id)).display_status === "ON");
        ids.push(id);
    }
    return ids;
}

async function askForOff(page, id) {
    const row = page.locator(`[data-server="${id}"]`);
    await row.locator(".power button").first().click();
    await row.locator(".question .strong:enabled").click();
    return row;
}

for (const [where, options] of [
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }],
    ["on a phone, in Japanese", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }],
]) {
    test(`guards: a protected server's name has to be typed ${where} (5)`, async (t) => {
        const ids = await fleetOf(t, manager, ["database", { protected: true }]);
        const page = await openPage(browser, manager, options);
        await page.goto(manager.url);
        await askForOff(page, ids[0]);
        const submit = page.locator("dialog footer .strong");
        await submit.waitFor();
        assert.equal(await submit.isDisabled(), true);
        await page.fill("dialog input", "databas");
        assert.equal(await submit.isDisabled(), true);
        await page.keyboard.press("Enter");
        assert.equal((await manager.server(ids[0])).power_status, "ON");
        await page.fill("dialog input", "database");
        await submit.click();
        await waitUntil("OFF", async () => (await manager.server(ids[0])).power_status === "OFF");
        await page.locator("dialog").waitFor({ state: "detached" });
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });

    test(`guards: fewer than the least that stays on is refused, and said ${where} (5)`, async (t) => {
        const gpu = { tags: ["gpu"] };
        const ids = await fleetOf(t, manager, ["g1", gpu], ["g2", gpu]);
        t.after(() => manager.api("PATCH", "/settings", { min_on: {} }));
        const page = await openPage(browser, manager, options);
        await page.goto(`${manager.url}/settings`);
        await page.locator(".setting textarea").fill("gpu: 2");
        await page.locator("form .strong").click();
        await waitUntil("kept", async () => (await manager.api("GET", "/settings")).min_on.gpu === 2);
        await page.goto(manager.url);
        const row = await askForOff(page, ids[0]);
        await row.locator(".trouble").waitFor();
        assert.equal(await page.locator("dialog").count(), 0, "nothing confirms it");
        assert.equal((await manager.server(ids[0])).power_status, "ON");
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });
}

for (const [where, options] of [
    ["on a PC, in Japanese", { viewport: PC, locale: "ja-JP", colorScheme: "dark" }],
    ["on a phone, in English", { viewport: PHONE, locale: "en-GB" }],
]) {
    test(`guards: the manager's own machine is asked about, and its name besides if protected ${where} (5)`, async (t) => {
        if (!OWN_MAC) return t.skip("this machine has no network card");
        const [id] = await fleetOf(t, manager, ["hub", { mac_addresses: [OWN_MAC], protected: true }]);
        const page = await openPage(browser, manager, options);
        await page.goto(manager.url);
        const stays = async (why) => {
            await page.locator("dialog").waitFor({ state: "detached" });
            assert.notEqual((await manager.server(id)).power_status, "OFF", why);
        };
        await askForOff(page, id);
        const title = page.locator("dialog h2");
        await title.waitFor();
        const first = await title.innerText();
        assert.match(await page.locator("dialog p").first().innerText(), /hub/);
        await page.keyboard.press("Escape");
        await stays("Escape asks nothing");
        await askForOff(page, id);
        await page.locator("dialog footer .button").first().click();
        await stays("keeping it asks nothing");

        await askForOff(page, id);
        await page.locator("dialog footer .strong:enabled").click();
        // Now the other guard: that it may be the manager's machine does not type its name.
        await page.locator("dialog input").waitFor();
        assert.notEqual(await title.innerText(), first);
        assert.equal(await page.locator("dialog footer .strong").isDisabled(), true);
        assert.notEqual((await manager.server(id)).power_status, "OFF");
        await page.fill("dialog input", "hub");
        await page.locator("dialog footer .strong").click();
        await waitUntil("OFF", async () => (await manager.server(id)).power_status === "OFF");
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });
}

test("guards: a manager that cannot tell its own machine asks as one that cannot, in both languages (1.4, 5)", async (t) => {
    // The system says nothing of its network cards: any server may be the manager's machine.
    const folder = mkdtempSync(join(tmpdir(), "cpm-cards-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const shim = join(folder, "no-cards.so");
    const source = "#include <errno.h>\nint getifaddrs(void* list) { (void)list; errno = EMFILE; return -1; }\n";
    const built = spawnSync("cc", ["-shared", "-fPIC", "-x", "c", "-", "-o", shim], { input: source });
    if (built.status !== 0) return t.skip("there is no C compiler");
    const manager = await new Manager().start({ LD_PRELOAD: shim });
    await manager.setUp();
    const ids = await fleetOf(t, manager, ["n1", {}], ["n2", {}]);
    t.after(() => manager.close());
    for (const [nth, options, words] of [
        [0, { viewport: PC, locale: "en-GB" }, /may run on this server[^]*may be n1/],
        [1, { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }, /可能性[^]*n2 がそのマシンである可能性/],
    ]) {
        const page = await openPage(browser, manager, options);
        await page.goto(manager.url);
        await askForOff(page, ids[nth]);
        await page.locator("dialog h2").waitFor();
        assert.match(await page.locator("dialog").innerText(), words);
        assert.deepEqual(await faults(page), []);
        assert.notEqual((await manager.server(ids[nth])).power_status, "OFF");
        await page.locator("dialog footer .strong").click();
        await waitUntil("OFF", async () => (await manager.server(ids[nth])).power_status === "OFF");
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    }
});

test("guards: long after signing in the password is asked for; a wrong one does nothing (5)", async (t) => {
    if (!existsSync(FAKETIME)) return t.skip("libfaketime is not installed: tools/setup --tests");
    const manager = await begin();
    const ids = await fleetOf(t, manager, ["n1", {}], ["n2", {}], ["n3", {}], ["n4", {}]);
    t.after(() => manager.close());
    await manager.api("PATCH", "/settings", { confirm_above: 1 });
    const signedIn = await manager.ask("POST", "/api/v1/session", { username: "alice", password: PASSWORD });
    const cookies = [manager.cookie, signedIn.headers["set-cookie"][0].split(";")[0]];
    // Ten minutes pass for the manager, not for the story.
    await manager.stop();
    await manager.start({ LD_PRELOAD: FAKETIME, FAKETIME: "+600s", FAKETIME_DONT_FAKE_MONOTONIC: "1" });
    for (const id of ids)
        await waitUntil("ON", async () => (await manager.server(id)).actual_status === "ON");
    for (const [nth, options] of [
        { viewport: PC, locale: "en-GB" },
        { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" },
    ].entries()) {
        const page = await openPage(browser, manager, { ...options, cookie: cookies[nth] });
        const two = ids.slice(2 * nth, 2 * nth + 2);

        // Removing what is not OFF: first, for the password holds again once it was given.
        await page.goto(`${manager.url}/servers/${two[0]}`);
        await page.locator("aside .button.bare").first().click();
        await page.locator("dialog footer .strong").click();
        await page.fill("dialog input[type=password]", "not the password");
        await page.locator("dialog footer .strong").click();
        await page.locator("dialog .fault").waitFor();
        assert.deepEqual(await faults(page), []);
        assert.equal((await manager.server(two[0])).actual_status, "ON");
        await page.locator("dialog footer .button").first().click();

        await page.locator("a[href='/']").first().click();
        for (const id of two) await page.locator(`[data-server="${id}"] input`).click();
        await page.getByRole("toolbar").getByRole("button").nth(1).click();
        const submit = page.locator("dialog footer .strong");
        await submit.click();
        await page.fill("dialog input[type=password]", "not the password");
        await submit.click();
        await page.locator("dialog .fault").waitFor();
        assert.deepEqual(await faults(page), []);
        for (const id of two) assert.equal((await manager.server(id)).power_status, "ON");
        await page.fill("dialog input[type=password]", PASSWORD);
        await submit.click();
        await page.locator("dialog .results").waitFor();
        for (const id of two) assert.equal((await manager.server(id)).power_status, "OFF");
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    }
});
