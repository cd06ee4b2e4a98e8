import { describe, expect, it } from "vitest";
import {
  type Board,
  newBoard,
  onDeath,
  onHub,
  onStop,
  onTelemetry,
  onTick,
  remainingSeconds,
} from "../../../services/train/board.ts";
import { colours } from "../../../services/train/paint.ts";
import { render, renderLine } from "../../../services/train/render.ts";
import type { WorkerView } from "../../../shared/record/hub-api.ts";
import type { WorkerName } from "../../../shared/record/worker-name.ts";
import type { Progress, WorkerState } from "../../../shared/telemetry/telemetry.ts";

const NAMES = ["source", "layer1", "layer2"] as const;

function progress(worker: WorkerName, batch: number, more: Partial<Progress> = {}): Progress {
  const state: WorkerState = "training";
  return { kind: "progress", worker, incarnation: 1, state, batch, batches: 4690, perSecond: 98.04, ...more };
}

/** Twelve seconds into a run of 4690 batches. */
function board(): Board {
  let board = newBoard("mnist-20260301-101500", 4690, NAMES, 1000);
  for (let second = 0; second <= 12; second++) {
    for (const name of NAMES) board = onTelemetry(board, name, progress(name, 100 * second));
    board = onTick(board, 1000 + 1000 * second);
  }
  board = onTelemetry(board, "source", progress("source", 1204));
  board = onTelemetry(
    board,
    "layer1",
    progress("layer1", 1202, { state: "holding", generatorError: 0.8123, staleness: 3.21 }),
  );
  return onTelemetry(board, "layer2", progress("layer2", 1199, { loss: 0.31234 }));
}

/** Without the escapes that colour. */
function bare(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return line.replace(/\x1b\[\d+m/g, "");
}

describe("the live block", () => {
  it("has a line for each worker and the bar, and fits sixty columns whole", () => {
    expect(render(board(), 60)).toEqual([
      "worker state      batch rate/s   loss gen err stale restarts",
      "source training    1204   98.0      –       –     –        0",
      "layer1 holding     1202   98.0      –   0.812   3.2        0",
      "layer2 training    1199   98.0  0.312       –     –        0",
      "[######...................] 26 %  1200/4690  0:12, left 0:35",
    ]);
  });

  it("spreads its columns where there is room", () => {
    expect(render(board(), 80)[2]).toBe(
      "layer1  holding      1202    98.0       –    0.812    3.2         0",
    );
  });

  it("is never wider than the screen, painted or not", () => {
    for (let width = 1; width <= 120; width++) {
      for (const line of [...render(board(), width), ...render(board(), width, colours(true)).map(bare)]) {
        expect(line.length).toBeLessThanOrEqual(width);
      }
    }
  });

  it("says the same painted as unpainted, and paints", () => {
    const painted = render(board(), 70, colours(true));
    expect(painted.map(bare)).toEqual(render(board(), 70));
    expect(painted.join("")).not.toBe(render(board(), 70).join(""));
  });

  it("keeps what matters most on a narrow screen", () => {
    expect(render(board(), 40)[1]).toBe("source training    1204      –       –");
    expect(render(board(), 23)[2]).toBe("layer1 holding     1202");
  });

  it("shows who is being started again, how often, and no figures of the dead", () => {
    const [, , line] = render(onDeath(board(), "layer1", 3), 60);
    expect(line).toBe("layer1 restarting  1202      –      –       –     –        3");
  });

  it("shows figures that are no numbers as unknown", () => {
    const broken = { loss: null, generatorError: Number.NaN } as unknown as Partial<Progress>;
    const [, , , line] = render(onTelemetry(board(), "layer2", progress("layer2", 1199, broken)), 60);
    expect(line).toBe("layer2 training    1199   98.0      –       –     –        0");
  });

  it("stays in its columns when a figure explodes", () => {
    const wild = progress("layer2", 1199, { loss: 3e30, generatorError: 123456, perSecond: 12345 });
    const [header, , , line] = render(onTelemetry(board(), "layer2", wild), 60);
    expect(line).toBe("layer2 training    1199 12,345  3e+30  1.2e+5     –        0");
    expect(line).toHaveLength(header!.length);
  });
});

describe("the plain line", () => {
  it("says where the run is, and who does not train", () => {
    expect(renderLine(board())).toBe(
      "0:12  batch 1200/4690  100 batches/s  loss 0.312  left 0:35  layer1 holding",
    );
  });

  it("says that nothing is known before anybody told anything", () => {
    const line = renderLine(newBoard("mnist-1", 4690, ["source", "layer1"], 0));
    expect(line).toBe("0:00  batch –/4690  – batches/s  loss –  left –  source starting  layer1 starting");
  });
});

describe("the time that is left", () => {
  /** One layer's cursor, told once a second from second 0 on. */
  function leftAfter(...cursors: (number | undefined)[]): number | undefined {
    let board = newBoard("run", 1000, ["source", "layer1"], 0);
    for (const [second, cursor] of cursors.entries()) {
      if (cursor !== undefined) board = onTelemetry(board, "layer1", progress("layer1", cursor));
      board = onTick(board, 1000 * second);
    }
    return remainingSeconds(board);
  }

  it("is what is left at the recent rate", () => {
    expect(leftAfter(-1, 9, 19, 29)).toBeCloseTo(97);
    expect(leftAfter(-1, 9, 19, 999)).toBe(0);
  });

  it("is unknown at first, and while nothing moves", () => {
    expect(leftAfter()).toBeUndefined();
    expect(leftAfter(undefined, undefined, undefined)).toBeUndefined();
    expect(leftAfter(-1, 9)).toBeUndefined();
    expect(leftAfter(5, 5, 5, 5)).toBeUndefined();
  });

  it("forgets how fast it was long ago", () => {
    const fastThenSlow = [0, 100, 200, ...Array.from({ length: 30 }, (_, index) => 300 + index)];
    expect(leftAfter(...fastThenSlow)).toBeCloseTo((999 - 329) / 1);
  });

  it("starts afresh when a layer was restored: work redone is not progress undone", () => {
    expect(leftAfter(0, 100, 200, 300, 200)).toBeUndefined();
    expect(leftAfter(0, 100, 200, 300, 200, 250, 300)).toBeCloseTo((999 - 300) / 50);
  });

  it("does not take a restored cursor for speed", () => {
    let board = newBoard("run", 1000, ["source", "layer1"], 0);
    board = onTick(onTelemetry(board, "layer1", progress("layer1", -1, { state: "starting" })), 0);
    for (let second = 1; second <= 3; second++) {
      const told = progress("layer1", 500 + 10 * second);
      board = onTick(onTelemetry(board, "layer1", told), 1000 * second);
    }
    expect(remainingSeconds(board)).toBeCloseTo((999 - 530) / 10);
  });

  it("is the slowest layer's", () => {
    let board = newBoard("run", 1000, NAMES, 0);
    for (let second = 0; second <= 4; second++) {
      board = onTelemetry(board, "layer1", progress("layer1", 100 * second));
      board = onTelemetry(board, "layer2", progress("layer2", 10 * second));
      board = onTick(board, 1000 * second);
    }
    expect(remainingSeconds(board)).toBeCloseTo((999 - 40) / 10);
  });
});

describe("a worker that was told to stop", () => {
  const stopped = onStop(board(), "layer2");
  const foreign = (batch: number, more: Partial<WorkerView> = {}): WorkerView => ({
    ...{ name: "layer2", contact: "connected", state: "training", since: 0, incarnation: 2 },
    ...{ batch, perSecond: 97, loss: 0.5, dropped: 0, deaths: 0, heardAt: 1, ...more },
  });

  it("is said to be stopped while nobody takes its place", () => {
    const said = renderLine(onHub(stopped, [foreign(1199, { contact: "gone", why: "stopped" })]));
    expect(said).toMatch(/layer2 stopped$/);
  });

  it("is training again while somebody started by hand is it, and the run gets on", () => {
    let now = onHub(stopped, [foreign(1300)]);
    for (const [name, batch] of [
      ["source", 1310],
      ["layer1", 1305],
    ] as const) {
      now = onTelemetry(now, name, progress(name, batch));
    }
    now = onTick(onHub(now, [foreign(1302)]), 14_000);
    expect(renderLine(now)).toMatch(/^0:13 {2}batch 1303\/4690 .* left 0:\d\d$/);
    expect(bare(render(now, 60)[3]!)).toMatch(/^layer2 training +1302 +97\.0/);
  });

  it("control: of one of ours the hub is not asked", () => {
    expect(onHub(board(), [foreign(9)])).toEqual(board());
  });
});
