import { readFileSync } from "node:fs";
import { type Finding, seconds } from "../finding.ts";
import { Rig } from "../rig.ts";

const SAMPLE_MS = 250;
const MEBI = 1024 * 1024;
const STOPPED_BYTES = 32 * MEBI;
const GROWTH = 1.1;

interface MemoryRun {
  readonly config: string;
  /** Longer than it is looked at: the run is ended when it was. */
  readonly set: readonly string[];
}

/** A layer is stopped under full load: what that costs its predecessor. */
export async function stoppedConsumer(
  { config, set, forMs }: MemoryRun & { readonly forMs: number },
  seed: number,
): Promise<Finding[]> {
  const rig = await Rig.open({ config, set, seed });
  try {
    for (let warm = 0; warm < 6; warm++) await rig.flows();
    const before = residentBytes(rig.pid("layer1"));
    rig.signal("layer2", "SIGSTOP");
    const most = Math.max(...(await sample(forMs, () => residentBytes(rig.pid("layer1")))));
    rig.signal("layer2", "SIGCONT");
    await rig.flows();
    return [
      {
        claim: `a layer stopped for ${seconds(forMs)} under full load: growth of its predecessor's memory`,
        bar: "at most 32 MiB",
        measured: `${((most - before) / MEBI).toFixed(1)} MiB over ${(before / MEBI).toFixed(0)} MiB`,
        met: most - before <= STOPPED_BYTES,
      },
    ];
  } finally {
    await rig.close();
  }
}

/**
 * Full load: how much every worker grows from the second quarter of the time to the last one. Garbage comes and goes in waves
 * of tens of megabytes, so the lowest of each quarter is taken: what is kept for ever lifts that too.
 */
export async function fullLoad(
  { config, set, forMs }: MemoryRun & { readonly forMs: number },
  seed: number,
): Promise<Finding[]> {
  const rig = await Rig.open({ config, set, seed });
  try {
    await rig.flows();
    const sizes = await sample(forMs, () => rig.names.map((name) => residentBytes(rig.pid(name))));
    const growth = rig.names.map((_, index) => {
      const own = sizes.map((all) => all[index]!);
      const quarter = own.length >> 2;
      return Math.min(...own.slice(-quarter)) / Math.min(...own.slice(quarter, 2 * quarter));
    });
    const worst = Math.max(...growth);
    const learnt = rig.progress(rig.head)!.batch;
    return [
      {
        claim: `full load for ${seconds(forMs)}: resident memory of every worker, lowest of the last quarter over lowest of the second`,
        bar: "at most 1.10 times",
        measured: `${growth.map((each) => each.toFixed(3)).join(", ")} times (${learnt} batches)`,
        met: worst <= GROWTH,
      },
    ];
  } finally {
    await rig.close();
  }
}

async function sample<Value>(forMs: number, look: () => Value): Promise<Value[]> {
  const values: Value[] = [];
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    values.push(look());
  }
  return values;
}

function residentBytes(pid: number): number {
  const [, kibi] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(kibi) * 1024;
}
