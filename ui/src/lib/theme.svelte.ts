// Dark, light, or as the system has it.
export type Theme = "system" | "light" | "dark";

const KEPT = "cpm-theme";

function kept(): Theme {
    const theme = localStorage.getItem(KEPT);
    return theme === "light" || theme === "dark" ? theme : "system";
}

class Themes {
    theme = $state<Theme>(kept());

    constructor() {
        this.#show();
    }

    choose(theme: Theme): void {
        this.theme = theme;
        localStorage.setItem(KEPT, theme);
        this.#show();
    }

    #show(): void {
        const { dataset } = document.documentElement;
        if (this.theme === "system") delete dataset.theme;
        else dataset.theme = this.theme;
    }
}

export const themes = new Themes();
