// Whether the palette (Ctrl-K) or the list of keys (?) is open.
class Palette {
    isOpen = $state(false);
    isHelpOpen = $state(false);

    open(): void {
        this.isOpen = true;
    }
}

export const palette = new Palette();
