// English. The shape of this object is the shape of every language (words.svelte.ts).

const s = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** The parts of a sentence, each with what follows it. */
export function listed(parts: string[], between: string, end: string): string[] {
    return parts.map((part, index) => part + (index + 1 < parts.length ? between : end));
}

export const en = {
    productName: "Cluster power manager",
    skip: "Skip to the content",
    close: "Close",
    cancel: "Cancel",
    done: "Done",
    save: "Save",
    working: "Working…",
    copy: "Copy",
    copied: "Copied",
    copyYourself: "Press Ctrl-C",
    loading: "Loading…",
    more: "Show more",
    none: "none",
    yes: "yes",
    no: "no",
    becameStatus: (name: string, status: string) => `${name} is ${status}.`,

    status: {
        ON: "ON",
        OFF: "OFF",
        Starting: "Starting",
        StartupDelayed: "Startup delayed",
        BeforeStopping: "Before stopping",
        Stopping: "Stopping",
        ShutdownDelayed: "Shutdown delayed",
        Crashed: "Crashed",
        Unknown: "Unknown",
    },

    time: {
        seconds: (n: number) => `${n} s`,
        minutes: (n: number) => `${n} min`,
        hours: (n: number) => `${n} h`,
        days: (n: number) => `${n} d`,
        gap: " ",
        ago: (lasting: string) => `${lasting} ago`,
        since: (lasting: string) => `for ${lasting}`,
        now: "now",
    },

    pages: {
        label: "Pages",
        home: "CPM: to the servers",
        servers: "Servers",
        activity: "Activity",
        people: "People",
        settings: "Settings",
    },

    signIn: {
        title: "Sign in",
        ended: "Your session has ended. Sign in to go on where you were.",
        username: "User name",
        password: "Password",
        submit: "Sign in",
        busy: "One moment…",
        wrong: "The user name or the password is wrong.",
        firstStart: "First start of this manager?",
        toSetup: "Enter the setup code",
    },
    setup: {
        title: "Welcome. You are the first administrator.",
        text: "Choose a name and a password; then add your first server.",
        code: "Setup code",
        codeHint: "The manager printed it when it started: in its terminal or its journal.",
        codeWrong: "This is not the setup code. The newest one is in the manager's terminal or journal.",
        passwordHint: (least: number) => `At least ${least} characters. A few words in a row are good.`,
        passwordShort: (least: number) => `Must be at least ${least} characters long.`,
        alreadyDone: "This manager is set up already: sign in.",
        submit: "Start",
        toSignIn: "Sign in instead",
    },

    connection: {
        state: { connecting: "Connecting", live: "Live", lost: "Not connected" },
        lost: (at: string) => `Not connected. What you see is as it was at ${at}. Trying again…`,
        again: "Connected again. All is up to date.",
        unreachableTitle: "The manager cannot be reached",
        unreachableText:
            "This page is on your device; the manager is not answering. It opens by itself as soon as it does.",
        tryNow: "Try now",
    },

    headline: {
        attention: (n: number) =>
            n === 0 ? "Nothing needs you." : n === 1 ? "1 server needs you." : `${n} servers need you.`,
        rest: (on: number, off: number, moving: number) =>
            listed([`${on} on`, `${off} off`, ...(moving > 0 ? [`${moving} changing`] : [])], ",", "."),
    },

    list: {
        loading: "Looking at the servers…",
        firstTitle: "Let us add your first server.",
        emptyTitle: "No servers yet",
        emptyText:
            "A server is a machine whose power CPM looks after. Add one, and paste one line on it: it turns ON here by itself.",
        nothingTitle: "No server fits",
        nothingText: "The search and the filters together leave none.",
        showAll: "Show all servers",
        byStatus: "By status",
        all: "All",
        search: "Search name, tag, address…",
        tag: "Tag",
        anyTag: "Any tag",
        sort: "Order",
        sorts: {
            name: "By name",
            "-name": "By name, reversed",
            status: "By status",
            "-changed_at": "Changed last",
            changed_at: "Longest unchanged",
            "-last_heartbeat_at": "Heard last",
        },
        add: "Add server",
        chooseAll: (n: number) => `Select all ${n}`,
        choose: (name: string) => `Select ${name}`,
        columns: {
            name: "Server",
            status: "Status",
            power: "Set to",
            heartbeat: "Last heartbeat",
            control: "Power",
        },
        protected: "Protected",
        never: "never",
        waitsForAgent: "waits for its agent",
    },

    power: {
        status: { ON: "ON", OFF: "OFF" },
        verb: {
            on: "Turn on",
            wakeAgain: "Wake again",
            off: "Turn off",
            offAgain: "Ask again",
            record: "Set OFF",
        },
        verbOf: {
            on: (name: string) => `Turn on ${name}`,
            wakeAgain: (name: string) => `Wake ${name} again`,
            off: (name: string) => `Turn off ${name}`,
            offAgain: (name: string) => `Ask ${name} again to turn off`,
            record: (name: string) => `Record that ${name} is off`,
        },
        question: {
            on: (name: string) => `Turn on ${name}?`,
            wakeAgain: (name: string) => `Wake ${name} again?`,
            off: (name: string) => `Turn off ${name}?`,
            offAgain: (name: string) => `Ask ${name} again to turn off?`,
            record: (name: string) => `Record that ${name} is off? Nothing is switched.`,
        },
        confirm: {
            on: "Turn on",
            wakeAgain: "Wake",
            off: "Turn off",
            offAgain: "Ask again",
            record: "Record OFF",
        },
        keep: "Leave it",
        readOnly: "You may look, not switch.",
        standby: "standby",
        standbyShort: "A power change is under way.",
        standbyWhy: (left: string) =>
            `A power change is under way. The next one can be asked for in ${left}, when the standby time is over.`,
        asked: (name: string, isOn: boolean) => `${name}: asked to turn ${isOn ? "on" : "off"}.`,
        unchanged: (name: string) => `${name} is already so.`,
        packetSent: (name: string) => `One more wake packet was sent to ${name}.`,
        sendPacket: "Send one more wake packet",
        protectedTitle: (name: string) => `${name} is protected`,
        protectedText:
            "Somebody marked it so that it is not switched off by a slip. To switch it off all the same, type its name.",
        typeName: (name: string) => `Type ${name}`,
        ownHostTitle: "The manager runs on this server",
        ownHostText: (name: string) =>
            `Turning off ${name} turns off CPM itself. Until it is on again nothing is managed, and nothing else is switched off.`,
    },

    join: {
        short: "Join its agent",
    },

    bulk: {
        label: "For the selected servers",
        chosen: (n: number) => `${n} selected`,
        clear: "Clear the selection",
        title: {
            ON: (n: number) => `Turn on ${s(n, "server")}?`,
            OFF: (n: number) => `Turn off ${s(n, "server")}?`,
        },
        verb: {
            ON: (n: number) => `Turn on ${s(n, "server")}`,
            OFF: (n: number) => `Turn off ${s(n, "server")}`,
        },
        silent: (n: number) =>
            n === 1
                ? "One of them is silent: for it, it is only recorded that it is off; nothing is switched."
                : `${n} of them are silent: for those it is only recorded that they are off; nothing is switched.`,
        leftOut: (n: number) => `Left out: ${n}`,
        because: {
            standby: "standby time is open",
            holds: "already so",
            protected: "protected: one by one only",
        },
        password: "Your password",
        passwordHint: "So many at once are confirmed by the password, unless it was given in the last five minutes.",
        outcome: (fine: number, refused: number) =>
            refused === 0 ? `Asked ${s(fine, "server")}` : `Asked ${s(fine, "server")}, ${refused} refused`,
        accepted: "asked",
        unchanged: "already so",
    },

    notifications: {
        title: "Notifications",
        more: (n: number) => `${n} more`,
        fewer: "Fewer",
        andOthers: (n: number) => `and ${n} others`,
        many: (n: number, kind: string) =>
            ({
                crashed: `${n} servers have crashed.`,
                unknown: `${n} servers are Unknown.`,
                startup_delayed: `${n} servers are late to start.`,
                shutdown_delayed: `${n} servers are late to shut down.`,
                adopted: `${n} servers were turned on by hand.`,
                withdrawn: `${n} power requests were withdrawn.`,
                set_aside: `${n} agents were set aside.`,
            })[kind] ?? `${n} servers: ${kind}.`,
        actions: {
            set_off: "Set OFF",
            wake_again: "Wake again",
            reinstate: "Reinstate",
            dismiss: "Dismiss",
        },
        brief: {
            crashed: (name: string) => `${name} has crashed`,
            unknown: (name: string) => `${name} is Unknown`,
            startup_delayed: (name: string) => `${name} is late to start`,
            shutdown_delayed: (name: string) => `${name} is late to shut down`,
            adopted: (name: string) => `${name} was turned on by hand`,
            withdrawn: (name: string) => `A request for ${name} was withdrawn`,
            set_aside: (name: string) => `Two machines report as ${name}`,
            rolled_back: (_: string) => "The event log was rolled back",
            silence_of_many: (_: string) => "Many servers fell silent at once",
        },
        kinds: {
            crashed: (name: string) => `${name} has crashed. `,
            unknown: (name: string) => `${name} is Unknown. `,
            startup_delayed: (name: string) => `${name} is late to start. `,
            shutdown_delayed: (name: string) => `${name} is late to shut down. `,
            adopted: (name: string) => `${name} was turned on by hand.`,
            withdrawn: (name: string) => `The power request for ${name} was withdrawn.`,
            set_aside: (name: string) => `Two machines report as ${name}.`,
            rolled_back: (_: string) => "The event log was rolled back.",
            silence_of_many: (_: string) => "Many servers fell silent at once.",
        },
    },

    problems: {
        unreachable: "The manager did not answer. What became of it shows in the list.",
        byKind: {} as Record<string, ((problem: { remaining_seconds?: number }) => string) | undefined>,
    },

    reason: {
        neverReported: "It has never reported.",
        neverHeard: " It has never reported.",
        lastHeard: (at: string) => ` Last heard at ${at}.`,
        held: (by: string) => ` Held by ${by}.`,
        setAside: " Its agent was set aside.",
    },
    // Used by the languages in which the manager does not speak: open|elapsed.
    rules: {
        "ON/ON/ON": "",
        "ON/ON/Stopping": "",
        "ON/ON/None": "",
        "ON/Stopping/ON": "",
        "ON/Stopping/Stopping": "",
        "ON/Stopping/None": "",
        "ON/None/ON": "",
        "ON/None/Stopping": "",
        "ON/None/None": "",
        "OFF/ON/ON": "",
        "OFF/ON/Stopping": "",
        "OFF/ON/None": "",
        "OFF/Stopping/ON": "",
        "OFF/Stopping/Stopping": "",
        "OFF/Stopping/None": "",
        "OFF/None/ON": "",
        "OFF/None/Stopping": "",
        "OFF/None/None": "",
        S: "",
        A: "",
        B: "",
        adopted: "",
    },

    settings: {
        me: (name: string) => `Signed in as ${name}`,
        language: "Language",
        theme: "Appearance",
        themes: { system: "As the system", light: "Light", dark: "Dark" },
        signOut: "Sign out",
    },

    palette: {
        open: "Go to…",
    },
};
