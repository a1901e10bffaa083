// Time for people. The manager's clock counts: the browser's may be wrong by hours.
import { i18n } from "../i18n/words.svelte";

class Clock {
    /** The manager's time, in ms; moves once a second. */
    now = $state(Date.now());
    #offset = 0;

    constructor() {
        setInterval(() => (this.now = Date.now() + this.#offset), 1000);
    }

    /** The manager said what time it is. */
    correct = (managersTime: number): void => {
        const offset = managersTime - Date.now();
        // An answer takes its time and Date has whole seconds: only what is really off counts.
        if (Math.abs(offset - this.#offset) > 1500) this.#offset = offset;
    };
}

export const clock = new Clock();

/** The browser's own kind of the language: en-GB writes dates otherwise than en-US. */
function locale(): string {
    return navigator.languages.find((one) => one.startsWith(i18n.language)) ?? i18n.language;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const key = `${i18n.language} ${name}`;
    let found = formats.get(key);
    if (!found) {
        found = new Intl.DateTimeFormat(locale(), { hourCycle: "h23", ...options });
        formats.set(key, found);
    }
    return found;
}

/** 09:00:12 */
export function timeOfDay(at: string | number): string {
    return format("time", { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(
        new Date(at),
    );
}

/** 21 Nov, 09:00:12; the year only when it is another. */
export function moment(at: string | number): string {
    const date = new Date(at);
    const isThisYear = date.getFullYear() === new Date(clock.now).getFullYear();
    return format(isThisYear ? "moment" : "moment of a year", {
        ...(isThisYear ? {} : { year: "numeric" }),
        month: "short",
        day: "numeric",
        hour: "2-digit",
        minute: "2-digit",
        second: "2-digit",
    }).format(date);
}

/** 09:00:12, with the day unless it is today. */
export function when(at: string | number): string {
    const isToday = new Date(at).toDateString() === new Date(clock.now).toDateString();
    return isToday ? timeOfDay(at) : moment(at);
}

/** How long ago: two units at most, the smaller only where it still tells something. */
export function ago(at: string | number): string {
    return lasting(Math.max(0, (clock.now - new Date(at).getTime()) / 1000));
}

export function lasting(seconds: number): string {
    const t = i18n.t.time;
    const s = Math.floor(seconds);
    if (s < 60) return t.seconds(s);
    if (s < 3600) return t.minutes(Math.floor(s / 60));
    if (s < 86400) {
        const minutes = Math.floor((s % 3600) / 60);
        const hours = t.hours(Math.floor(s / 3600));
        return s < 36000 && minutes > 0 ? `${hours}${t.gap}${t.minutes(minutes)}` : hours;
    }
    return t.days(Math.floor(s / 86400));
}

/** 4:07, 1:02:09: what is left of something. */
export function countdown(seconds: number): string {
    const s = Math.max(0, Math.ceil(seconds));
    const two = (n: number) => String(n).padStart(2, "0");
    const [h, m] = [Math.floor(s / 3600), Math.floor((s % 3600) / 60)];
    return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

const MOMENTS = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g;

/** The manager's sentences name times in UTC; people read their own. */
export function localized(sentence: string): string {
    return sentence.replace(MOMENTS, (_, day: string, time: string) => when(`${day}T${time}Z`));
}

/** 09:00, or a day where hours would say nothing. */
export function tickLabel(at: number, range: number): string {
    if (range <= 2 * 86_400_000)
        return format("tick", { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
    return format("tick of a day", { month: "short", day: "numeric" }).format(new Date(at));
}
