import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Config } from "../../shared/config/config.ts";
import { isLoopback } from "../../shared/link/credentials.ts";
import { Refusal } from "./refusal.ts";
import type { RunFolder } from "./run-folder.ts";
import type { WorkerCommand, WorkerPlan } from "./worker-plan.ts";

/** Layers that somebody else starts, by number: where each listens, as ws://host:port. */
export type Foreign = ReadonlyMap<number, string>;

/** Of `--foreign`: 2=ws://host:port, one a layer. Throws a Refusal. */
export function parseForeign(given: readonly string[]): Foreign {
  return new Map(
    given.map((text) => {
      const [, layer, url] = /^([1-9]\d{0,3})=(ws:\/\/[^/\s]+:\d{1,5})\/?$/.exec(text) ?? [];
      if (url === undefined || portOf(url) === 0 || portOf(url) > 65_535)
        throw new Refusal(`Cannot leave "${text}" to someone else: expected 2=ws://host:port`);
      return [Number(layer), url];
    }),
  );
}

/** Throws a Refusal at a layer that the network does not have. */
export function refuseMissing(foreign: Foreign, { layers }: Config): void {
  const missing = [...foreign.keys()].find((layer) => layer > layers.length);
  if (missing !== undefined)
    throw new Refusal(`Cannot leave layer ${missing} to someone else: the network has ${layers.length}`);
}

/** Those of a run: as given, or else as it began. Keeps them in its folder. */
export function foreignOf({ path }: Pick<RunFolder, "path">, given: Foreign): Foreign {
  const file = join(path, "foreign.json");
  if (given.size === 0 && existsSync(file)) return parseForeign(JSON.parse(readFileSync(file, "utf8")));
  if (given.size > 0)
    writeFileSync(file, `${JSON.stringify([...given].map(([layer, url]) => `${layer}=${url}`))}\n`);
  return given;
}

/** The plans of a run in which some layers are someone else's: dialled by their predecessors, dialling their successors. */
export function withForeign(plans: readonly WorkerPlan[], foreign: Foreign): WorkerPlan[] {
  return plans.map((plan, number) => {
    const own = foreign.get(number);
    const [before, after] = [foreign.get(number - 1), foreign.get(number + 1)];
    if (own !== undefined) return foreignPlan(plan, own);
    return {
      ...plan,
      ...(after !== undefined && { successorUrl: after }),
      // The worker that dials it may be on another machine, and has the run's secret.
      ...(before !== undefined && !isLoopback(hostOf(before)) && { host: "0.0.0.0" }),
    };
  });
}

/** What to start in place of the worker, in lines to print. */
export function foreignNews(plan: WorkerPlan, url: string, command: WorkerCommand): string[] {
  const words = command({ ...plan, folder: resolve(plan.folder) });
  return [
    `layer${plan.layer} is yours to start, so that it listens at ${url}; one of ours would be`,
    `  ${words.map(quoted).join(" ")}`,
  ];
}

function foreignPlan(plan: WorkerPlan, url: string): WorkerPlan {
  const isHere = isLoopback(hostOf(url));
  const { successorPort } = plan;
  const isReached = !isHere && successorPort !== undefined;
  return {
    ...plan,
    port: portOf(url),
    ...(!isHere && { host: "0.0.0.0" }),
    ...(isReached && { successorUrl: `ws://${hostname()}:${successorPort}` }),
  };
}

function hostOf(url: string): string {
  return url.slice("ws://".length, url.lastIndexOf(":"));
}

function portOf(url: string): number {
  return Number(url.slice(url.lastIndexOf(":") + 1));
}

/** For a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
