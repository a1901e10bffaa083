// A name of any length, for a sentence that has to be read whole.

const LONGEST = 48;
const HEAD = 24;
const TAIL = 14;

function widthOf(letter: string): number {
    return letter >= "\u2e80" ? 2 : 1;
}

/** How wide it is, in letters of the Latin kind: one of Chinese or Japanese is as wide as two. */
export function breadth(name: string): number {
    return [...name].reduce((sum, letter) => sum + widthOf(letter), 0);
}

/** As many letters as have room, from the first on. */
function fitting(letters: string[], room: number): string[] {
    let used = 0;
    const end = letters.findIndex((letter) => (used += widthOf(letter)) > room);
    return end < 0 ? letters : letters.slice(0, end);
}

/** Of a very long name the middle is left out: what begins alike is told apart by its end. */
export function brief(name: string): string {
    if (breadth(name) <= LONGEST) return name;
    const letters = [...name];
    const tail = fitting([...letters].reverse(), TAIL).reverse();
    return `${fitting(letters, HEAD).join("")}…${tail.join("")}`;
}
