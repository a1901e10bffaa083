// Debian's Chromium, driven by playwright-core out of ui/node_modules.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { fileURLToPath } from "node:url";

const UI = fileURLToPath(new URL("../../ui/package.json", import.meta.url));
const CHROMIUM = process.env.CPM_CHROMIUM ?? "/usr/bin/chromium";

export const PHONE = { width: 390, height: 844 };
export const PC = { width: 1440, height: 900 };

/** Any two of device, language and colours meet in one of these four: the looks of a main view. */
const LOOKS = Object.entries({
    "on a phone, in English, light": { viewport: PHONE, locale: "en-GB", colorScheme: "light" },
    "on a PC, in English, dark": { viewport: PC, locale: "en-GB", colorScheme: "dark" },
    "on a PC, in Japanese, light": { viewport: PC, locale: "ja-JP", colorScheme: "light" },
    "on a phone, in Japanese, dark": { viewport: PHONE, locale: "ja-JP", colorScheme: "dark" },
});

/**
 * A story of a main view, in each of its looks, side by side: they wait more than they compute.
 * `story` is given the test, what openPage takes, and the look in words.
 */
export function inEveryLook(name, story) {
    test(name, { concurrency: LOOKS.length }, async (t) => {
        await Promise.all(LOOKS.map(([where, options]) => t.test(where, (t) => story(t, options, where))));
    });
}

/** In a container as root there is no sandbox to be had; nothing foreign is loaded. */
export const ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"];

/** Where the browser is; where there is none, the whole suite is skipped and says why. */
export function findChromium() {
    if (existsSync(CHROMIUM)) return CHROMIUM;
    console.log("SKIP: chromium is not installed: tools/setup --tests");
    process.exit(77);
}

export async function openBrowser() {
    const executablePath = findChromium();
    const { chromium } = createRequire(UI)("playwright-core");
    return chromium.launch({ executablePath, args: ARGUMENTS });
}

/** A page as one person has it. Whatever the page complains of is kept in page.complaints. */
export async function openPage(browser, manager, options = {}) {
    const { viewport = PC, locale = "en-GB", colorScheme = "light", cookie = manager.cookie } = options;
    const context = await browser.newContext({
        viewport,
        locale,
        colorScheme,
        hasTouch: viewport.width < 600,
        timezoneId: "Asia/Tokyo",
        reducedMotion: options.motion ?? "reduce",
        deviceScaleFactor: options.scale ?? 1,
    });
    if (cookie) {
        const [name, value] = cookie.split("=");
        await context.addCookies([{ name, value, url: manager.url, httpOnly: true, sameSite: "Strict" }]);
    }
    // Twice what is usual: the machine may be busy with something else.
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    page.complaints = [];
    page.on("pageerror", (error) => page.complaints.push(`error: ${error.stack ?? error}`));
    page.on("console", (message) => {
        if (message.type() === "error" && !/Failed to load resource|ERR_/.test(message.text()))
            page.complaints.push(`console: ${message.text()}`);
    });
    // Of the service worker, too.
    context.on("request", (request) => {
        if (!request.url().startsWith(manager.url)) page.complaints.push(`foreign: ${request.url()}`);
    });
    return page;
}

/** How often a person touched or clicked since the page was opened; what a script does is no touch. */
export async function countTaps(page) {
    await page.addInitScript(() => {
        window.taps = 0;
        addEventListener("pointerdown", (event) => (window.taps += event.isTrusted ? 1 : 0), true);
    });
    return () => page.evaluate(() => window.taps);
}

/** Touches it where there is a touch screen, else clicks. */
export async function tap(what) {
    const isTouched = await what.page().evaluate(() => navigator.maxTouchPoints > 0);
    await (isTouched ? what.tap() : what.click());
}

/** Closes what is open, and goes on within the page: a new one would take longer than what is
 * looked at in it. */
export async function go(page, path) {
    const open = page.locator("dialog[open], .question, [role=toolbar]");
    for (let presses = 0; (await open.count()) > 0; presses++) {
        if (presses > 20) throw new Error(`Escape does not close it: ${await open.first().innerText()}`);
        await page.keyboard.press("Escape");
    }
    await page.evaluate((to) => {
        history.pushState(null, "", to);
        dispatchEvent(new PopStateEvent("popstate"));
    }, path);
}
