// What is shown is live or says that it is not: a manager that restarts or hangs, a machine that
// slept, twelve tabs at once, a session that ends.
import assert from "node:assert/strict";
import test from "node:test";

import { faults } from "./axe.mjs";
import { openBrowser, openPage } from "./browser.mjs";
import { Manager } from "./manager.mjs";
import { Window } from "./tabs.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

async function start(t) {
    const manager = await new Manager().start();
    t.after(() => manager.close());
    await manager.setUp();
    return manager;
}

test("connection: a restarted manager is told of meanwhile, and found again by itself (5)", async (t) => {
    const manager = await start(t);
    await manager.addServer("before");
    const page = await openPage(browser, manager);
    await page.goto(manager.url);
    await page.getByText("before").waitFor();

    await manager.stop();
    await page.locator(".banner").waitFor();
    assert.equal(await page.locator("html[data-stale]").count(), 1, "what is stale looks stale");
    assert.deepEqual(await faults(page), []);
    await manager.start();
    await page.locator(".lamp.live").waitFor();
    assert.equal(await page.locator(".banner").count(), 0);
    await manager.addServer("after");
    await page.getByText("after").waitFor();
    assert.deepEqual(page.complaints, []);
});

test("connection: twelve tabs are live when shown; a restart is told of in each, which recovers (5)", async (t) => {
    const manager = await start(t);
    const window = await new Window().open(manager);
    t.after(() => window.close());
    const isLive = "document.querySelector('.lamp.live') !== null";
    const says = (text) => `document.body?.innerText.includes(${JSON.stringify(text)})`;
    await manager.addServer("before");
    const tabs = [];
    // From the seventh on each waits for a hidden one, which gives its connection back.
    while (tabs.length < 12) {
        const tab = await window.openTab(manager.url);
        await tab.until("a new tab is live", isLive);
        await tab.until("it shows the server", says("before"));
        tabs.push(tab);
    }
    const hidden = await Promise.all(tabs.map((tab) => tab.read("document.hidden")));
    assert.deepEqual(hidden, [...Array(11).fill(true), false], "the browser hides all but one");
    await manager.addServer("news");
    for (const tab of tabs) {
        await tab.show();
        await tab.until("a tab that is shown is live", `${isLive} && ${says("news")}`);
    }

    await manager.stop();
    for (const tab of tabs) {
        await tab.show();
        await tab.until(
            "a tab tells that it is not up to date, and looks it",
            "document.querySelector('.banner') && document.documentElement.hasAttribute('data-stale')",
        );
        assert.equal(await tab.read(says("news")), true, "what was known stays");
    }
    await manager.start();
    await manager.addServer("after");
    for (const tab of tabs) {
        await tab.show();
        await tab.until("a tab recovers by itself", `${isLive} && ${says("after")}`);
        await tab.until("and says so no more", "!document.querySelector('.banner')");
    }
});

test("connection: who comes back to a manager that does not answer sees no old values as live (5)", async (t) => {
    const manager = await start(t);
    t.after(() => manager.process.kill("SIGCONT"));
    await manager.addServer("before");
    const window = await new Window().open(manager);
    t.after(() => window.close());
    const lamp = "document.querySelector('.lamp').className.includes('live')";
    const isStale = "document.documentElement.hasAttribute('data-stale')";
    const tab = await window.openTab(manager.url);
    await tab.until("it shows the server", `${lamp} && document.querySelector('[data-server]') !== null`);
    const other = await window.openTab("about:blank");
    await tab.until("a hidden tab has given its connection back", `!${lamp}`);
    manager.process.kill("SIGSTOP"); // it takes connections, and answers none
    await tab.show();
    assert.equal(await tab.read(lamp), false);
    await tab.until("what is old looks old", isStale, 20_000);
    manager.process.kill("SIGCONT");
    await tab.until("it recovers", `${lamp} && !${isStale}`);

    // So does who comes back to a machine that slept: its wall clock went on, its timers did not.
    await other.close();
    manager.process.kill("SIGSTOP");
    await tab.read("((now) => (Date.now = () => now() + 3_600_000))(Date.now.bind(Date))");
    await tab.until("what is old looks old", isStale, 20_000);
    manager.process.kill("SIGCONT");
    await tab.until("it recovers", `${lamp} && !${isStale}`);
});

test("connection: what was never connected has no time it is of; what lost its network is old at once (5)", async (t) => {
    const manager = await start(t);
    await manager.addServer("node1");
    const page = await openPage(browser, manager, { locale: "ja-JP" });
    await page.route("**/api/v1/stream", (route) => route.abort());
    await page.goto(manager.url);
    await page.locator(".banner").waitFor();
    assert.doesNotMatch(await page.locator(".banner").innerText(), /\d/, "there is no time it is of");
    await page.unroute("**/api/v1/stream");
    await page.locator("[data-server]").waitFor();
    assert.equal(await page.locator(".banner").count(), 0);

    // Out of reach of the network, it is told at once, not after half a minute's silence.
    await page.context().setOffline(true);
    await page.locator("html[data-stale]").waitFor({ timeout: 20_000 });
    await page.context().setOffline(false);
    await page.locator(".lamp.live").waitFor();
    assert.equal(await page.locator("html[data-stale]").count(), 0);
    assert.deepEqual(page.complaints, []);
});

test("connection: an OFF that could not be sent is given up, and never sent later (5)", async (t) => {
    const manager = await start(t);
    const id = await manager.addServer("node1", { mac_addresses: ["52:54:00:00:0b:01"] });
    const machine = (await manager.join(id, "52:54:00:00:0b:01")).live(1000, 1e9);
    t.after(() => machine.silence());
    const window = await new Window().open(manager);
    t.after(() => window.close());
    // Six that are shown side by side have all connections that a browser gives.
    const tabs = [];
    while (tabs.length < 6) {
        const tab = await window.openTab(manager.url, true);
        await tab.until("it is live", "document.querySelector('.lamp.live') !== null");
        tabs.push(tab);
    }
    const shown = await Promise.all(tabs.map((tab) => tab.read("!document.hidden")));
    if (shown.includes(false)) return t.skip("this browser hides windows that are side by side");
    const last = tabs.at(-1);
    await last.until("ON", "document.querySelector('[data-server] .hue-on') !== null");
    await last.read("document.querySelector('[data-server] .power button').click()");
    await last.until("the answer", "document.querySelector('.question .strong:enabled') !== null");
    await last.read("document.querySelector('.question .strong').click()");
    const isTold = "document.querySelector('[data-server] .trouble') !== null";
    await last.until("it is told that nothing came of it", isTold, 90_000);
    await tabs[0].close();
    // With a connection that is free again another request goes through.
    await last.until("free again", "(fetch('/api/v1/session').then(() => (window.free = true)), window.free)");
    assert.equal((await manager.server(id)).power_status, "ON");
});

test("connection: a session that ends leads to signing in, and back to the same place (5)", async (t) => {
    const manager = await start(t);
    await manager.addServer("node1", { tags: ["gpu"] });
    const page = await openPage(browser, manager);
    await page.goto(`${manager.url}/?tag=gpu`);
    await page.locator("[data-server]").waitFor();
    await manager.ask("DELETE", "/api/v1/session", undefined, { Cookie: manager.cookie, Origin: manager.url });
    await page.locator('input[autocomplete="username"]').waitFor();
    await page.fill('input[autocomplete="username"]', "alice");
    await page.fill('input[type="password"]', "correct horse battery");
    await page.click("form .button.strong");
    await page.locator("[data-server]").waitFor();
    assert.equal(new URL(page.url()).search, "?tag=gpu");
    assert.deepEqual(page.complaints, []);
});
