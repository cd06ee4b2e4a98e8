import { describe, expect, it } from "vitest";
import { newBoard, onTick } from "../../../services/train/board.ts";
import { liveDisplay, plainDisplay } from "../../../services/train/display.ts";
import { unpainted } from "../../../services/train/paint.ts";
import { workerNames } from "../../../shared/record/worker-name.ts";

/** As much of a terminal as the display uses: lines that scroll, "up", "erase below", "cursor on and off". */
class Terminal {
  readonly columns = 60;
  readonly rows: number;
  readonly lines: string[] = [""];
  hasCursor = true;
  #row = 0;

  constructor(rows = 24) {
    this.rows = rows;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal reads them
    for (const [token] of text.matchAll(/\x1b\[\??\d*[A-Za-z]|\r|\n|[^\x1b\r\n]+/g)) this.#obey(token);
  }

  #obey(token: string): void {
    if (token === "\n") this.#down();
    else if (token === "\r") return;
    else if (token === "\x1b[?25l" || token === "\x1b[?25h") this.hasCursor = token.endsWith("h");
    else if (token === "\x1b[J") this.lines.splice(this.#row, Number.POSITIVE_INFINITY, "");
    else if (token.endsWith("A")) this.#up(Number(token.slice(2, -1)));
    else if (token.startsWith("\x1b")) throw new Error(`unknown sequence ${JSON.stringify(token)}`);
    else this.lines[this.#row] += token;
  }

  #down(): void {
    this.#row += 1;
    this.lines[this.#row] ??= "";
  }

  #up(count: number): void {
    const top = Math.max(0, this.lines.length - this.rows);
    this.#row = Math.max(top, this.#row - count);
  }
}

const BOARD = newBoard("run", 1000, ["source", "layer1"], 0);

describe("a live display", () => {
  it("keeps one block below everything said, in order", () => {
    const terminal = new Terminal();
    const display = liveDisplay(terminal, unpainted);
    display.say("first");
    display.show(BOARD);
    display.show(onTick(BOARD, 200));
    display.say("second");
    display.show(onTick(BOARD, 400));
    display.say("third");
    expect(terminal.lines.map((line) => line.split(" ")[0])).toEqual([
      "first",
      "second",
      "third",
      "worker",
      "source",
      "layer1",
      expect.stringMatching(/^\[\.+\]$/),
      "",
    ]);
  });

  it("hides the cursor while it draws, and gives it back", () => {
    const terminal = new Terminal();
    const display = liveDisplay(terminal, unpainted);
    display.show(BOARD);
    expect(terminal.hasCursor).toBe(false);
    display.close();
    expect(terminal.hasCursor).toBe(true);
    display.show(BOARD);
    display.close();
    expect(terminal.hasCursor).toBe(true);
  });

  it("leaves its last block above what is said after it", () => {
    const terminal = new Terminal();
    const display = liveDisplay(terminal, unpainted);
    display.show(BOARD);
    display.close();
    display.say("the end");
    expect(terminal.lines.slice(-2)).toEqual(["the end", ""]);
    expect(terminal.lines[0]).toMatch(/^worker/);
  });

  it("leaves no trail on a screen with fewer lines than workers", () => {
    const names = workerNames({ layers: Array.from({ length: 30 }) });
    const terminal = new Terminal(10);
    const display = liveDisplay(terminal, unpainted);
    for (let at = 0; at < 5; at++) display.show(onTick(newBoard("run", 1000, names, 0), at));
    expect(terminal.lines.filter((line) => line.startsWith("worker"))).toHaveLength(1);
    expect(terminal.lines.at(-2)).toMatch(/^\[\.+\]/);
  });
});

describe("a plain display", () => {
  it("writes a line every five seconds, however often it is shown something", () => {
    const terminal = new Terminal();
    const display = plainDisplay(terminal);
    for (let at = 0; at <= 16_000; at += 200) display.show(onTick(BOARD, at));
    display.say("something happened");
    expect(terminal.lines.map((line) => line.split("  ")[0])).toEqual([
      "0:05",
      "0:10",
      "0:15",
      "something happened",
      "",
    ]);
  });
});
