// The two languages. English is the shape; a key that Japanese lacks does not compile.
import { en } from "./en";
import { ja } from "./ja";

type Widened<T> = {
    [K in keyof T]: T[K] extends string
        ? string
        : T[K] extends ((...given: never[]) => unknown) | undefined
          ? T[K]
          : Widened<T[K]>;
};

export type Words = Widened<typeof en>;
export type Language = "en" | "ja";

const DICTIONARIES: Record<Language, Words> = { en, ja };
const KEPT = "cpm-language";

function preferred(): Language {
    const kept = localStorage.getItem(KEPT);
    if (kept === "en" || kept === "ja") return kept;
    return navigator.languages.find((one) => /^(ja|en)\b/.test(one))?.startsWith("ja") ? "ja" : "en";
}

class I18n {
    language = $state<Language>(preferred());
    t: Words = $derived(DICTIONARIES[this.language]);

    constructor() {
        document.documentElement.lang = this.language;
    }

    speak(language: Language): void {
        localStorage.setItem(KEPT, language);
        this.language = language;
        document.documentElement.lang = language;
    }
}

export const i18n = new I18n();
