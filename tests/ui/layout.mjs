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
        return found;
    });
}
