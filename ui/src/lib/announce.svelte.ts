// What a screen reader says by itself: what matters, not everything that moves.

class Announcer {
    polite = $state("");
    #queue: string[] = [];
    #timer = 0;

    say(text: string): void {
        if (!this.#queue.includes(text)) this.#queue.push(text);
        // A moment is left, so that several at once become one.
        if (!this.#timer) this.#timer = window.setTimeout(() => this.#speak(), 250);
    }

    #speak(): void {
        this.#timer = 0;
        const texts = this.#queue.splice(0);
        this.polite = texts.length > 3 ? (texts.at(-1) ?? "") : texts.join(" ");
    }
}

export const announcer = new Announcer();
