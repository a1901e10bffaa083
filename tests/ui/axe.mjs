// What axe finds in a page as it stands (WCAG 2.2 AA, and what is good practice besides).
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const UI = fileURLToPath(new URL("../../ui/package.json", import.meta.url));
const AXE = readFileSync(createRequire(UI).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What depends on the colours. */
export const COLOURS = ["color-contrast", "link-in-text-block"];

/** A line for each violation of these rules; none is as it should be. */
export async function faults(page, rules = TAGS) {
    if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
    const found = await page.evaluate(
        (runOnly) => window.axe.run({ runOnly, resultTypes: ["violations"] }),
        rules,
    );
    return found.violations.map(
        (one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 4).join(" | ")}`,
    );
}
