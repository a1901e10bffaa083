// Asking the manager. A change carries an Idempotency-Key, so that it can be asked again when no
// answer came: 2xx means done, no answer means unknown (HTTP 3.1).
import { randomKey } from "./platform";
import type { ProblemBody } from "./types";

export class Problem extends Error {
    constructor(
        readonly body: ProblemBody,
        readonly retryAfterSeconds: number | null = null,
    ) {
        super(body.detail);
    }

    get kind(): string {
        return this.body.type.replace("/problems/", "");
    }
}

/**
 * Which network cards the manager's machine has is not known, so any server may be that machine
 * (status model 1.4): only the sentence tells this from what is certain.
 */
export function isOnlyFeared(ownHost: ProblemBody): boolean {
    return ownHost.detail.includes(" may be the machine ");
}

/** No answer: the manager cannot be reached. */
export const UNREACHABLE = "unreachable";

interface Options {
    ifMatch?: string | null;
}

export interface Answer<Body> {
    body: Body;
    etag: string | null;
    status: number;
}

const AGAIN_AFTER_MS = [400, 1500];
/** So often a question is asked again that came while too many others were. */
const MOST_TURNED_AWAY = 5;
/**
 * Nobody waits longer for an answer (a webhook's trial takes up to 20 s). What a browser could not
 * send by then, for want of a connection, is never sent: an OFF is not to come minutes later.
 */
const ANSWER_MS = 25_000;

let onSignedOut = () => {};
let onDate = (_: number) => {};

/** Who is told that the session has ended, and what time the manager's clock shows. */
export function listen(signedOut: () => void, date: (managersTime: number) => void): void {
    onSignedOut = signedOut;
    onDate = date;
}

export function noteDate(response: Response): void {
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(date)) onDate(date + 500); // it is cut to whole seconds
}

async function problemOf(response: Response): Promise<Problem> {
    const retry = Number(response.headers.get("Retry-After")) || null;
    try {
        return new Problem((await response.json()) as ProblemBody, retry);
    } catch {
        const title = `${response.status} ${response.statusText}`;
        return new Problem({ type: "", title, status: response.status, detail: title }, retry);
    }
}

function unreachable(): Problem {
    return new Problem({
        type: `/problems/${UNREACHABLE}`,
        title: UNREACHABLE,
        status: 0,
        detail: UNREACHABLE,
    });
}

async function once<Body>(path: string, init: RequestInit): Promise<Answer<Body>> {
    let response: Response;
    try {
        response = await fetch(`/api/v1${path}`, { ...init, credentials: "same-origin" });
    } catch {
        throw unreachable();
    }
    noteDate(response);
    if (!response.ok) {
        const problem = await problemOf(response);
        if (response.status === 401 && path !== "/session") onSignedOut();
        throw problem;
    }
    try {
        const body = (await response.json()) as Body;
        return { body, etag: response.headers.get("ETag"), status: response.status };
    } catch {
        throw unreachable(); // it broke off: the outcome is not known
    }
}

export async function get<Body>(path: string): Promise<Body> {
    return (await getTagged<Body>(path)).body;
}

export async function getTagged<Body>(path: string): Promise<Answer<Body>> {
    const init: RequestInit = { method: "GET", signal: AbortSignal.timeout(ANSWER_MS) };
    for (let turnedAway = 0; turnedAway < MOST_TURNED_AWAY; turnedAway++) {
        try {
            return await once<Body>(path, init);
        } catch (problem) {
            if (!(problem instanceof Problem) || problem.kind !== "too-many") throw problem;
            await new Promise((resolve) => setTimeout(resolve, 1000 * (problem.retryAfterSeconds ?? 1)));
        }
    }
    return once<Body>(path, init);
}

export async function change<Body>(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    options: Options = {},
): Promise<Answer<Body>> {
    const headers: Record<string, string> = { "Idempotency-Key": randomKey() };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (options.ifMatch) headers["If-Match"] = options.ifMatch;
    const init: RequestInit = {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS), // all attempts together
    };
    for (const pause of AGAIN_AFTER_MS) {
        try {
            return await once<Body>(path, init);
        } catch (problem) {
            if (!(problem instanceof Problem) || problem.kind !== UNREACHABLE) throw problem;
            await new Promise((resolve) => setTimeout(resolve, pause));
        }
    }
    return once<Body>(path, init);
}

/** `?a=b` of what is not empty. */
export function query(fields: Record<string, string | number | null | undefined>): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(fields))
        if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
    const text = search.toString();
    return text ? `?${text}` : "";
}
