// Who is signed in.
import { change, get, listen, Problem } from "./api";
import { clock } from "./time.svelte";
import type { Caller } from "./types";

type Phase = "looking" | "setup" | "signed-out" | "signed-in" | "unreachable";

const RANK = { viewer: 0, operator: 1, admin: 2 };

function setupCode(): string | null {
    return /^#setup=(.+)$/.exec(location.hash)?.[1] ?? null;
}

class Session {
    phase = $state<Phase>("looking");
    caller = $state.raw<Caller | null>(null);
    /** It ended by itself, while the page was open. */
    ended = $state(false);
    /** The manager answers already, but reads its log first. */
    isStarting = $state(false);
    code = $state(setupCode() ?? "");

    constructor() {
        listen(() => this.#end(), clock.correct);
    }

    get mayOperate(): boolean {
        return RANK[this.caller?.role ?? "viewer"] >= RANK.operator;
    }

    get isAdmin(): boolean {
        return this.caller?.role === "admin";
    }

    async look(): Promise<void> {
        try {
            this.#enter(await get<Caller>("/session"));
        } catch (problem) {
            const answered = problem instanceof Problem && problem.body.status === 401;
            if (answered && this.phase === "signed-in") this.#end();
            else if (!answered) {
                this.isStarting = problem instanceof Problem && problem.kind === "starting";
                this.phase = "unreachable";
            }
            else this.phase = this.code ? "setup" : "signed-out";
        }
    }

    async signIn(username: string, password: string): Promise<void> {
        this.#enter((await change<Caller>("POST", "/session", { username, password })).body);
    }

    async setUp(code: string, username: string, password: string): Promise<void> {
        const body = { setup_code: code.trim().toUpperCase(), username, password };
        this.#enter((await change<Caller>("POST", "/setup", body)).body);
        history.replaceState(null, "", location.pathname + location.search);
        this.code = "";
    }

    async signOut(): Promise<void> {
        await change("DELETE", "/session");
        this.caller = null;
        this.ended = false;
        this.phase = "signed-out";
    }

    #enter(caller: Caller): void {
        this.caller = caller;
        this.ended = false;
        this.phase = "signed-in";
    }

    #end(): void {
        if (this.phase !== "signed-in") return;
        this.caller = null;
        this.ended = true;
        this.phase = "signed-out";
    }
}

export const session = new Session();
