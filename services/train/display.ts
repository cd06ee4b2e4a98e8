import type { Board } from "./board.ts";
import type { Paint } from "./paint.ts";
import { render, renderLine } from "./render.ts";

/** Where a run is shown. */
export interface Display {
  /** Now and then, with what is known now. */
  readonly show: (board: Board) => void;
  /** Something happened: one line that stays. */
  readonly say: (line: string) => void;
  /** Leaves the screen as a program should. May be called twice. */
  readonly close: () => void;
}

/** What a display needs of standard output. */
export interface Screen {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly write: (text: string) => unknown;
}

const LINE_EVERY_MS = 5_000;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const ERASE_BELOW = "\x1b[J";

/** Redraws a block at the bottom of what was said. */
export function liveDisplay(screen: Screen, paint: Paint): Display {
  let drawn: readonly string[] = [];
  let isOpen = true;
  const erase = () => (drawn.length > 0 ? `\x1b[${drawn.length}A\r${ERASE_BELOW}` : "");
  const below = () => drawn.map((line) => `${line}\n`).join("");
  return {
    show: (board) => {
      const lines = tall(render(board, screen.columns ?? 80, paint), screen.rows ?? 24);
      const text = `${HIDE_CURSOR}${erase()}${lines.map((line) => `${line}\n`).join("")}`;
      drawn = lines;
      if (isOpen) screen.write(text);
    },
    say: (line) => screen.write(`${erase()}${line}\n${below()}`),
    close: () => {
      if (isOpen) screen.write(SHOW_CURSOR);
      isOpen = false;
      // What is said from here on comes below the last block.
      drawn = [];
    },
  };
}

// A block taller than the screen could not be erased: the cursor stops at the top. The bar stays.
function tall(lines: readonly string[], rows: number): readonly string[] {
  const room = Math.max(2, rows - 1);
  return lines.length <= room ? lines : [...lines.slice(0, room - 1), lines.at(-1)!];
}

/** One plain line every five seconds. */
export function plainDisplay(screen: Screen): Display {
  let shownMs: number | undefined;
  return {
    show: (board) => {
      shownMs ??= board.startedMs;
      if (board.nowMs - shownMs < LINE_EVERY_MS) return;
      shownMs = board.nowMs;
      screen.write(`${renderLine(board)}\n`);
    },
    say: (line) => screen.write(`${line}\n`),
    close: () => undefined,
  };
}

/** Says nothing of the way. */
export const silentDisplay: Display = {
  show: () => undefined,
  say: () => undefined,
  close: () => undefined,
};
