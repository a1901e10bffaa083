// The event stream (HTTP 3.2), read with fetch: an EventSource cannot be resumed once it was closed,
// and says nothing of why it failed.

export interface StreamMessage {
    event: string;
    data: string;
    id: string | null;
}

/** Cuts the text of a stream into its messages, however the network cut it. */
export class MessageReader {
    #pending: string[] = [];

    /** The messages that are whole with this piece. */
    take(piece: string): StreamMessage[] {
        if (!piece.includes("\n\n") && !(piece.startsWith("\n") && this.#pending.length > 0)) {
            this.#pending.push(piece);
            return [];
        }
        const text = this.#pending.join("") + piece;
        const end = text.lastIndexOf("\n\n");
        if (end < 0) {
            this.#pending = [text];
            return [];
        }
        this.#pending = end + 2 < text.length ? [text.slice(end + 2)] : [];
        return text.slice(0, end).split("\n\n").map(read).filter((message) => message.data !== "");
    }
}

function read(block: string): StreamMessage {
    const message: StreamMessage = { event: "message", data: "", id: null };
    for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) message.event = line.slice(7);
        else if (line.startsWith("data: ")) message.data += line.slice(6);
        else if (line.startsWith("id: ")) message.id = line.slice(4);
    }
    return message;
}

export type Ending = "signed-out" | "lost" | "closed";

/** Longer than the comment that comes every 15 s: nobody is there any more. */
const SILENCE_MS = 35_000;

/** Reads one connection to its end. `heard` is called for what comes, comments too. */
export async function readStream(
    lastId: string | null,
    signal: AbortSignal,
    opened: (response: Response) => void,
    heard: (messages: StreamMessage[]) => void,
): Promise<Ending> {
    const stop = new AbortController();
    const giveUp = () => stop.abort();
    signal.addEventListener("abort", giveUp);
    // By the wall clock, so that a machine that slept sees at once how long nobody was heard.
    let heardAt = Date.now();
    const watch = setInterval(() => {
        if (Date.now() - heardAt > SILENCE_MS) giveUp();
    }, 1000);
    try {
        const headers: Record<string, string> = lastId ? { "Last-Event-ID": lastId } : {};
        const response = await fetch("/api/v1/stream", {
            headers,
            signal: stop.signal,
            cache: "no-store",
            credentials: "same-origin",
        });
        if (response.status === 401) return "signed-out";
        if (!response.ok || !response.body) return "lost";
        opened(response);
        const reader = response.body.getReader();
        const decoder = new TextDecoder();
        const messages = new MessageReader();
        for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            heardAt = Date.now();
            heard(messages.take(decoder.decode(value, { stream: true })));
        }
    } catch {
        // The network, or one of the two reasons to stop.
    } finally {
        clearInterval(watch);
        signal.removeEventListener("abort", giveUp);
    }
    return signal.aborted ? "closed" : "lost";
}
