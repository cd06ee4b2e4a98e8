import { conditionOf } from "../../shared/record/condition.ts";
import { figure, percent, rate, stopwatch, UNKNOWN } from "../../shared/record/numbers.ts";
import { batchesPerSecond } from "../../shared/record/pace.ts";
import { type Board, type BoardWorker, remainingSeconds, slowestCursor } from "./board.ts";
import { type Paint, type Style, unpainted } from "./paint.ts";

/** The live block: a table with one line a worker, and the bar of the whole run. No line is wider than `width`. */
export function render(board: Board, width: number, paint: Paint = unpainted): string[] {
  const columns = fitting(columnsOf(board), width);
  const gap = " ".repeat(lineWidth(columns, 2) <= width ? 2 : 1);
  const header = columns.map((column) => pad(column.title, column));
  const rows = board.workers.map((worker) =>
    cut(
      columns.map((column) => [pad(column.value(worker), column), column.style?.(worker) ?? "plain"]),
      gap,
      width,
      paint,
    ),
  );
  return [
    cut(
      header.map((title) => [title, "dim"]),
      gap,
      width,
      paint,
    ),
    ...rows,
    bar(board, width),
  ];
}

/** The same in one line, for where lines cannot be redrawn. */
export function renderLine(board: Board): string {
  const head = board.workers.at(-1);
  const unusual = board.workers.map((worker) => `${worker.name} ${stateOf(worker)}`);
  return [
    stopwatch((board.nowMs - board.startedMs) / 1000),
    `batch ${countOf(board)}`,
    `${rate(batchesPerSecond(board.pace))} batches/s`,
    `loss ${figure(head?.loss)}`,
    `left ${stopwatch(remainingSeconds(board))}`,
    ...unusual.filter((words) => !words.endsWith(" training")),
  ].join("  ");
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly isText?: boolean;
  /** Columns go in this order when there is no room for all; those without stay. */
  readonly goes?: number;
  readonly value: (worker: BoardWorker) => string;
  readonly style?: (worker: BoardWorker) => Style;
}

function columnsOf({ workers, batches }: Board): Column[] {
  const nameWidth = Math.max(6, ...workers.map(({ name }) => name.length));
  return [
    { title: "worker", width: nameWidth, isText: true, value: ({ name }) => name },
    { title: "state", width: 10, isText: true, value: stateOf, style: styleOf },
    { title: "batch", width: Math.max(5, String(batches).length), value: cursorOf },
    { title: "rate/s", width: 6, goes: 2, value: rateOf },
    { title: "loss", width: 6, goes: 5, value: ({ loss }) => figure(loss) },
    { title: "gen err", width: 7, goes: 4, value: ({ generatorError }) => figure(generatorError) },
    { title: "stale", width: 5, goes: 1, value: ({ staleness }) => rate(staleness) },
    {
      title: "restarts",
      width: 8,
      goes: 3,
      value: ({ restarts }) => String(restarts),
      style: ({ restarts }) => (restarts > 0 ? "doubtful" : "dim"),
    },
  ];
}

function cursorOf({ batch }: BoardWorker): string {
  return batch < 0 ? UNKNOWN : String(batch);
}

/** Of ours the dead are on their way back. */
function stateOf(worker: BoardWorker): string {
  return worker.contact === "dead" ? "restarting" : conditionOf(worker).state;
}

/** A life that is gone, or has not said it yet, has none. */
function rateOf({ contact, state, perSecond }: BoardWorker): string {
  return rate(contact === "connected" && state !== "starting" ? perSecond : undefined);
}

function styleOf(worker: BoardWorker): Style {
  const { tone } = conditionOf(worker);
  if (tone === "lit" || (tone === "done" && worker.state === "finished")) return "good";
  return tone === "dark" ? "bad" : "doubtful";
}

function fitting(columns: readonly Column[], width: number): readonly Column[] {
  if (lineWidth(columns, 1) <= width) return columns;
  const goers = columns.map(({ goes }) => goes ?? Number.POSITIVE_INFINITY);
  const next = Math.min(...goers);
  if (next === Number.POSITIVE_INFINITY) return columns;
  return fitting(
    columns.filter(({ goes }) => goes !== next),
    width,
  );
}

function lineWidth(columns: readonly Column[], gap: number): number {
  return columns.reduce((sum, column) => sum + column.width, gap * (columns.length - 1));
}

function pad(text: string, { width, isText }: Column): string {
  return isText ? text.padEnd(width) : text.padStart(width);
}

// Cut before painting: half an escape sequence would colour the rest of the screen.
function cut(cells: readonly (readonly [string, Style])[], gap: string, width: number, paint: Paint): string {
  let room = width;
  let line = "";
  for (const [index, [text, style]] of cells.entries()) {
    const spaced = (index === 0 ? text : gap + text).slice(0, Math.max(0, room));
    room -= spaced.length;
    line += spaced === "" ? "" : paint(spaced, style);
  }
  return line;
}

function bar(board: Board, width: number): string {
  const fraction = fractionOf(board);
  const elapsed = stopwatch((board.nowMs - board.startedMs) / 1000);
  const words = ` ${percent(fraction, 0)}  ${countOf(board)}  ${elapsed}, left ${stopwatch(remainingSeconds(board))}`;
  const room = Math.min(40, width - words.length - 2);
  if (room < 5) return words.trimStart().slice(0, width);
  const full = Math.floor(room * fraction);
  return `[${"#".repeat(full)}${".".repeat(room - full)}]${words}`;
}

function fractionOf(board: Board): number {
  return Math.min(1, ((slowestCursor(board) ?? -1) + 1) / board.batches);
}

function countOf(board: Board): string {
  const cursor = slowestCursor(board);
  return `${cursor === undefined ? UNKNOWN : cursor + 1}/${board.batches}`;
}
