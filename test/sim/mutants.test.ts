import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import type { Invariant } from "./checks/invariant.ts";
import { type FreeTrace, type Mutant, noTraceMutants, type Trace } from "./no-trace-mutants.ts";
import type { Scenario } from "./scenario.ts";

const oftenSaved: Scenario = {
  layers: 1,
  batches: 40,
  window: 1,
  evaluateEvery: 20,
  checkpointEvery: 5,
  stalenessBudget: 4,
  method: "backprop",
  faultsMs: 6000,
  snapshotEvery: 3,
};

const unlocked: Scenario = {
  layers: 4,
  batches: 60,
  window: 4,
  evaluateEvery: 20,
  checkpointEvery: 5,
  stalenessBudget: 16,
  method: "cdni",
  faultsMs: 2000,
  isUnlocked: true,
};

const late: Scenario = {
  layers: 4,
  batches: 100,
  window: 8,
  evaluateEvery: 40,
  checkpointEvery: 20,
  stalenessBudget: 64,
  method: "backprop",
  late: "stashed",
  staleness: 3,
  faultsMs: 2000,
  snapshotEvery: 10,
};

const delivery = "shared/delivery/layer-delivery.ts";
const verdict = "shared/delivery/verdict.ts";
const store = "shared/checkpoint/store.ts";
const mutants: readonly Mutant[] = [
  {
    name: "no dedup: a batch already learnt is learnt again",
    file: verdict,
    guard: 'const verdict = batch > cursor ? "apply" : again(state, batch);',
    without: 'const verdict = (batch < -1 ? again(state, batch) : "apply") as Again | "apply" | "goBack";',
    violates: "exactly once",
  },
  {
    name: "no rollback: the cursor of the checkpoint, other weights",
    file: "services/layer/startup.ts",
    guard: "work.restore(checkpoint);",
    without: "",
    violates: "exactly once",
  },
  {
    name: "no window: whatever is computed is sent",
    file: "shared/delivery/successor-state.ts",
    guard: "return inFlight.length < window;",
    without: "return inFlight.length >= 0;",
    violates: "window",
  },
  {
    name: "no fence on the disk: an older life relies on what it saves after a newer one began",
    file: store,
    guard: "if (isReplacedIn(names, incarnation)) throw new Replaced(name, folder);",
    without: "",
    violates: "durable",
  },
  {
    name: "no folder sync: a checkpoint is reported whose name may be lost",
    file: store,
    guard: "await disk.syncFolder(folder);",
    without: "",
    violates: "durable",
  },
  {
    name: "no file sync: a checkpoint is reported whose bytes may be lost",
    file: "shared/checkpoint/whole-file.ts",
    guard: "await file.sync();",
    without: "",
    violates: "durable",
  },
  {
    name: "no digest: a damaged checkpoint is loaded",
    file: "shared/checkpoint/checkpoint.ts",
    guard: "checkDigest(bytes, metadata.digest);",
    without: "",
    violates: "undamaged",
  },
  {
    name: "gap ignored: what comes too early is learnt as if it were next",
    file: verdict,
    guard: 'if (batch > reached(state) + 1 || (corrected < cursor && batch > corrected + 1)) return "gap";',
    without: 'if (batch > reached(state) + 1) return "apply";',
    violates: "exactly once",
  },
  {
    name: "a layer's need forgets its successor's",
    file: "shared/delivery/delivery-state.ts",
    guard: 'return successor.phase === "linked" && !successor.isFed ? Math.min(own, successor.need) : own;',
    without: "return own;",
    violates: "ends",
  },
  {
    name: "no staleness budget: a layer goes on guessing alone",
    file: verdict,
    guard: "sinceTarget < rules.stalenessBudget && isKept",
    without: "sinceTarget < 1e9 && isKept",
    violates: "staleness budget",
  },
  {
    name: "a layer removes what the run could go back to",
    file: "shared/checkpoint/snapshot-store.ts",
    guard: "before.filter((name) => !wanted.has(name))",
    without: "before",
    violates: "snapshot",
  },
  {
    name: "a layer saves at the barrier wherever it stands",
    file: verdict,
    guard: 'if (cursor + 1 !== batch) return "shed";',
    without: "",
    violates: "snapshot",
  },
  {
    name: "a layer says that it has saved before it has",
    file: "shared/checkpoint/snapshot-store.ts",
    guard: "await writeWhole(disk, folder, file, bytes);",
    without: "void writeWhole(disk, folder, file, bytes).catch(() => undefined);",
    violates: "snapshot",
  },
  {
    name: "a source that was replaced feeds a layer that has met nobody",
    file: "services/worker/successor.ts",
    guard: "beforeHello: () => this.#events.beforeHello(),",
    without: "",
    violates: "snapshot",
    where: { scenario: oftenSaved, firstSeed: 673 },
  },
  {
    name: "late gradients are waited for whose batches come again",
    file: "shared/delivery/working.ts",
    guard: "if (isNext(state, first)) return false;",
    without: "return false;",
    violates: "ends",
    where: { scenario: late, firstSeed: 175 },
  },
  {
    name: "a correction is learnt as often as it comes",
    file: delivery,
    guard: "this.state.guessed = undefined;\n    this.state.corrected",
    without: "this.state.corrected",
    violates: "corrected",
    where: { scenario: unlocked, firstSeed: 1 },
  },
  {
    name: "a batch is shown again after its correction",
    file: delivery,
    guard: "if (isSent && this.rules.isUnlocked)",
    without: 'if (this.rules.isUnlocked && (isSent || this.state.successor.phase === "linked"))',
    violates: "window",
    where: { scenario: unlocked, firstSeed: 1 },
  },
];

const MOST_SEEDS = 150;

const copies = mkdtempSync(join(tmpdir(), "unlocked-mutants-"));
afterAll(() => rmSync(copies, { recursive: true }));

const isTrace = (violates: Mutant["violates"]): violates is Trace | FreeTrace => typeof violates === "object";
const cases = [...mutants, ...noTraceMutants].map(
  (mutant) => [mutant.name, isTrace(mutant.violates) ? "no trace" : mutant.violates, mutant] as const,
);

it.each(cases)("the simulator catches: %s (violates: %s)", { timeout: 120_000 }, async (_, __, mutant) => {
  const { violates } = mutant;
  const path = resolve(mutant.file);
  vi.resetModules();
  vi.doMock(path, () => import(mutated(mutant)));
  try {
    if (isTrace(violates)) return expect(await firstTrace(violates)).toMatch("seed");
    const { scenarioOf, simulate } = await import("./scenario.ts");
    const found = new Set<Invariant>();
    const { firstSeed = 1, scenario } = mutant.where ?? {};
    for (let seed = firstSeed; seed < firstSeed + MOST_SEEDS && !found.has(violates); seed++)
      for (const { invariant } of (await simulate(scenario ?? scenarioOf(seed), seed)).violations)
        found.add(invariant);
    expect([...found]).toContain(violates);
  } finally {
    vi.doUnmock(path);
  }
});

/** Whatever is wrong with the first of the runs that anything is wrong with. */
async function firstTrace(violates: Trace | FreeTrace): Promise<string | undefined> {
  const { freeTracesOf, tracesOf } = await import("./no-trace.ts");
  const { from = 1 } = violates;
  for (let seed = from; seed < from + MOST_SEEDS; seed++) {
    const { troubles } =
      "trace" in violates
        ? await tracesOf(seed, violates.trace, violates.scenario)
        : await freeTracesOf(seed, violates.freeTrace, violates.scenario);
    if (troubles.length > 0) return troubles[0];
  }
  return undefined;
}

/** A copy of the module without the guard, elsewhere; what it imports are the real ones. */
function mutated({ file, guard, without }: Mutant): string {
  const source = readFileSync(file, "utf8");
  expect(source.split(guard), `${file} has the guard once`).toHaveLength(2);
  const folder = resolve(dirname(file));
  const text = source
    .replace(guard, without)
    .replaceAll(/from "(\.\.?\/[^"]+)"/g, (_, path: string) => `from "${resolve(folder, path)}"`);
  const copy = join(mkdtempSync(join(copies, "mutant-")), basename(file));
  writeFileSync(copy, text);
  return copy;
}
