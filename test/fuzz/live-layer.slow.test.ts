import { afterEach, expect, it } from "vitest";
import { startHead, teachHead } from "../support/head-peer.ts";
import { DirectRun, type Surroundings } from "../support/processes/direct-run.ts";
import { stopUnharmed } from "../support/processes/stop-unharmed.ts";
import { residentMiB } from "../support/processes/usage.ts";
import { Attack } from "./attack.ts";
import { crowd } from "./crowd.ts";

const MUTANTS = 10_000;
const clearing: (() => unknown)[] = [];
afterEach(async () => {
  for (const clear of clearing.splice(0)) await clear();
});

function newRun(around: Surroundings = {}): DirectRun {
  const set = ["run.batches=1500", "run.evaluateEvery=750"];
  const run = new DirectRun("configs/two-rings.yaml", 3, set, "a-run", around);
  clearing.push(() => run.close());
  return run;
}

/** A heap that anything which allocates what a frame says it holds would burst. */
const SMALL_HEAP = ["--max-old-space-size=96", "services/start/run.cjs", "services/layer/main.ts"];

it(`a real layer with a small heap hangs up on ${MUTANTS} mutants and all that is hostile, from strangers and from its neighbour, and it changes nothing`, async () => {
  const run = newRun({ command: () => SMALL_HEAP });
  const heads = await Promise.all(["attacked", "control"].map((state) => startHead(run, state)));
  const [attacked, control] = [heads[0]!, heads[1]!];
  for (const { port } of heads) await teachHead(port, run, [0, 1]);
  const took: number[] = [];
  const attack = new Attack(run, { port: attacked.port, need: 2, strangers: 8 }, ({ tookMs }) =>
    took.push(tookMs),
  );
  const pid = attacked.worker.pid!;
  const resident: number[] = [];
  for (let tenth = 0; tenth < 10; tenth++) {
    await attack.mutants(MUTANTS / 10);
    resident.push(residentMiB(pid));
  }
  await attack.frames();
  await attack.webSockets();
  await attack.requests();
  took.sort((one, other) => one - other);
  console.info(
    `${took.length} connections; until the layer had hung up: median ${took[took.length >> 1]!.toFixed(1)} ms, 99.9 % ${took[Math.floor(took.length * 0.999)]!.toFixed(1)} ms, longest ${took.at(-1)!.toFixed(1)} ms; ` +
      `resident after each tenth ${resident.map(Math.round).join(", ")} MiB, ${Math.round(residentMiB(pid, "VmHWM"))} at most`,
  );
  // Garbage comes and goes by tens of MiB, so one reading says little; what stays of each connection lifts the lowest.
  // The first tenth has filled what a heap and an allocator take once and keep.
  expect(Math.min(...resident.slice(5)) - resident[0]!).toBeLessThan(64);

  for (const { port } of heads) await teachHead(port, run, [2]);
  const [ours, theirs] = [await stopUnharmed(attacked.worker), await stopUnharmed(control.worker)];
  expect(ours).toEqual(theirs);
  expect(ours.applied).toEqual([[0, 2]]);
});

it("500 connections that say nothing, or say it slowly, are cut, while a neighbour links", async () => {
  const run = newRun();
  const { port, worker } = await startHead(run, "head");
  const { lastedMs, linkedMs, leftThen } = await crowd(500, port, run);
  console.info(
    `the longest of 500 lasted ${(Math.max(...lastedMs) / 1000).toFixed(2)} s; a neighbour linked and taught in ${linkedMs.toFixed(0)} ms`,
  );
  expect(leftThen).toBeGreaterThan(0);
  // 6 s are the bar; the machine may be busy.
  expect(Math.max(...lastedMs)).toBeLessThan(12_000);
  expect((await stopUnharmed(worker)).applied).toEqual([[0, 0]]);
});
