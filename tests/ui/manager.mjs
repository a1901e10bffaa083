// The real manager on a port of its own, a person with an API token, and machines made of plain
// requests: what every story of the dashboard begins with.
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, existsSync, openSync, unlinkSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const BIN = resolve(process.env.CPM_BIN ?? "build/dev/bin");
export const PASSWORD = "correct horse battery";

/** Asks until `condition` gives something true, and returns it. */
export async function waitUntil(what, condition, timeout = 60_000) {
    const end = Date.now() + timeout;
    for (;;) {
        const value = await condition();
        if (value) return value;
        if (Date.now() > end) throw new Error(`waited ${timeout} ms in vain: ${what}`);
        await new Promise((done) => setTimeout(done, 25));
    }
}

export class Manager {
    constructor() {
        this.folder = mkdtempSync(join(tmpdir(), "cpm-ui-"));
        this.listen = "127.0.0.1:0";
        this.connections = new Agent({ keepAlive: true });
        this.token = null;
    }

    /** `env`: what its environment has besides, as a clock that is ahead. */
    async start(env = {}) {
        const ready = join(this.folder, "ready.json");
        if (existsSync(ready)) unlinkSync(ready);
        const log = openSync(join(this.folder, "manager.log"), "a");
        this.process = spawn(
            join(BIN, "cpm-manager"),
            ["--data-dir", join(this.folder, "data"), "--http", this.listen, "--https", "off",
             "--ready-file", ready],
            {
                stdio: ["ignore", log, log],
                env: { ...process.env, CPM_SPACE_RESERVE_MIB: "16", ...env },
            },
        );
        this.ended = new Promise((done) => this.process.once("exit", done));
        await waitUntil("the manager's ready file", () => {
            if (this.process.exitCode !== null)
                throw new Error(`the manager ended: ${readFileSync(join(this.folder, "manager.log"))}`);
            return existsSync(ready);
        });
        this.ready = JSON.parse(readFileSync(ready, "utf8"));
        this.url = `http://${this.ready.http}`;
        this.listen = this.ready.http; // it comes back where it was
        return this;
    }

    async stop() {
        if (this.process?.exitCode === null) this.process.kill("SIGTERM");
        await this.ended;
    }

    async close() {
        if (this.process?.exitCode === null) this.process.kill("SIGKILL");
        await this.ended;
        this.connections.destroy();
        rmSync(this.folder, { recursive: true, force: true });
    }

    /** One request over connections that are kept: a tenth of what fetch takes. */
    async ask(method, path, body, headers = {}) {
        const text = body === undefined ? "" : JSON.stringify(body);
        const about = text
            ? { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }
            : {};
        const options = { agent: this.connections, method, headers: { ...about, ...headers } };
        return new Promise((done, failed) => {
            const asked = request(this.url + path, options, (answer) => {
                const pieces = [];
                answer.on("data", (piece) => pieces.push(piece));
                answer.on("error", failed);
                answer.on("end", () => {
                    const said = Buffer.concat(pieces).toString();
                    const { statusCode: status, headers } = answer;
                    done({ status, headers, body: said ? JSON.parse(said) : null });
                });
            });
            // The manager closed an idle connection while it was taken up again: nothing was asked.
            asked.on("error", (error) =>
                asked.reusedSocket && error.code === "ECONNRESET"
                    ? done(this.ask(method, path, body, headers))
                    : failed(error),
            );
            asked.end(text);
        });
    }

    /** A request of the administrator that must be accepted. */
    async api(method, path, body) {
        const answer = await this.ask(method, `/api/v1${path}`, body, {
            Authorization: `Bearer ${this.token}`,
        });
        if (answer.status >= 300)
            throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
        return answer.body;
    }

    /** The first administrator, and a token for the story. */
    async setUp(username = "alice") {
        const first = await this.ask("POST", "/api/v1/setup", {
            setup_code: this.ready.setup_code,
            username,
            password: PASSWORD,
        });
        this.cookie = first.headers["set-cookie"][0].split(";")[0];
        const made = await this.ask(
            "POST",
            "/api/v1/tokens",
            { name: "story", role: "admin" },
            { Cookie: this.cookie, Origin: this.url },
        );
        this.token = made.body.token;
        return this;
    }

    async addServer(name, fields = {}) {
        return (await this.api("POST", "/servers", { name, ...fields })).id;
    }

    async server(id) {
        return this.api("GET", `/servers/${id}`);
    }

    async power(id, target) {
        return this.api("PUT", `/servers/${id}/power`, { power_status: target });
    }

    /** A machine that has joined as this server. */
    async join(id, mac, hostname = "machine") {
        const made = await this.api("POST", `/servers/${id}/join-token`, {});
        return this.joinWith(made.join_token, mac, hostname);
    }

    async joinWith(joinToken, mac, hostname) {
        const joined = await this.ask("POST", "/agent/v1/join", {
            join_token: joinToken,
            hostname,
            mac_addresses: [mac],
            agent_version: "1.0.0",
            os: "Debian GNU/Linux 12",
        });
        if (joined.status !== 200) throw new Error(`not joined: ${JSON.stringify(joined.body)}`);
        return new Machine(this, joined.body.server_id, joined.body.agent_token);
    }
}

/** A machine whose agent is made of plain requests; says what it is told to say. */
export class Machine {
    constructor(manager, id, token) {
        Object.assign(this, { manager, id, token, boot: randomUUID(), report: 0, timer: null });
    }

    /** Starts anew: what it says from now on is of another boot. */
    boots() {
        return Object.assign(this, { boot: randomUUID(), report: 0 });
    }

    async say(status = "ON", fields = {}) {
        return (await this.told(status, fields))?.power_status;
    }

    /** Says it, and gives all that it is told back. */
    async told(status, fields = {}) {
        const answer = await this.manager.ask(
            "POST",
            "/agent/v1/heartbeat",
            {
                status,
                boot_id: this.boot,
                resume_count: 0,
                report: ++this.report,
                nonce: randomBytes(24).toString("base64url"),
                agent_version: "1.0.0",
                ...fields,
            },
            { Authorization: `Bearer ${this.token}` },
        );
        return answer.body;
    }

    /** Lives: reports, and obeys an OFF by saying Stopping once or more, then silence. */
    live(intervalMs = 1000, stoppingReports = 1) {
        let stopping = 0;
        const turn = async () => {
            const told = await this.say(stopping > 0 ? "Stopping" : "ON").catch(() => "ON");
            if (told === "OFF" && ++stopping > stoppingReports) this.silence();
        };
        void turn();
        this.timer = setInterval(turn, intervalMs);
        return this;
    }

    silence() {
        clearInterval(this.timer);
        this.timer = null;
    }
}
