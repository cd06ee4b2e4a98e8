import type { Logger } from "pino";
import { LayerRunner } from "../../services/layer/layer-runner.ts";
import type { LayerEnvironment } from "../../services/layer/startup.ts";
import { SourceProcess } from "../../services/source/source-process.ts";
import type { Environment } from "../../services/worker/environment.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { followable } from "../../shared/record/order-record.ts";
import { WorkChecks } from "./checks/work-checks.ts";
import type { Machine } from "./machine.ts";
import { placeOf } from "./place.ts";
import type { ProcessLife } from "./process-life.ts";
import type { Simulation } from "./simulation.ts";
import { WitnessedWork, type WorkWatch } from "./witnessed-work.ts";
import { RECORD, RUN, STATE } from "./world/folders.ts";
import { worldOf } from "./world/simulated-world.ts";

const kernels = plainKernels();

/** Starts the real source or layer as one life of a machine; settles with its exit code. */
export function startProcess(simulation: Simulation, post: Machine, lived: ProcessLife): Promise<number> {
  return post.layer === 0 ? startSource(simulation, post, lived) : startLayer(simulation, post, lived);
}

function startLayer(simulation: Simulation, post: Machine, lived: ProcessLife): Promise<number> {
  const { layer } = post;
  const successor = layer < simulation.config.layers.length ? `ws://layer${layer + 1}:1` : undefined;
  const options = { ...optionsOf(simulation, post), layer, successor, record: undefined };
  const runner = new LayerRunner();
  lived.stop = (why) => runner.stop(why);
  const work: LayerEnvironment["work"] = (...build) =>
    new WitnessedWork(build, watchOf(simulation, post, lived, build[3].ticketsKept));
  const order = {
    note: (batch: number, learnt: number) => {
      post.order[batch] = learnt;
      return true;
    },
    since: (batch: number) => followable(post.order, batch),
  };
  const environment = { ...environmentOf(simulation, post, lived), kernels, work, order };
  const newKernels = () => {
    simulation.count("new memory");
    return kernels;
  };
  return runner.run({ config: simulation.config, options, environment }, newKernels);
}

function watchOf(simulation: Simulation, post: Machine, lived: ProcessLife, mostKept: number): WorkWatch {
  const checks = new WorkChecks(simulation.config, post, lived, mostKept, simulation.violate);
  return {
    isPoisoned: () => {
      const { isPoisoned } = post;
      post.isPoisoned = false;
      return isPoisoned;
    },
    applied: (...what) => {
      simulation.count("applied");
      simulation.count(`applied by ${post.name}`);
      checks.applied(...what);
    },
    sentAgain: () => simulation.count(`sent again by ${post.name}`),
    passedBackward: (...what) => checks.passedBackward(...what),
    corrected: (...what) => {
      simulation.count("corrected");
      checks.corrected(...what);
    },
  };
}

async function startSource(simulation: Simulation, post: Machine, lived: ProcessLife): Promise<number> {
  const options = {
    ...optionsOf(simulation, post),
    layer: undefined,
    successor: "ws://layer1:1",
    record: RECORD,
  };
  const data = await openDataSet(simulation.config.data);
  const environment = { ...environmentOf(simulation, post, lived), data, nodeVersion: "" };
  const { worker } = await SourceProcess.start({ config: simulation.config, options, environment });
  lived.stop = (why) => void worker.stop(why);
  return (await worker.ended) as number;
}

function optionsOf(simulation: Simulation, post: Machine) {
  const host = post.name;
  const where = { run: RUN, state: STATE, folders: [], host, port: 1 };
  const files = { secretFile: undefined, tlsFiles: undefined };
  const hub = { hub: simulation.hub && "ws://hub:1", control: true };
  return { config: "", set: [], trace: undefined, logFormat: "json" as const, ...where, ...files, ...hub };
}

function environmentOf(simulation: Simulation, post: Machine, lived: ProcessLife): Environment {
  return {
    ...worldOf(lived.life, post.disk, simulation),
    log: (incarnation) => {
      lived.incarnation = incarnation;
      lived.met = { predecessor: 0, successor: 0 };
      return logOf(simulation, post, lived, incarnation);
    },
    tell: async () => undefined,
    random: simulation.random,
    pid: 0,
  };
}

function logOf(simulation: Simulation, post: Machine, lived: ProcessLife, incarnation: number): Logger {
  const say = (fields: Record<string, unknown> | string, words?: string) => {
    const [what, message] = typeof fields === "string" ? [{}, fields] : [fields, words ?? ""];
    if (!lived.life.isAlive) return;
    lived.lastWords = `${message} ${JSON.stringify(what)}`;
    simulation.tell(`${post.name}/${incarnation} ${lived.lastWords}`);
    hearLog(simulation, post, lived, incarnation, message, what);
  };
  return { debug: say, info: say, warn: say, error: say, fatal: say } as unknown as Logger;
}

function hearLog(
  simulation: Simulation,
  post: Machine,
  lived: ProcessLife,
  incarnation: number,
  message: string,
  fields: Record<string, unknown>,
): void {
  if (message === "snapshot") simulation.count("snapshots of the network");
  if (post.layer === 0) return;
  simulation.count(message);
  const { checkpoints } = post;
  if (message === "checkpoint" || message === "finished")
    checkpoints.reported([incarnation, Number(fields.batch)]);
  if (message === "finished") post.hasFinished = true;
  if (message === "going back") checkpoints.goesBack(lived);
  if (message === "started") checkpoints.started(lived, incarnation);
  if (message === "restored") checkpoints.restored(lived, placeOf(String(fields.path)));
  if (message === "linked") checkpoints.linked(lived);
}
