import type { ServerResponse } from "node:http";
import type { StreamEvents } from "../../shared/record/hub-api.ts";

const MOST_STREAMS = 64;
const MOST_BACKLOG_BYTES = 1024 * 1024;

/** The readers of server-sent events. A reader that does not read is cut off; the hub waits for none. */
export class Streams {
  readonly #open = new Set<ServerResponse>();
  #cut = 0;

  get size(): number {
    return this.#open.size;
  }

  /** How many were cut off so far. */
  get cut(): number {
    return this.#cut;
  }

  /** False where there are as many as there may be. */
  add(response: ServerResponse, hello: StreamEvents["hello"]): boolean {
    if (this.#open.size >= MOST_STREAMS) return false;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    this.#open.add(response);
    response.on("close", () => this.#open.delete(response));
    this.#send(response, textOf("hello", hello));
    return true;
  }

  say<Name extends keyof StreamEvents>(name: Name, data: StreamEvents[Name]): void {
    if (this.#open.size === 0) return;
    const text = textOf(name, data);
    for (const response of this.#open) this.#send(response, text);
  }

  close(): void {
    for (const response of this.#open) response.end();
  }

  #send(response: ServerResponse, text: string): void {
    // What was said before counts, not how much there is to say now: a long message is no fault of the reader's.
    if (response.writableLength <= MOST_BACKLOG_BYTES) return void response.write(text);
    this.#cut++;
    this.#open.delete(response);
    response.destroy();
  }
}

function textOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
