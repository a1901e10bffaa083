// The two languages, and the one that is spoken.
import { en } from "./en";
import { ja } from "./ja";
import type { Words } from "./shape";

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
