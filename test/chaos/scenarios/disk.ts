import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finding, ledgerFinding, seconds } from "../finding.ts";
import { violations } from "../ledger-check.ts";
import { Rig } from "../rig.ts";

/** The reason why this machine cannot do it; undefined if it can. */
export function cannotMount(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "chaos-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", folder], { stdio: "pipe" });
    execFileSync("umount", [folder]);
    return undefined;
  } catch (error) {
    return `cannot mount: ${(error as Error).message.split("\n")[1] ?? "not root"}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function cannotTrace(): string | undefined {
  try {
    execFileSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "strace does not work";
  }
}

interface DiskRun {
  readonly config: string;
  readonly set: readonly string[];
}

/**
 * Everything of a run, its logs too, on a disk of 1 MB, which somebody else fills: all layers raise the alarm and learn on;
 * one killed meanwhile starts again from what was durable, and its predecessor goes back where it keeps less than that one
 * lacks; with room again, checkpoints work again.
 */
export async function fullDisk({ config, set }: DiskRun, seed: number): Promise<Finding[]> {
  return onSmallDisk(async (runs) => {
    const rig = await Rig.open({ config, set, seed, runs });
    try {
      await rig.flows();
      const layers = rig.names.slice(1);
      const toFull = await time(() => fill(runs, () => allAlarmed(rig, layers)));
      await rig.flows();
      const first = layers.map((name) => rig.pid(name));
      const dead = rig.pid("layer2");
      rig.signal("layer2", "SIGKILL");
      await rig.until("layer2 was started again", () => rig.pid("layer2") !== dead);
      await rig.flows();
      await allAlarmed(rig, layers);
      rmSync(join(runs, "filler"));
      const toHealed = await time(() => allWell(rig, layers));
      const died = layers.filter((name, index) => rig.pid(name) !== first[index]);
      const summary = await rig.summary();
      return [
        {
          claim: "a disk of 1 MB is filled: every layer raises the alarm and learns on",
          bar: "an alarm by each, no process lost but the one that was killed",
          measured: `all within ${seconds(toFull)}; processes that ended: ${died.join(", ")}; lives before the last: ${summary.layers.map(({ restarts }) => restarts).join(", ")}`,
          met: died.length === 1 && died[0] === "layer2",
        },
        {
          claim: "the disk has room again: every layer saves again by itself",
          bar: "all of them",
          measured: `all within ${seconds(toHealed)}`,
          met: true,
        },
        ledgerFinding(violations(summary), 1),
      ];
    } finally {
      await rig.close();
    }
  });
}

/** The disk is full when the run is over: it ends when there is room for its last checkpoints, and not before. */
export async function fullAtTheEnd({ config, set }: DiskRun, seed: number): Promise<Finding[]> {
  return onSmallDisk(async (runs) => {
    const rig = await Rig.open({ config, set, seed, runs });
    try {
      await rig.flows();
      const layers = rig.names.slice(1);
      await fill(runs, () => allAlarmed(rig, layers));
      await rig.until("all was learnt", () =>
        layers.every((name) => rig.progress(name)!.batch === rig.batches - 1),
      );
      // Two more tellings of the head: it has tried its last checkpoint again by then.
      await rig.nextProgress(rig.head);
      await rig.nextProgress(rig.head);
      const waited = !rig.isOver && rig.progress(rig.head)!.alarm !== undefined;
      rmSync(join(runs, "filler"));
      const summary = await rig.summary();
      return [
        {
          claim:
            "the disk is full when the run ends: the run waits with an alarm, and ends when there is room",
          bar: "waits, then ends",
          measured: waited ? "waited, then ended" : "did not wait",
          met: waited,
        },
        ledgerFinding(violations(summary), 1),
      ];
    } finally {
      await rig.close();
    }
  });
}

/** A layer's folder becomes read-only, and writable again. */
export async function readOnly({ config, set }: DiskRun, seed: number): Promise<Finding[]> {
  return strike({ config, set }, seed, "folder read-only", (rig) => {
    const folder = join(rig.run.path, "checkpoints", "layer2");
    execFileSync("mount", ["--bind", folder, folder]);
    execFileSync("mount", ["-o", "remount,bind,ro", folder]);
    return async () => void execFileSync("umount", ["-l", folder]);
  });
}

/** Every fsync of a layer fails with EIO for a while. */
export async function failingSync({ config, set }: DiskRun, seed: number): Promise<Finding[]> {
  return strike({ config, set }, seed, "every fsync fails with EIO", (rig) => {
    const inject = ["-e", "trace=fsync", "-e", "inject=fsync:error=EIO"];
    const args = ["-f", "-qq", "-o", "/dev/null", ...inject, "-p", String(rig.pid("layer2"))];
    const tracer = spawn("strace", args, { stdio: "ignore" });
    return () => ended(tracer);
  });
}

async function strike(
  { config, set }: DiskRun,
  seed: number,
  what: string,
  begin: (rig: Rig) => () => Promise<void>,
): Promise<Finding[]> {
  const rig = await Rig.open({ config, set, seed });
  try {
    await rig.flows();
    let end = async () => {};
    const toAlarm = await time(async () => {
      end = begin(rig);
      await allAlarmed(rig, ["layer2"]);
    });
    await rig.flows();
    const toHealed = await time(async () => {
      await end();
      await allWell(rig, ["layer2"]);
    });
    const summary = await rig.summary();
    const restarts = summary.layers.map((layer) => layer.restarts);
    return [
      {
        claim: `layer 2, ${what}: it raises the alarm, learns on, and saves again by itself`,
        bar: "no life lost",
        measured: `alarm after ${seconds(toAlarm)}, saved again ${seconds(toHealed)} after the end of it; restarts ${restarts.join(", ")}`,
        met: restarts.every((count) => count === 0),
      },
      ledgerFinding(violations(summary), 1),
    ];
  } finally {
    await rig.close();
  }
}

async function onSmallDisk<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "chaos-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", folder]);
  try {
    return await work(folder);
  } finally {
    execFileSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true });
  }
}

/** Checkpoints come and go, and so does room: what there is is taken until it has had its effect. */
async function fill(folder: string, effect: () => Promise<void>): Promise<void> {
  const path = join(folder, "filler");
  const filling = setInterval(() => {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(4096), { flag: "a" });
    } catch {
      // Full.
    }
  }, 5);
  try {
    await effect();
  } finally {
    clearInterval(filling);
  }
}

async function allAlarmed(rig: Rig, names: readonly string[]): Promise<void> {
  await rig.until("all raised the alarm", () =>
    names.every((name) => rig.progress(name)?.alarm !== undefined),
  );
}

async function allWell(rig: Rig, names: readonly string[]): Promise<void> {
  await rig.until("all alarms were over", () =>
    names.every((name) => rig.progress(name)?.alarm === undefined),
  );
}

async function time(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

async function ended(child: ChildProcess): Promise<void> {
  const end = once(child, "close");
  child.kill("SIGINT");
  await end;
}
