import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { afterAll, expect } from "vitest";
import { CheckpointStore } from "../../shared/checkpoint/store.ts";
import { filled, sampleCheckpoint } from "./sample-checkpoint.ts";

let compiled: string | undefined;

/** The writer's program, compiled once: it is started hundreds of times, and most of each would go into reading sources. */
function program(): string {
  if (compiled !== undefined) return compiled;
  compiled = join(mkdtempSync(join(tmpdir(), "checkpoint-writer-")), "checkpoint-writer.mjs");
  const source = fileURLToPath(new URL("./checkpoint-writer.ts", import.meta.url));
  buildSync({ entryPoints: [source], outfile: compiled, bundle: true, platform: "node", format: "esm" });
  return compiled;
}

export type Place = readonly [incarnation: number, cursor: number];

afterAll(() => {
  if (compiled !== undefined) rmSync(dirname(compiled), { recursive: true });
});

/** A child that saves checkpoints in `folder`; `reports` grows, `end` resolves when no more can come. */
export async function startWriter(folder: string, floats: number, count: number) {
  const args = [program(), folder, String(floats), String(count)];
  // strace counts the calls of each thread apart; with one thread for files, its third fsync is the third of all.
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  const reports: string[] = [];
  const lines = createInterface(child.stdout);
  const end = Promise.all([once(lines, "close"), once(child, "close")]);
  const ready = once(lines, "line");
  await Promise.race([ready, end]);
  lines.on("line", (line) => reports.push(line));
  return { child, lines, reports, end, go: () => child.stdin.write("go\n") };
}

export function killNow(child: ChildProcess): void {
  child.kill("SIGKILL");
}

/** The last state the writer called durable. */
export function lastDurable(reports: readonly string[]): Place | undefined {
  const last = reports.filter((report) => report.startsWith("durable ")).at(-1);
  return last?.split(" ").slice(1).map(Number) as Place | undefined;
}

/**
 * Starts again in `folder` and claims: the newest checkpoint is whole, what it says is what it holds, it is not older
 * than `durable`, no file is damaged, none is left over. Gives its place.
 */
export async function expectNothingLost(folder: string, durable: Place | undefined, floats: number) {
  const { restored, skipped } = await new CheckpointStore(folder).loadNewest(sampleCheckpoint());
  expect(skipped).toEqual([]);
  expect(
    (await readdir(folder)).filter((name) => !/^(incarnation|checkpoint-.*\.safetensors$)/.test(name)),
  ).toEqual([]);
  if (!durable) return restored && placeOf(restored.checkpoint);
  const { checkpoint } = restored!;
  const place = placeOf(checkpoint);
  expect(place[0]).toBe(durable[0]);
  // One more may have been whole already when the kill came before its report.
  expect([durable[1], durable[1] + 10]).toContain(place[1]);
  expect(checkpoint.tensors).toEqual({ "layer.weights": filled(floats, checkpoint.cursor) });
  return place;
}

function placeOf({ incarnation, cursor }: { incarnation: number; cursor: number }): Place {
  return [incarnation, cursor];
}
