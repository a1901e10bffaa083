// Settings: this device's language and colours, kept by it; what holds for all servers, with faults at
// their fields; signing out.
import assert from "node:assert/strict";
import test from "node:test";

import { inEveryLook, openBrowser, openPage, tap } from "./browser.mjs";
import { Manager, PASSWORD, waitUntil } from "./manager.mjs";

const browser = await openBrowser();
const manager = await (await new Manager().start()).setUp();
test.after(async () => {
    await browser.close();
    await manager.close();
});

/** A setting of its own for each story. */
const SETTINGS = ["missed_heartbeats", "confirm_above", "wake_stagger_ms", "heartbeat_retention_days"];

inEveryLook("settings: language, colours, one changed with its fault, signing out (5)", async (t, options) => {
    const key = SETTINGS.pop();
    const name = `person-${key.slice(0, 7)}`;
    await manager.api("POST", "/users", { name, role: "admin", password: PASSWORD });
    const page = await openPage(browser, manager, { ...options, cookie: null });
    await page.goto(`${manager.url}/settings`);
    await page.fill('input[autocomplete="username"]', name);
    await page.fill('input[type="password"]', PASSWORD);
    await page.click("form .button.strong");

    const isJapanese = options.locale === "ja-JP";
    const language = (lang) => page.locator(`button[lang=${lang}]`);
    const title = page.locator("h1");
    await title.filter({ hasText: isJapanese ? "設定" : "Settings" }).waitFor();
    await tap(language(isJapanese ? "en" : "ja"));
    await title.filter({ hasText: isJapanese ? "Settings" : "設定" }).waitFor();
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const before = await ground();
    const isDark = options.colorScheme === "dark";
    const themes = page.locator("dl [role=group]").nth(1).locator("button");
    await tap(themes.nth(isDark ? 1 : 2));
    assert.notEqual(await ground(), before, "the other colours");
    const after = await ground();
    await page.reload();
    await title.filter({ hasText: isJapanese ? "Settings" : "設定" }).waitFor();
    assert.equal(await ground(), after, "both are kept");
    await tap(language(isJapanese ? "ja" : "en"));
    await tap(themes.first());
    assert.equal(await ground(), before);

    const value = async () => (await manager.api("GET", "/settings"))[key];
    const was = await value();
    const field = page.locator(`[data-setting=${key}] input`);
    const save = page.locator("form .button.strong");
    assert.equal(await save.isDisabled(), true, "nothing is changed yet");
    await field.fill("-3");
    await save.click();
    await page.locator(`[data-setting=${key}] input[aria-invalid]`).waitFor();
    assert.equal(await value(), was, "a fault changes nothing");
    await field.fill(String(was + 1));
    await save.click();
    await waitUntil("kept", async () => (await value()) === was + 1);
    await waitUntil("nothing is left to be saved", () => save.isDisabled());
    await field.fill("17");
    await page.locator("form .save .bare").click();
    assert.equal(await field.inputValue(), String(was + 1), "undone");

    await page.locator("dd .button", { hasText: isJapanese ? "サインアウト" : "Sign out" }).click();
    await page.locator('input[autocomplete="username"]').waitFor();
    const cookies = await page.context().cookies();
    assert.deepEqual(cookies.map((one) => one.value).filter(Boolean), []);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});
