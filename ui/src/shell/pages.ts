// The places one can go to, in the order of the navigation.
import type { IconName } from "../parts/icons";

export const PAGES = [
    { path: "/", name: "servers", icon: "servers" },
    { path: "/activity", name: "activity", icon: "activity" },
    { path: "/people", name: "people", icon: "people" },
    { path: "/settings", name: "settings", icon: "settings" },
] as const satisfies readonly { path: string; name: string; icon: IconName }[];

export function isAt(page: string, path: string): boolean {
    return page === "/" ? path === "/" || path === "/add" || path.startsWith("/servers/") : path === page;
}
