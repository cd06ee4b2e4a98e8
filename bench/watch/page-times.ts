import type { Browser, Page } from "playwright-core";
import { hasBrowser, openBrowser, openPage } from "../../test/support/page/browser.ts";
import { dashboardOf } from "../../test/support/page/dashboard.ts";
import { Experiment, type LogLine } from "../../test/support/processes/experiment.ts";
import type { Asked } from "../harness/bench.ts";
import { sleep } from "../harness/bench-run.ts";
import { renderSpread } from "../harness/render.ts";
import type { Bar, Table } from "../harness/report.ts";
import { spreadOf } from "../harness/statistics.ts";

const CONFIG = "configs/mnist.yaml";
const ENDLESS = ["run.epochs=400"];
const LOOK_MS = 20;
const CALM_MS = 1_000;

interface Seen {
  readonly at: number;
  readonly state: string;
}

/** What a person sees and when, in headless Chromium; undefined where there is none. Seconds. */
export async function measurePage({ isQuick, say }: Asked): Promise<Table | undefined> {
  if (!hasBrowser) return undefined;
  const browser = await openBrowser();
  const times = { first: [] as number[], up: [] as number[], down: [] as number[], back: [] as number[] };
  try {
    const starts = isQuick ? 2 : 4;
    for (let n = 0; n < starts; n++) {
      const isLast = n === starts - 1;
      const found = await watchRun(browser, isLast ? (isQuick ? 2 : 5) : 0);
      times[n === 0 ? "first" : "up"].push(found.up);
      times.down.push(...found.down);
      times.back.push(...found.back);
      say(`page with a moving curve after ${found.up.toFixed(2)} s`);
    }
  } finally {
    await browser.close();
  }
  return tableOf(times);
}

function tableOf(times: Readonly<Record<"first" | "up" | "down" | "back", readonly number[]>>): Table {
  const rows: readonly (readonly [string, readonly number[], number])[] = [
    ["from npm start to the page with a curve that moves", times.up, 10],
    ["from kill -9 of layer 2 to its room not at work", times.down, 3],
    ["from its first update to its room at work", times.back, 3],
  ];
  return {
    title: "What the page shows, and how soon (all other processes of the run beside it)",
    columns: ["", "times", "median (least–most)"],
    rows: [["the first start, which bundles what has changed", times.first] as const, ...rows].map(
      ([name, values]) => [name, values.length, renderSpread(spreadOf(values), " s")],
    ),
    bars: rows.map(
      ([name, values, most]): Bar => ({
        of: `${name}, the longest`,
        measured: Math.max(...values),
        unit: " s",
        most,
      }),
    ),
  };
}

async function watchRun(browser: Browser, kills: number) {
  const startedAt = Date.now();
  const run = new Experiment(CONFIG, { set: ENDLESS, options: ["--dashboard-port", "0"], byNpm: true });
  try {
    const { page } = await openPage(browser, await dashboardOf(run));
    await curveMoves(page);
    const up = (Date.now() - startedAt) / 1000;
    const down: number[] = [];
    const back: number[] = [];
    if (kills > 0) {
      await run.until("layer2", ({ msg }) => msg === "checkpoint");
      await page.evaluate(NOTE_STATES);
    }
    for (let n = 0; n < kills; n++) {
      const times = await kill(run, page);
      down.push(times.down);
      back.push(times.back);
    }
    await page.context().close();
    return { up, down, back };
  } finally {
    await run.close();
  }
}

/** The loss that the chart says last has been one, and is another. */
async function curveMoves(page: Page): Promise<void> {
  const chart = page.locator('[data-testid="chart"][data-chart="loss"] [role="img"]');
  let first: string | null = null;
  for (;;) {
    const now = await chart.getAttribute("aria-label");
    if (now !== null && /training [\d.]/.test(now)) {
      if (first !== null && now !== first) return;
      first ??= now;
    }
    await sleep(LOOK_MS);
  }
}

/** In the page: every state that the room of layer 2 shows from now on, with the time when it came. */
const NOTE_STATES = `{
  globalThis.seen = [];
  const note = () => {
    const room = document.querySelector('[data-testid="room"][data-worker="layer2"]');
    const state = room?.getAttribute("data-state") ?? "";
    if (state !== seen.at(-1)?.state) seen.push({ at: Date.now(), state });
  };
  note();
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
}`;

async function kill(run: Experiment, page: Page): Promise<{ readonly down: number; readonly back: number }> {
  while ((await seenOn(page)).at(-1)?.state !== "training") await sleep(LOOK_MS);
  // So that no two deaths come in one breath.
  await sleep(CALM_MS);
  const life = run.log("layer2").findLast(({ msg }) => msg === "started")!.incarnation!;
  const killedAt = Date.now();
  process.kill(run.pid("layer2"), "SIGKILL");
  const down = await shows(page, killedAt, (state) => state !== "training");
  const isNext = ({ msg, incarnation }: LogLine) => msg === "training" && incarnation! > life;
  const trainedAt = Date.parse((await run.until("layer2", isNext)).time);
  const back = await shows(page, down.at, (state) => state === "training");
  return { down: (down.at - killedAt) / 1000, back: (back.at - trainedAt) / 1000 };
}

/** The first such state from then on. */
async function shows(page: Page, from: number, isWanted: (state: string) => boolean): Promise<Seen> {
  for (;;) {
    const found = (await seenOn(page)).find(({ at, state }) => at >= from && isWanted(state));
    if (found) return found;
    await sleep(LOOK_MS);
  }
}

function seenOn(page: Page): Promise<Seen[]> {
  return page.evaluate("seen");
}
