import { argumentsOf, type WorkerArguments } from "../services/worker/options.ts";
import type { Folder } from "../shared/checkpoint/folder-flag.ts";
import type { Config } from "../shared/config/config.ts";

/** What is to be deployed, beside its config. */
export interface DeployRequest {
  /** Of the config, from the project's folder: "configs/mnist.yaml". The image holds no other configs. */
  readonly configPath: string;
  /** The config as canonical YAML, for a target that can bring it along. */
  readonly configText?: string | undefined;
  /** Overrides that every worker gets, "run.batches=100"; those that made `config` what it is. */
  readonly set?: readonly string[];
  /** What the workers prove themselves by to each other, a file of the host. Without one nobody is asked to. */
  readonly secretFile?: string | undefined;
  /** s3://bucket/prefix, where checkpoints and the record go as well. */
  readonly store?: string | undefined;
  /** A file of the host that says how to reach the store: credentials, region, endpoint, as AWS's own files do. */
  readonly storeFile?: string | undefined;
  /** A folder of the host with a certificate for each worker, as `unlocked certs` makes it. */
  readonly certs?: string | undefined;
  readonly image?: string | undefined;
}

/** Prints a deployment. Throws an Error where the target cannot do what is asked. */
export type Target = (config: Config, request: DeployRequest) => string;

/** What a target calls things, and how it writes words so that they arrive as they are. */
export interface Dialect {
  /** Where worker `name` is reached. */
  host(name: string): string;
  /** The word as it is; many targets would replace what follows a dollar. */
  literal(word: string): string;
  /** The value of a variable of the environment in which the deployment is made, where the target looks at it. */
  variable(name: string, otherwise: string): string;
  /** Where the secret, the store's file and the certificates of worker `name` are, inside its container. */
  readonly secrets: string;
  /** Where all find the config, inside their containers. */
  readonly config: string;
  /** Overrides of it. */
  readonly set: readonly string[];
  /** Of the hub alone. */
  readonly hubFlags: readonly string[];
}

/** One container: its program with all flags, and what it needs. */
export interface Worker {
  /** "source", "layer1", …, "hub" */
  readonly name: string;
  readonly args: readonly string[];
  readonly memoryMiB: number;
  /** The folder that must outlive it. */
  readonly folder: "/record" | "/state";
}

export const PORT = 7400;
export const STORE_FILE = "store";

/** The source, the layers in order, the hub. */
export function workersOf(config: Config, request: DeployRequest, dialect: Dialect): Worker[] {
  const layers = config.layers.map((_, index) => layerWorker(config, request, dialect, index + 1));
  return [sourceWorker(config, request, dialect), ...layers, hubWorker(config, request, dialect)];
}

function sourceWorker(config: Config, request: DeployRequest, dialect: Dialect): Worker {
  const args = programOf("source", config, request, dialect, {
    record: "/record",
    state: "/record/state",
    folders: [kept("/record", request, "record"), kept("/record/state", request, "source")],
    successor: successor(request, dialect, 1),
  });
  return { name: "source", args, memoryMiB: SOURCE_MIB, folder: "/record" };
}

function layerWorker(config: Config, request: DeployRequest, dialect: Dialect, layer: number): Worker {
  const name = `layer${layer}`;
  const isHead = layer === config.layers.length;
  const args = programOf("layer", config, request, dialect, {
    layer,
    state: "/state",
    folders: [kept("/state", request, name)],
    successor: isHead ? undefined : successor(request, dialect, layer + 1),
  });
  return { name, args, memoryMiB: layerMiB(config, layer), folder: "/state" };
}

/** Watches the run, keeps its record beside the source's, and shows both, also after the end. */
function hubWorker({ name }: Config, request: DeployRequest, dialect: Dialect): Worker {
  const { folder, url } = kept("/record", request, "record");
  const args = [
    ...["services/hub/main.ts", ...[folder, url].flatMap((each) => (each ? ["--record", each] : []))].map(
      dialect.literal,
    ),
    ...dialect.hubFlags,
    ...argumentsOf(shared(name, dialect)),
  ];
  return { name: "hub", args, memoryMiB: HUB_MIB, folder: "/record" };
}

/** A folder, and beside it a place in the store where there is one. */
function kept(folder: string, { store }: DeployRequest, place: string): Folder {
  return { folder, url: store === undefined ? undefined : `${store.replace(/\/+$/, "")}/${place}` };
}

function successor({ certs }: DeployRequest, dialect: Dialect, layer: number): string {
  return `${certs === undefined ? "ws" : "wss"}://${dialect.host(`layer${layer}`)}:${PORT}`;
}

/** Of the source or a layer. What is its own is written as it is; what all share may name variables of the target. */
function programOf(
  program: "source" | "layer",
  { name }: Config,
  { certs }: DeployRequest,
  dialect: Dialect,
  own: WorkerArguments,
): string[] {
  const { secrets, literal } = dialect;
  const tlsFiles = {
    certificate: `${secrets}/tls-cert.pem`,
    key: `${secrets}/tls-key.pem`,
    authority: `${secrets}/tls-ca.pem`,
  };
  const hub = `ws://${dialect.host("hub")}:${PORT}`;
  return [
    ...[`services/${program}/main.ts`, ...argumentsOf({ ...own, hub })].map(literal),
    ...argumentsOf({ ...shared(name, dialect), ...(certs !== undefined && { tlsFiles }) }),
  ];
}

/** Flags that the hub has too. */
function shared(run: string, { config, set, literal, variable }: Dialect): WorkerArguments {
  return {
    config: literal(config),
    set: set.map(literal),
    run: variable("UNLOCKED_RUN", run),
    host: "0.0.0.0",
    port: PORT,
    logFormat: variable("UNLOCKED_LOG", "pretty"),
  };
}

/** The variables of every worker; a path is no secret. */
export function environmentOf({ secretFile, store }: DeployRequest, { secrets }: Dialect) {
  const storeFile = `${secrets}/${STORE_FILE}`;
  return {
    ...(secretFile === undefined ? {} : { UNLOCKED_SECRET_FILE: `${secrets}/unlocked` }),
    // The same file under both names: it may hold credentials, region and endpoint.
    ...(store === undefined ? {} : { AWS_SHARED_CREDENTIALS_FILE: storeFile, AWS_CONFIG_FILE: storeFile }),
  };
}

// 60,000 images of MNIST are 47 MB, and an epoch's order comes on top.
const SOURCE_MIB = 512;

const HUB_MIB = 256;

/** Generous: a worker at its limit is killed, and restarted only to grow again. */
function layerMiB(config: Config, layer: number): number {
  const { inputs, outputs, positions } = config.layers[layer - 1]!;
  const evidence = outputs + config.layers.at(-1)!.outputs + config.layers[0]!.inputs;
  const weights =
    positions === undefined ? outputs * (inputs + evidence) : weightsOfSequence(outputs, evidence, positions);
  // Value, gradient, two moments, and two copies on their way to a checkpoint.
  const state = weights * 6;
  const inFlight = config.run.batchSize * (inputs + evidence) * (2 * config.delivery.window + 8);
  // A transformer block keeps some fifty arrays of its output's size for its backward pass.
  const kept = positions === undefined ? 0 : config.run.batchSize * outputs * 50;
  const bytes = 4 * (state + inFlight + kept);
  return Math.ceil((256 + bytes / 2 ** 20) / 64) * 64;
}

/** Where the one pod of a worker's StatefulSet is reached, under the headless Service of its network. */
export function podHost(network: string, worker: string): string {
  return `${network}-${worker}-0.${network}`;
}

/** The same weights serve every position: twelve products of a position's width, and what its generator looks at. */
function weightsOfSequence(outputs: number, evidence: number, positions: number): number {
  const width = outputs / positions;
  return width * (12 * width + evidence / positions);
}
