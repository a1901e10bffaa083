// The parts of the page that need no browser: what is cut out of the stream, drawn of the past,
// grouped in the footer, offered for a status, and sent of a form.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { fileURLToPath } from "node:url";

const UI = new URL("../../ui/", import.meta.url);
const { build } = createRequire(fileURLToPath(new URL("package.json", UI)))("esbuild");

async function load(path) {
    const built = await build({
        entryPoints: [fileURLToPath(new URL(`src/${path}`, UI))],
        bundle: true,
        format: "esm",
        write: false,
        define: { "import.meta.env.PROD": "false" },
    });
    const text = Buffer.from(built.outputFiles[0].contents).toString("base64");
    return import(`data:text/javascript;base64,${text}`);
}

const { MessageReader } = await load("fleet/stream.ts");
const { stretches } = await load("server/history.ts");
const { groupNotifications } = await load("fleet/notifications.ts");
const { exclusion, isNew, verbsFor } = await load("fleet/status.ts");
const { amount } = await load("lib/amount.ts");
const { brief } = await load("lib/brief.ts");
const { changesOf, draftOf, emptyDraft, faultOf } = await load("server/edit.ts");

function server(fields) {
    return {
        name: "node1",
        power_status: "ON",
        display_status: "ON",
        heartbeat_status: { previous: "ON", current: "ON" },
        last_heartbeat_at: "2026-11-22T00:00:00.000Z",
        protected: false,
        agent: { enrolled: true },
        ...fields,
    };
}

test("stream: messages are the same however the network cuts them (HTTP 3.2)", () => {
    const text =
        'event: server\ndata: {"id":"a"}\n\nevent: server\ndata: {"id":"b"}\nid: 12\n\n:\n\n' +
        'event: seen\ndata: {"servers":[]}\n\n';
    const expected = [
        { event: "server", data: '{"id":"a"}', id: null },
        { event: "server", data: '{"id":"b"}', id: "12" },
        { event: "seen", data: '{"servers":[]}', id: null },
    ];
    for (let size = 1; size <= text.length; size++) {
        const reader = new MessageReader();
        const found = [];
        for (let at = 0; at < text.length; at += size) found.push(...reader.take(text.slice(at, at + size)));
        assert.deepEqual(found, expected, `in pieces of ${size}`);
    }
});

test("timeline: statuses fill the range, and ManuallyON is ON (5)", () => {
    const at = (ms) => new Date(ms).toISOString();
    const newestFirst = [
        { at: at(9000), to: "OFF" },
        { at: at(8000), to: "Stopping" },
        { at: at(5000), to: "ON" },
        { at: at(4000), to: "ManuallyON" },
        { at: at(1000), to: "OFF" },
    ];
    assert.deepEqual(stretches(newestFirst, 2000, 10_000), [
        { status: "OFF", from: 2000, to: 4000 },
        { status: "ON", from: 4000, to: 8000 },
        { status: "Stopping", from: 8000, to: 9000 },
        { status: "OFF", from: 9000, to: 10_000 },
    ]);
    assert.deepEqual(stretches(newestFirst.slice(4), 0, 3000), [{ status: "OFF", from: 1000, to: 3000 }]);
    assert.deepEqual(stretches([], 0, 3000), []);
});

test("footer: three of a kind are one, the gravest first, with what all of them offer (5)", () => {
    const one = (id, kind, severity, actions) => ({
        id,
        kind,
        severity,
        actions,
        server_ids: [`srv_${id}`],
        since: `2026-11-22T00:00:0${id}.000Z`,
        text: "",
    });
    const groups = groupNotifications([
        one(1, "unknown", "warning", ["set_off", "dismiss"]),
        one(2, "crashed", "error", ["set_off", "wake_again", "dismiss"]),
        one(3, "crashed", "error", ["set_off", "dismiss"]),
        one(4, "adopted", "info", ["set_off", "dismiss"]),
        one(5, "crashed", "error", ["set_off", "wake_again", "dismiss"]),
    ]);
    assert.deepEqual(
        groups.map((group) => [group.kind, group.serverIds, group.actions]),
        [
            ["crashed", ["srv_2", "srv_3", "srv_5"], ["set_off", "dismiss"]],
            ["unknown", ["srv_1"], ["set_off", "dismiss"]],
            ["adopted", ["srv_4"], ["set_off", "dismiss"]],
        ],
    );
    // It holds up everything else, and says nothing of since when.
    const back = { ...one(6, "rolled_back", "error", ["accept_rollback"]), server_ids: [], since: null };
    assert.equal(groupNotifications([one(2, "crashed", "error", []), back])[0].kind, "rolled_back");
});

test("power: what is offered follows from the status; a silent server is only recorded OFF (5)", () => {
    const silent = { previous: "ON", current: "None" };
    const offered = (fields) => verbsFor(server(fields));
    assert.deepEqual(offered({}), ["off"]);
    assert.deepEqual(offered({ display_status: "OFF", power_status: "OFF" }), ["on"]);
    assert.deepEqual(offered({ display_status: "Crashed", heartbeat_status: silent }), ["wakeAgain", "record"]);
    assert.deepEqual(offered({ display_status: "Unknown", heartbeat_status: silent }), ["on", "record"]);
    assert.deepEqual(offered({ display_status: "Unknown" }), ["off", "on"]);
    assert.deepEqual(offered({ display_status: "ShutdownDelayed", power_status: "OFF" }), ["offAgain", "on"]);
});

test("power: for many, those that would refuse are left out, each with its reason (5)", () => {
    const off = { display_status: "OFF", power_status: "OFF" };
    assert.equal(exclusion(server({}), "OFF", false), null);
    assert.equal(exclusion(server({}), "OFF", true), "standby");
    assert.equal(exclusion(server({}), "ON", false), "holds");
    assert.equal(exclusion(server(off), "OFF", false), "holds");
    assert.equal(exclusion(server({ protected: true }), "OFF", false), "protected");
    assert.equal(exclusion(server({ ...off, protected: true }), "ON", false), null);
});

test("list: who was never heard of and has no agent waits for it, nothing is wrong (5)", () => {
    const fresh = {
        display_status: "Unknown",
        power_status: "OFF",
        last_heartbeat_at: null,
        agent: { enrolled: false },
    };
    assert.equal(isNew(server(fresh)), true);
    assert.equal(isNew(server({ ...fresh, agent: { enrolled: true } })), false);
    assert.equal(isNew(server({ ...fresh, power_status: "ON" })), false);
});

test("form: only what was touched is sent, and a fault finds its field (5)", () => {
    const before = {
        ...draftOf(
            server({
                mac_addresses: ["52:54:00:00:00:01"],
                tags: ["gpu"],
                note: "",
                heartbeat_interval_seconds: 10,
                missed_heartbeats: 3,
                standby_time_seconds: 300,
                wake: { broadcast_address: "", ports: [], interface: "" },
                off_method: "poweroff",
                allow_unsigned: false,
            }),
        ),
    };
    assert.deepEqual(changesOf({ ...before }, before), {});
    assert.deepEqual(
        changesOf(
            { ...before, macs: "52:54:00:00:00:01, 52-54-00-00-00-02", tags: "gpu、 rack1,gpu", standby: "" },
            before,
        ),
        {
            mac_addresses: ["52:54:00:00:00:01", "52-54-00-00-00-02"],
            tags: ["gpu", "rack1"],
            standby_time_seconds: null,
        },
    );
    assert.deepEqual(changesOf({ ...emptyDraft(), name: " n ", ports: "7, 9" }, emptyDraft()), {
        name: "n",
        wake: { ports: [7, 9] },
    });
    const faults = { "mac_addresses[1]": "is not a MAC", "wake.ports": "too many" };
    assert.equal(faultOf(faults, "mac_addresses"), "is not a MAC");
    assert.equal(faultOf(faults, "wake.ports"), "too many");
    assert.equal(faultOf(faults, "name"), undefined);
});

test("settings: bytes are said as people say them (5)", () => {
    const said = [1, 1023, 1024, 1_048_576, 1.5 * 2 ** 30, 10_737_418_240, 2 ** 50].map(amount);
    assert.deepEqual(said, ["1 B", "1023 B", "1 KiB", "1 MiB", "1.5 GiB", "10 GiB", "1 PiB"]);
});

test("question: of a very long name the middle is left out, and no letter is cut in two (5)", () => {
    assert.equal(brief("compute-a17.gpu-cluster.research.example.ac.jp"), "compute-a17.gpu-cluster.research.example.ac.jp");
    assert.equal(brief("w".repeat(48)), "w".repeat(48));
    assert.equal(brief("rack1-" + "w".repeat(190) + "-a01"), "rack1-" + "w".repeat(18) + "…" + "w".repeat(10) + "-a01");
    assert.equal(brief("長".repeat(66)), "長".repeat(12) + "…" + "長".repeat(7));
    assert.equal(brief("😀".repeat(40)), "😀".repeat(12) + "…" + "😀".repeat(7));
});

test("tokens: every colour and size of type stands in one file (5)", () => {
    const folder = fileURLToPath(new URL("src/", UI));
    const styled = readdirSync(folder, { recursive: true }).filter((file) => /\.(svelte|css)$/.test(file));
    assert.ok(styled.length > 50, `${styled.length} files`);
    const strays = styled.filter((file) => file !== "tokens.css").flatMap((file) => {
        const style = /(?:<style>|^)((?:(?!<style>)[^])*)$/.exec(readFileSync(folder + file, "utf8"))?.[1] ?? "";
        const found = style.match(/#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch)a?\(|font(-size)?:[^;]*\d(rem|px)[^;]*;/gi) ?? [];
        return found.filter((one) => !/var\(--(t|mono)/.test(one)).map((one) => `${file}: ${one}`);
    });
    assert.deepEqual(strays, []);
});
