// Keeps the page itself, so that an installed dashboard opens at once, and says that it is not
// connected, while the manager cannot be reached. No answer of the API is ever kept.
const KEPT = "cpm-shell-1";

self.addEventListener("install", (event) => {
    event.waitUntil(caches.open(KEPT).then((cache) => cache.add("/")).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
    event.waitUntil(self.clients.claim());
});

// The page, from the manager when it answers; what its newest version no longer names goes.
async function page(request) {
    const cache = await caches.open(KEPT);
    try {
        const answer = await fetch(request);
        if (answer.ok) await renew(cache, answer.clone());
        // While it reads its log the manager answers 503 to everything.
        return answer.status < 500 ? answer : ((await cache.match("/")) ?? answer);
    } catch (error) {
        const kept = await cache.match("/");
        if (kept) return kept;
        throw error;
    }
}

async function renew(cache, answer) {
    const text = await answer.clone().text();
    await cache.put("/", answer);
    for (const kept of await cache.keys()) {
        const path = new URL(kept.url).pathname;
        if (path.endsWith(".js") && !text.includes(path)) await cache.delete(kept);
        if (path.endsWith(".css") && !text.includes(path)) await cache.delete(kept);
    }
}

async function asset(request) {
    const cache = await caches.open(KEPT);
    const kept = await cache.match(request);
    if (kept) return kept;
    const answer = await fetch(request);
    if (answer.ok) await cache.put(request, answer.clone());
    return answer;
}

self.addEventListener("fetch", (event) => {
    const url = new URL(event.request.url);
    if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
    if (event.request.mode === "navigate") event.respondWith(page(event.request));
    else if (url.pathname.startsWith("/assets/")) event.respondWith(asset(event.request));
});
