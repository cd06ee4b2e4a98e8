import type { Command } from "commander";
import { figure, percent, rate } from "../../shared/record/numbers.ts";
import type { Edges } from "../train/edges.ts";
import { wholeNumber } from "./arguments.ts";
import { findRun } from "./find-run.ts";
import { untilSignal } from "./logs-command.ts";
import { type RunStatus, runStatus } from "./run-status.ts";
import { sparkline } from "./sparkline.ts";
import { statusView } from "./status-view.ts";

const LIVE_MS = 1_000;
const PLAIN_MS = 5_000;
const MOST_HISTORY = 60;
const CTRL_C = "\x03";
const [ENTER_SCREEN, LEAVE_SCREEN] = ["\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"];
const [HOME, ERASE_LINE, ERASE_BELOW] = ["\x1b[H", "\x1b[K", "\x1b[J"];

export function addTop(program: Command, edges: Edges): void {
  program
    .command("top")
    .description("watch the workers of a run, until q or Ctrl-C")
    .argument("[run]", "its id, the beginning of one, or a folder (default: the newest)")
    .option("--runs <folder>", "where the records of runs are kept", "runs")
    .option("--times <n>", "end by itself after that many looks")
    .action(async (wanted: string | undefined, { runs, times }: { runs: string; times?: string }) => {
      const left = times === undefined ? Number.POSITIVE_INFINITY : wholeNumber("--times", times);
      await top(findRun(runs, wanted), left, edges);
    });
}

async function top(folder: string, times: number, edges: Edges): Promise<void> {
  const history: Looks = { rates: [], losses: [] };
  let looks = 0;
  let end = () => {};
  const look = async () => {
    const now = edges.date().getTime();
    const stand = await runStatus(folder, now);
    remember(history, stand);
    edges.out.write(edges.isLive ? screenOf(stand, history, now, edges) : `${line(stand)}\n`);
    looks += 1;
    if (looks >= times || (stand.state !== "training" && !edges.isLive)) end();
  };
  if (edges.isLive) edges.out.write(ENTER_SCREEN);
  try {
    await look();
    if (looks >= times) return;
    await untilSignal(edges, look, edges.isLive ? LIVE_MS : PLAIN_MS, (finish) => {
      end = finish;
      return (
        edges.onKey?.((key) => {
          if (key === "q" || key === CTRL_C) finish();
        }) ?? (() => undefined)
      );
    });
  } finally {
    if (edges.isLive) edges.out.write(LEAVE_SCREEN);
  }
}

/** Of each look one figure, the oldest first. */
interface Looks {
  readonly rates: number[];
  readonly losses: number[];
}

function remember({ rates, losses }: Looks, { workers }: RunStatus): void {
  const head = workers.at(-1);
  const isNew = head?.contact === "connected";
  rates.push(isNew ? head.perSecond : 0);
  losses.push(head?.loss ?? Number.NaN);
  for (const kept of [rates, losses]) if (kept.length > MOST_HISTORY) kept.shift();
}

/** What the terminal is sent to show this, whatever it shows now. */
function screenOf(
  stand: RunStatus,
  { rates, losses }: Looks,
  now: number,
  { out }: Pick<Edges, "out">,
): string {
  const width = out.columns ?? 80;
  const head = stand.workers.at(-1);
  const lines = [
    ...statusView(stand, now).map((each) => each.slice(0, width)),
    "",
    `rate ${sparkline(rates)} ${rate(head?.perSecond)} batches/s`.slice(0, width),
    `loss ${sparkline(losses)} ${figure(head?.loss)}`.slice(0, width),
    "q to leave",
  ].slice(0, Math.max(1, (out.rows ?? 24) - 1));
  return `${HOME}${lines.map((each) => `${each}${ERASE_LINE}\n`).join("")}${ERASE_BELOW}`;
}

/** The same in one line, for where nothing can be redrawn. */
function line({ run, state, batch, batches, workers, test }: RunStatus): string {
  const head = workers.at(-1);
  const unusual = workers.filter(({ contact }) => contact === "dead" || contact === "unreachable");
  return [
    `${run} ${state}`,
    `batch ${batch + 1}/${batches}`,
    `${rate(head?.perSecond)} batches/s`,
    `loss ${figure(head?.loss)}`,
    ...(test === undefined ? [] : [`test ${percent(1 - test.error)}`]),
    ...unusual.map(({ name, contact }) => `${name} ${contact}`),
  ].join("  ");
}
