// Whether a page keeps within its edges.

/** A line for whatever scrolls or sticks out to the side. */
export async function layoutFaults(page) {
    return page.evaluate(() => {
        const found = [];
        const wide = document.documentElement;
        if (wide.scrollWidth > wide.clientWidth) found.push("the page scrolls sideways");
        for (const one of document.querySelectorAll("body *")) {
            if (one.scrollWidth <= one.clientWidth + 1) continue;
            // The counters of a phone are the one line that is there to be pushed aside.
            const { overflowX, scrollbarWidth } = getComputedStyle(one);
            if (["auto", "scroll"].includes(overflowX) && scrollbarWidth !== "none")
                found.push(`scrolls sideways: ${one.tagName}.${one.className}`);
        }
        for (const one of document.querySelectorAll("button, input, select, h1, h2")) {
            const box = one.getBoundingClientRect();
            const isShown = box.width > 1 && box.height > 1 && one.checkVisibility();
            const isPushed = one.closest("ul") && getComputedStyle(one.closest("ul")).overflowX === "auto";
            if (isShown && !isPushed && (box.left < -1 || box.right > innerWidth + 1))
                found.push(`sticks out: ${one.tagName} ${one.textContent.slice(0, 40)}`);
        }
        // What is asked is read whole, and within its row; so is each name that is asked about.
        for (const one of document.querySelectorAll(".question p, dialog .list bdi")) {
            const [text, row] = [one, one.closest("[data-server], li, .foot, main")].map((it) => it.getBoundingClientRect());
            const isCut = one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1;
            if (isCut || text.top < row.top || text.bottom > row.bottom)
                found.push(`cut off: ${one.textContent.slice(0, 40)}`);
        }
        return found;
    });
}

/** A line for whatever a finger has to hit and is smaller than 44 px; a link within a text is not. */
export async function touchFaults(page) {
    return page.evaluate(() => {
        const found = [];
        const root = document.querySelector("dialog[open]") ?? document.body;
        for (const one of root.querySelectorAll("button, a[href], input, select, textarea, summary")) {
            if (!one.checkVisibility({ visibilityProperty: true }) || one.tabIndex < 0) continue;
            if (one.closest("p, dd, .unseen, .skip, .cut")) continue; // text; or its row is hit as well
            // What stands for a small box is its label, or all of it that is told to be.
            const target = ["checkbox", "radio"].includes(one.type) ? (one.closest("label") ?? one) : one;
            const { width, height } = target.getBoundingClientRect();
            if (width > 1 && (width < 43.5 || height < 43.5))
                found.push(`too small to touch: ${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 20)} ${width.toFixed(0)}x${height.toFixed(0)}`);
        }
        return [...new Set(found)];
    });
}
