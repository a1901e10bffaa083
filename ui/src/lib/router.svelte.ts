// Where one is: the address bar is the state, so that a link shows to a colleague what one sees.

function read(): { path: string; search: URLSearchParams } {
    return { path: location.pathname, search: new URLSearchParams(location.search) };
}

class Router {
    #at = $state.raw(read());
    /** The address of the list as it was seen last. */
    list = "/";

    constructor() {
        this.#arrive();
        addEventListener("popstate", () => this.#arrive());
    }

    #arrive(): void {
        this.#at = read();
        if (this.path === "/") this.list = `/${location.search}`;
    }

    get path(): string {
        return this.#at.path;
    }

    get search(): URLSearchParams {
        return this.#at.search;
    }

    /** The id in /servers/ID, or null. */
    get serverId(): string | null {
        return /^\/servers\/([^/]+)$/.exec(this.path)?.[1] ?? null;
    }

    go(address: string, replace = false): void {
        if (address === location.pathname + location.search) return;
        history[replace ? "replaceState" : "pushState"](null, "", address);
        this.#arrive();
    }

    /** Changes some of the query, in place: a filter is no page of its own. */
    set(fields: Record<string, string | null>): void {
        const search = new URLSearchParams(location.search);
        for (const [name, value] of Object.entries(fields))
            if (value) search.set(name, value);
            else search.delete(name);
        const text = search.toString().replaceAll("%2C", ",");
        this.go(location.pathname + (text ? `?${text}` : ""), true);
    }

    /** A click on a link of ours stays in the page; one that wants a new tab gets it. */
    follow = (event: MouseEvent): void => {
        const link = (event.target as Element | null)?.closest?.("a");
        if (!link || event.defaultPrevented || event.button !== 0) return;
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        if (link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
        if (link.pathname.startsWith("/api/") || (link.hash && link.pathname === location.pathname))
            return;
        event.preventDefault();
        this.go(link.pathname + link.search);
    };
}

export const router = new Router();
