// Installed on a phone or a PC: the manifest is one that a browser takes, the page opens without the
// manager and says so, goes on by itself when it is back, and keeps no answer of the API.
import assert from "node:assert/strict";
import test from "node:test";

import { openBrowser, openPage, PC, PHONE } from "./browser.mjs";
import { Manager, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
test.after(() => browser.close());

for (const [where, options] of [
    ["on a phone, in Japanese", { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" }],
    ["on a PC, in English", { viewport: PC, locale: "en-GB" }],
])
    test(`install: the manifest, the shell alone, and back again ${where} (5)`, async (t) => {
        const manager = await (await new Manager().start()).setUp();
        t.after(() => manager.close());
        await manager.addServer("a-secret-name");
        const page = await openPage(browser, manager, options);
        await page.goto(manager.url);
        await page.locator("[data-server]").waitFor();

        const devtools = await page.context().newCDPSession(page);
        const { errors, data } = await devtools.send("Page.getAppManifest");
        assert.deepEqual(errors, []);
        const manifest = JSON.parse(data);
        assert.deepEqual([manifest.display, manifest.start_url, manifest.scope], ["standalone", "/", "/"]);
        for (const { src, sizes } of manifest.icons) {
            const size = await page.evaluate(async (address) => {
                const icon = new Image();
                icon.src = address;
                await icon.decode();
                return `${icon.naturalWidth}x${icon.naturalHeight}`;
            }, src);
            if (sizes !== "any") assert.equal(size, sizes);
        }
        const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
        // This browser's windows are of nobody's profile, from which nothing can be installed.
        assert.deepEqual(installabilityErrors.map((one) => one.errorId).filter((one) => one !== "in-incognito"), []);

        await page.evaluate(() => navigator.serviceWorker.ready);
        // What the worker passes through from now on, it keeps.
        await page.reload();
        await page.locator("[data-server]").waitFor();
        const kept = () =>
            page.evaluate(async () => {
                const found = [];
                for (const name of await caches.keys())
                    for (const request of await (await caches.open(name)).keys()) {
                        const answer = await (await caches.open(name)).match(request);
                        found.push([new URL(request.url).pathname, await answer.text()]);
                    }
                return found;
            });
        await waitUntil("the shell is kept", async () => {
            const paths = (await kept()).map(([path]) => path);
            return paths.includes("/") && paths.some((path) => path.endsWith(".js")) && paths.some((path) => path.endsWith(".css"));
        });
        for (const [path, text] of await kept()) {
            assert.doesNotMatch(path, /^\/(api|agent|readyz)/, "no answer of the API is kept");
            assert.equal(text.includes("a-secret-name"), false, path);
        }

        await manager.stop();
        await page.reload();
        const title = options.locale === "ja-JP" ? "マネージャーに接続できません" : "The manager cannot be reached";
        await page.locator("h1", { hasText: title }).waitFor();
        await manager.start();
        await page.locator("[data-server]").waitFor();
        await page.locator(".lamp.live").waitFor();
        assert.deepEqual(page.complaints, []);
        await page.context().close();
    });
