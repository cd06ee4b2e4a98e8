import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { layerName, type WorkerName } from "../../shared/record/worker-name.ts";
import { argumentsOf } from "../worker/options.ts";
import { spansFile } from "./trace.ts";

const HOST = "127.0.0.1";

/** Which process of a run, and where it finds the others. */
export interface WorkerPlan {
  readonly name: WorkerName;
  /** Undefined for the source. */
  readonly layer: number | undefined;
  readonly run: string;
  /** runs/<id> */
  readonly folder: string;
  readonly port: number;
  /** Undefined for the head. */
  readonly successorPort: number | undefined;
  /** In place of that port on this machine. */
  readonly successorUrl?: string;
  /** Where it listens; default 127.0.0.1. */
  readonly host?: string;
  /** Whom it tells of itself, if anybody. */
  readonly hub?: { readonly port: number; readonly control: boolean } | undefined;
  /** Layers write down when they did what. */
  readonly isTraced?: boolean;
}

/** The program and its arguments. */
export type WorkerCommand = (plan: WorkerPlan) => readonly string[];

/** The source first, then the layers; `ports` in that order. */
export function planWorkers(
  run: string,
  folder: string,
  ports: readonly number[],
  { hub, isTraced = false }: Pick<WorkerPlan, "hub" | "isTraced"> = {},
): WorkerPlan[] {
  return ports.map((port, index) => ({
    name: index === 0 ? "source" : layerName(index),
    layer: index === 0 ? undefined : index,
    run,
    folder,
    port,
    successorPort: ports[index + 1],
    hub,
    isTraced,
  }));
}

/** Where the worker keeps what must outlive it. */
export function stateFolder(plan: { readonly folder: string; readonly name: string }): string {
  return join(plan.folder, "checkpoints", plan.name);
}

/** What the workers of a run prove themselves by, while it is being trained. */
export function secretFile({ folder }: Pick<WorkerPlan, "folder">): string {
  return join(folder, "secret");
}

/** Every worker its own Node process; found from here, whatever the working directory. */
export function nodeCommand(program: string): WorkerCommand {
  const runner = fileURLToPath(new URL("../start/run.cjs", import.meta.url));
  return (plan) => [
    program,
    runner,
    plan.layer ? "services/layer/main.ts" : "services/source/main.ts",
    ...workerArguments(plan),
  ];
}

export function workerArguments(plan: WorkerPlan): string[] {
  const { folder, run, layer, host = HOST, port, successorUrl, successorPort, hub, isTraced } = plan;
  return argumentsOf({
    config: join(folder, "config.yaml"),
    run,
    layer,
    record: layer ? undefined : folder,
    state: stateFolder(plan),
    host,
    port,
    successor: successorUrl ?? (successorPort ? `ws://${HOST}:${successorPort}` : undefined),
    secretFile: secretFile(plan),
    hub: hub && `ws://${HOST}:${hub.port}`,
    control: hub?.control ?? false,
    trace: isTraced && layer ? spansFile(folder, plan.name) : undefined,
    logFormat: "json",
  });
}
