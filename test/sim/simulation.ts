import { setImmediate as breath } from "node:timers/promises";
import type { Logger } from "pino";
import { LayerRunner } from "../../services/layer/layer-runner.ts";
import type { Summary } from "../../services/source/record.ts";
import { SourceProcess } from "../../services/source/source-process.ts";
import type { World } from "../../services/world.ts";
import { openDataSet } from "../../shared/data/open-data-set.ts";
import { plainKernels } from "../../shared/math/plain-kernels.ts";
import { type Checkpoint, decodeCheckpoint, statedDigest } from "../../shared/run/checkpoint.ts";
import type { Config } from "../../shared/run/config.ts";
import { configHash } from "../../shared/run/config-hash.ts";
import { weightsDigest } from "../../shared/run/digest.ts";
import type { Disk } from "../../shared/run/disk.ts";
import { findSnapshot, goBack } from "../../shared/run/go-back.ts";
import { check, fromRanges } from "../../shared/run/ledger.ts";
import type { Manifest } from "../../shared/run/snapshot-manifest.ts";
import { snapshotsAmong } from "../../shared/run/snapshot-name.ts";
import type { Frame } from "../../shared/wire/frames.ts";
import { EventQueue, type SimulatedRandom } from "./event-queue.ts";
import { Life } from "./life.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import type { SimulatedHub } from "./simulated-hub.ts";
import { type Connection, SimulatedNetwork } from "./simulated-network.ts";
import { WitnessedWork, type WorkWatch, witnessIn } from "./witnessed-work.ts";

/** What must hold after every event, by name. */
export type Invariant =
  | "exactly once"
  | "own gradient"
  | "corrected"
  | "window"
  | "memory"
  | "staleness budget"
  | "fenced"
  | "durable"
  | "undamaged"
  | "snapshot"
  | "finite"
  | "no bug"
  | "ends";

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
}

/** One place for a process: its disk, and whoever has lived there. */
interface Post {
  readonly name: string;
  /** 0 for the source. */
  readonly layer: number;
  readonly disk: SimulatedDisk;
  /** Newest last. */
  lives: Lived[];
  /** Checkpoints that a life reported durable and that nothing has damaged since, as [incarnation, cursor]. */
  reported: Place[];
  hasFinished: boolean;
  /** Its weights run away at the next update. */
  isPoisoned: boolean;
  /** What is left of those that were damaged, reported or not yet. */
  readonly damaged: Map<string, { readonly bytes: Uint8Array; readonly at: number }>;
}

interface Lived {
  readonly life: Life;
  incarnation: number;
  stop: ((why: string) => void) | undefined;
  exit: number | undefined;
  isDone: boolean;
  /** To stop, as by a machine that is shut down, and comes up again. */
  isAsked: boolean;
  lastWords: string;
  /** Highest incarnation met of the neighbour on either side. */
  met: { predecessor: number; successor: number };
  /** Successors it has met since it last heard a target. */
  lostTargets: number;
  /** The newest checkpoint reported durable when it started: it must not begin with an older one. */
  floor: Place | undefined;
  /** What it began with; nothing is [0, −1]. */
  begunAt: Place | undefined;
}

type Place = readonly [incarnation: number, cursor: number];

const RUN = "simulated";
const STATE = "/state";
const RECORD = "/record";
const kernels = plainKernels();

/**
 * A whole run in one process and in virtual time: the real source and layer processes with their real delivery,
 * learning, checkpoints and claims, over a simulated network and simulated disks. All that happens follows from `random`.
 */
export class Simulation {
  readonly config: Config;
  readonly random: SimulatedRandom;
  readonly queue = new EventQueue();
  readonly network: SimulatedNetwork;
  /** Who is told, if anybody. */
  readonly hub: SimulatedHub | undefined;
  readonly posts: Post[];
  readonly violations: Violation[] = [];
  /** What happened, for whoever replays a seed. */
  readonly story: string[] = [];
  readonly counts: Record<string, number> = {};
  #events = 0;
  #snapshotsChanged = false;
  #isGoingBack = false;

  constructor(config: Config, random: SimulatedRandom, hubOn?: (queue: EventQueue) => SimulatedHub) {
    this.hub = hubOn?.(this.queue);
    this.config = config;
    this.random = random;
    this.network = new SimulatedNetwork(this.queue, random, {
      dialled: (life, incarnation) => this.#met(life, "successor", incarnation),
      accepted: (life, incarnation) => this.#met(life, "predecessor", incarnation),
      sent: (connection, frame, forward) => this.#sent(connection, frame, forward),
    });
    this.posts = Array.from({ length: config.layers.length + 1 }, (_, layer) => this.#newPost(layer));
    for (const post of this.posts) this.start(post);
  }

  /** Until the run is over, something is violated, it takes more than `mostEvents`, or it is enough. */
  async run(mostEvents: number, isEnough = () => false): Promise<void> {
    // Real code awaits: let it go on as far as it can before anything else happens.
    for (await breath(); !this.isOver && this.violations.length === 0; await breath()) {
      if (isEnough()) return;
      if (this.#events++ > mostEvents || !this.queue.next()) this.#violate("ends", this.#standing());
      this.#checkSnapshots();
    }
    if (this.violations.length === 0) this.#checkOutcome();
  }

  get events(): number {
    return this.#events;
  }

  get summary(): Summary | undefined {
    const bytes = this.posts[0]!.disk.bytesOf(`${RECORD}/summary.json`);
    return bytes && (JSON.parse(Buffer.from(bytes).toString()) as Summary);
  }

  /** The record is there, and everybody has gone home, but for such as nobody ever came to. */
  get isOver(): boolean {
    return this.#hasRecord && this.posts.every(({ lives }) => lives.some(({ isDone }) => isDone));
  }

  get #hasRecord(): boolean {
    return this.posts[0]!.disk.bytesOf(`${RECORD}/summary.json`) !== undefined;
  }

  tell(what: string): void {
    this.story.push(`${this.queue.now.toFixed(1)} ${what}`);
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  // — processes —

  #newPost(layer: number): Post {
    const disk = new SimulatedDisk(this.queue, this.random);
    const name = layer === 0 ? "source" : `layer${layer}`;
    const post: Post = {
      name,
      layer,
      disk,
      lives: [],
      reported: [],
      hasFinished: false,
      isPoisoned: false,
      damaged: new Map(),
    };
    if (layer > 0) disk.onRenamed = (path, bytes) => this.#checkFile(post, path, bytes);
    disk.onChanged = () => {
      this.#snapshotsChanged = true;
    };
    return post;
  }

  start(post: Post): Lived | undefined {
    if (this.#isGoingBack) return undefined;
    const lived: Lived = {
      life: new Life(post.name, (error) => this.#crashed(post, lived, error)),
      incarnation: 0,
      stop: undefined,
      exit: undefined,
      isDone: false,
      isAsked: false,
      lastWords: "",
      met: { predecessor: 0, successor: 0 },
      lostTargets: 0,
      floor: undefined,
      begunAt: undefined,
    };
    post.lives.push(lived);
    this.count("lives");
    const begun = post.layer === 0 ? this.#startSource(post, lived) : this.#startLayer(post, lived);
    begun.then(
      (code) => this.#exited(post, lived, code),
      (error: Error) => {
        lived.lastWords = error.message;
        if (error.name === "NoValidCheckpoint" && post.reported.length > 0)
          this.#violate("durable", `${post.name}: ${error.message}`);
        this.#exited(post, lived, 78);
      },
    );
    return lived;
  }

  #startLayer(post: Post, lived: Lived): Promise<number> {
    const { layer } = post;
    const successor = layer < this.config.layers.length ? `ws://layer${layer + 1}:1` : undefined;
    const options = { ...this.#options(post), layer, successor, record: undefined };
    const runner = new LayerRunner();
    lived.stop = (why) => runner.stop(why);
    return runner.run(this.config, options, {
      ...this.#edges(post, lived),
      kernels,
      work: (...build) => new WitnessedWork(build, this.#watchOf(post, lived, build[3].ticketsKept)),
    });
  }

  #watchOf(post: Post, lived: Lived, mostKept: number): WorkWatch {
    return {
      isPoisoned: () => {
        const { isPoisoned } = post;
        post.isPoisoned = false;
        return isPoisoned;
      },
      applied: (witness, sinceTarget, kept) => {
        this.#checkWitness(post, witness);
        this.#checkMemory(post, kept, mostKept);
        this.#checkBudget(post, lived, sinceTarget);
      },
      passedBackward: (through, of) => {
        if (through !== of) this.#violate("own gradient", `${post.name} learns ${through} by that of ${of}`);
      },
      corrected: (...what) => this.#checkCorrection(post, ...what),
    };
  }

  async #startSource(post: Post, lived: Lived): Promise<number> {
    const options = { ...this.#options(post), layer: undefined, successor: "ws://layer1:1", record: RECORD };
    const source = await SourceProcess.start(this.config, options, {
      ...this.#edges(post, lived),
      data: openDataSet(this.config.data),
      nodeVersion: "",
    });
    lived.stop = (why) => void source.stop(why);
    return source.ended;
  }

  #options(post: Post) {
    const host = post.name;
    const where = { run: RUN, state: STATE, host, port: 1 };
    const files = { secretFile: undefined, tlsFiles: undefined };
    const hub = { hub: this.hub && "ws://hub:1", control: true };
    return { config: "", set: [], trace: undefined, logFormat: "json" as const, ...where, ...files, ...hub };
  }

  #edges(
    post: Post,
    lived: Lived,
  ): World & {
    log: (incarnation: number) => Logger;
    tell: () => Promise<void>;
    random: () => number;
    pid: number;
  } {
    const { life } = lived;
    const { queue, network } = this;
    return {
      dial: network.dialFor(life),
      listen: network.listenFor(life),
      disk: post.disk.seenBy(life),
      hub: this.hub && { dial: this.hub.dialFor(life), rssBytes: () => 0, nodeVersion: "" },
      now: () => queue.now,
      date: () => new Date(queue.now),
      after: (ms, run) => {
        let isOn = true;
        queue.after(ms, () => life.run(() => isOn && run()));
        return () => {
          isOn = false;
        };
      },
      every: (ms, run) => {
        let isOn = true;
        const again = () =>
          queue.after(ms, () => {
            if (!isOn || !life.isAlive) return;
            life.run(() => isOn && run());
            again();
          });
        again();
        return () => {
          isOn = false;
        };
      },
      log: (incarnation) => {
        lived.incarnation = incarnation;
        lived.met = { predecessor: 0, successor: 0 };
        return this.#logOf(post, lived, incarnation);
      },
      tell: async () => undefined,
      random: this.random,
      pid: 0,
    };
  }

  #logOf(post: Post, lived: Lived, incarnation: number): Logger {
    const say = (fields: Record<string, unknown> | string, words?: string) => {
      const [what, message] = typeof fields === "string" ? [{}, fields] : [fields, words ?? ""];
      if (!lived.life.isAlive) return;
      lived.lastWords = `${message} ${JSON.stringify(what)}`;
      this.tell(`${post.name}/${incarnation} ${lived.lastWords}`);
      this.#hearLog(post, lived, incarnation, message, what);
    };
    return { debug: say, info: say, warn: say, error: say, fatal: say } as unknown as Logger;
  }

  #hearLog(
    post: Post,
    lived: Lived,
    incarnation: number,
    message: string,
    fields: Record<string, unknown>,
  ): void {
    if (message === "snapshot") this.count("snapshots of the network");
    if (post.layer === 0) return;
    this.count(message);
    if (message === "checkpoint" || message === "finished") {
      const place = [incarnation, Number(fields.batch)] as const;
      // What was damaged before it was reported is lost by the disk, whoever reports it.
      if (!post.damaged.has(String(place))) {
        this.#checkReport(post, place);
        post.reported.push(place);
      }
    }
    if (message === "finished") post.hasFinished = true;
    if (message === "started") {
      // Stopped in the middle of its start, it may have been replaced since.
      lived.floor = newestOf(post.reported.filter((place) => place[0] < incarnation));
      lived.begunAt = [0, -1];
    }
    if (message === "restored") this.#checkRestored(post, lived, placeOf(String(fields.path)));
    if (message === "linked" && lived.floor) this.#checkRestored(post, lived, [0, -1]);
  }

  #crashed(post: Post, lived: Lived, error: unknown): void {
    lived.lastWords = String(error);
    const isTwice = /Cannot apply batch/.test(String(error));
    this.#violate(isTwice ? "exactly once" : "no bug", `${post.name}: ${(error as Error).stack ?? error}`);
    this.#exited(post, lived, 1);
  }

  #exited(post: Post, lived: Lived, code: number): void {
    if (!lived.life.isAlive) return;
    lived.exit = code;
    lived.isDone = code === 0 && (post.hasFinished || lived.lastWords.startsWith("done"));
    this.tell(`${post.name}/${lived.incarnation} exits ${code}: ${lived.lastWords}`);
    this.count(`exit ${code}`);
    this.#bury(post, lived, false, code !== 0 || lived.isAsked);
  }

  /** Started again where it ran, unless it said that it is done. */
  #bury(post: Post, lived: Lived, isSilent: boolean, again: boolean): void {
    lived.life.end();
    this.network.died(lived.life, isSilent);
    this.hub?.died(lived.life);
    if (again) this.queue.after(5 + this.random() * 300, () => this.start(post));
  }

  /** The last started that lives. */
  #alive(post: Post): Lived | undefined {
    return post.lives.findLast(({ life }) => life.isAlive);
  }

  /** All are killed; if so wished, set back to the newest snapshot; and started again. */
  async restart(isSetBack: boolean): Promise<Manifest | undefined> {
    this.#isGoingBack = true;
    for (const post of this.posts)
      for (const lived of post.lives) if (lived.life.isAlive) this.#bury(post, lived, false, false);
    const manifest = isSetBack ? await this.#whileItHappens(this.#setBack()) : undefined;
    this.#isGoingBack = false;
    for (const post of this.posts) this.start(post);
    return manifest;
  }

  async #setBack(): Promise<Manifest> {
    const states = this.posts.slice(1).map(({ name }) => `/${name}${STATE}`);
    const record = `/source${RECORD}`;
    const places = { run: RUN, configHash: configHash(this.config), record, states };
    const disk = this.#everyDisk();
    const { found, unfit } = await findSnapshot(places, undefined, disk);
    for (const { name, why } of unfit) this.#violate("snapshot", `${name}: ${why}`);
    if (!found) throw new Error("Cannot go back: there is no snapshot");
    await goBack(places, found, "aside", disk);
    this.tell(`back to ${found.manifest.snapshot}`);
    return found.manifest;
  }

  async #whileItHappens<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    void promise.finally(() => {
      isOver = true;
    });
    for (await breath(); !isOver; await breath()) if (!this.queue.next()) throw new Error("it never ends");
    return promise;
  }

  /** The disks of all machines, each below the name of its post. */
  #everyDisk(): Disk {
    const life = new Life("go back", () => {});
    const at = (path: string): readonly [Disk, string] => {
      const [, name, rest] = /^\/(\w+)(\/.*)$/.exec(path)!;
      return [this.posts.find((post) => post.name === name)!.disk.seenBy(life), rest!];
    };
    const onOne =
      <Name extends keyof Disk>(name: Name) =>
      (path: string, ...others: string[]) => {
        const [disk, inside] = at(path);
        const call = disk[name] as (...paths: string[]) => Promise<never>;
        return call(inside, ...others.map((other) => at(other)[1]));
      };
    return {
      ...{ makeFolder: onOne("makeFolder"), syncFolder: onOne("syncFolder"), list: onOne("list") },
      ...{ requireAccess: onOne("requireAccess"), create: onOne("create"), read: onOne("read") },
      ...{ writtenAt: onOne("writtenAt"), rename: onOne("rename"), remove: onOne("remove") },
    };
  }

  // — what may go wrong —

  kill(post: Post, isSilent = false): void {
    const lived = this.#alive(post);
    if (!lived) return;
    this.tell(`kill ${post.name}/${lived.incarnation}`);
    this.#bury(post, lived, isSilent, true);
  }

  cutPower(post: Post): void {
    this.tell(`power cut ${post.name}`);
    for (const lived of post.lives)
      if (lived.life.isAlive) {
        lived.exit ??= 137;
        this.#bury(post, lived, true, true);
      }
    post.disk.cutPower();
  }

  /** SIGSTOP for a while; meanwhile another is started in its place, if so wished. */
  freeze(post: Post, ms: number, isReplaced: boolean): void {
    const lived = this.#alive(post);
    if (!lived) return;
    this.tell(`freeze ${post.name}/${lived.incarnation} for ${ms.toFixed(0)}, replaced: ${isReplaced}`);
    lived.life.stop();
    this.network.stopped(lived.life);
    this.queue.after(ms, () => lived.life.continue());
    if (isReplaced) this.queue.after(this.random() * ms, () => this.duplicate(post));
  }

  /** A second one in the same folder, while the first still lives. */
  duplicate(post: Post): void {
    const lived = this.#alive(post);
    if (!lived || this.#hasRecord) return;
    this.tell(`duplicate ${post.name}/${lived.incarnation}`);
    this.start(post);
  }

  terminate(post: Post): void {
    const lived = this.#alive(post);
    if (!lived?.stop) return;
    this.tell(`stop ${post.name}/${lived.incarnation}`);
    lived.isAsked = true;
    lived.life.run(() => lived.stop?.("simulated"));
  }

  poison(post: Post): void {
    post.isPoisoned = true;
  }

  /** Only where another whole one is left: all gone is another story. */
  flipBit(post: Post): void {
    const files = post.disk.list(STATE).filter((name) => name.endsWith(".safetensors"));
    const whole = files.filter((name) => isWhole(post.disk.bytesOf(`${STATE}/${name}`)!));
    const victim = whole.sort().at(-1);
    if (whole.length < 2 || !victim || post.hasFinished) return;
    // Written, and about to be reported: the neighbours leave on its word.
    if (placeOf(victim)[1] === this.config.run.batches - 1) return;
    this.tell(`flip a bit in ${post.name} ${victim}`);
    this.count("bits flipped");
    post.disk.flipBit(`${STATE}/${victim}`);
    const damaged = placeOf(victim);
    const bytes = post.disk.bytesOf(`${STATE}/${victim}`)!;
    post.damaged.set(String(damaged), { bytes, at: this.queue.now });
    post.reported = post.reported.filter((place) => isOlder(place, damaged) && placeIsIn(place, whole));
  }

  // — what must hold —

  #violate(invariant: Invariant, what: string): void {
    this.violations.push({ invariant, what: `t=${this.queue.now.toFixed(1)}: ${what}` });
  }

  #checkWitness(post: Post, witness: readonly number[]): void {
    this.count("applied");
    const last = witness.length - 1;
    if (witness[last] !== last)
      this.#violate("exactly once", `${post.name} applies ${witness[last]} after ${witness[last - 1]}`);
  }

  /** It keeps no evidence, and learns from nothing but targets. */
  #isLocked({ layer }: Post): boolean {
    const { layers, learning } = this.config;
    return (layers[layer - 1]!.method ?? learning.method) === "backprop";
  }

  /** Of the batch applied last, at most once in a lineage, from its own correction. */
  #checkCorrection(post: Post, shown: number, of: number, applied: number, before: number): void {
    this.count("corrected");
    if (shown !== of || shown !== applied || shown <= before)
      this.#violate("corrected", `${post.name}: ${shown} by ${of}, after ${before}, at ${applied}`);
  }

  #checkMemory(post: Post, kept: number, mostKept: number): void {
    if (kept > mostKept && !this.#isLocked(post))
      this.#violate("memory", `${post.name} keeps evidence of ${kept} batches`);
  }

  /** Beyond its budget a layer goes on only with a successor that takes what it sends: a window, each time there is one. */
  #checkBudget(post: Post, lived: Lived, sinceTarget: number): void {
    if (post.layer === this.config.layers.length || this.#isLocked(post)) return;
    if (sinceTarget <= 1) lived.lostTargets = 0;
    const { window, stalenessBudget, schedule } = this.config.delivery;
    const pinned = schedule === "free" ? 0 : schedule.staleness;
    const most = Math.max(stalenessBudget, window) + pinned + window * (1 + lived.lostTargets);
    if (sinceTarget > most)
      this.#violate("staleness budget", `${post.name} applies ${sinceTarget} batches since a target`);
  }

  #checkFile(post: Post, path: string, bytes: Uint8Array): void {
    if (!path.endsWith(".safetensors")) return;
    const { tensors, cursor } = decodeCheckpoint(bytes);
    const witness = witnessIn(tensors);
    if (witness.length !== cursor + 1 || witness.some((batch, index) => batch !== index))
      this.#violate("exactly once", `${post.name} saves ${cursor}, in its weights is ${witness.join(" ")}`);
    for (const [name, values] of Object.entries(tensors))
      if (!values.every(Number.isFinite)) this.#violate("finite", `${post.name} saves ${name}`);
  }

  #checkRestored(post: Post, lived: Lived, loaded: Place): void {
    const damage = post.damaged.get(String(loaded));
    // It may have been read just before.
    const isOld = damage && this.queue.now - damage.at > 20;
    if (isOld && post.disk.bytesOf(`${STATE}/${nameOf(loaded)}`) === damage.bytes)
      this.#violate("undamaged", `${post.name}/${lived.incarnation} begins at ${loaded}, which was damaged`);
    if (lived.floor && isOlder(loaded, lived.floor))
      this.#violate(
        "durable",
        `${post.name}/${lived.incarnation} begins at ${loaded}, durable was ${lived.floor}`,
      );
    lived.floor = undefined;
    lived.begunAt = loaded;
  }

  /** Nobody may rely on what the one in office has not seen. */
  #checkReport(post: Post, place: Place): void {
    const blind = post.lives.find(
      ({ incarnation, begunAt }) => begunAt && incarnation > place[0] && isOlder(begunAt, place),
    );
    if (blind)
      this.#violate(
        "durable",
        `${post.name} relies on ${place}, ${blind.incarnation} began at ${blind.begunAt}`,
      );
  }

  #met(life: Life, side: "predecessor" | "successor", incarnation: number): void {
    const lived = this.posts.flatMap(({ lives }) => lives).find((each) => each.life === life)!;
    if (side === "successor") lived.lostTargets += 1;
    if (incarnation < lived.met[side])
      this.#violate("fenced", `${life.name} takes ${side} ${incarnation} after ${lived.met[side]}`);
    lived.met[side] = Math.max(lived.met[side], incarnation);
  }

  /** As the sender sees it, answers on their way included: never less than what waits at the other end. */
  #sent(connection: Connection, frame: Frame, forward: boolean): void {
    if (frame.kind === "activation" || frame.kind === "preview" || frame.kind === "barrier")
      connection.inFlight += 1;
    if (frame.kind === "gradient") connection.inFlight -= 1;
    if (connection.isTamperedWith) return;
    const { window } = this.config.delivery;
    if (connection.inFlight > window)
      this.#violate("window", `${connection.inFlight} unanswered at ${connection.url}, window is ${window}`);
    if (connection.inFlight < 0) this.#violate("window", `an answer too many at ${connection.url}`);
    if (forward) this.#checkFollowing(connection, frame);
    if (frame.kind !== "activation" && frame.kind !== "correction") return;
    const floats = new Float32Array(frame.activation.data.slice().buffer);
    if (!floats.every(Number.isFinite)) this.#violate("finite", `sent to ${connection.url}`);
  }

  /** A correction goes directly behind its preview, and a batch is not sent in two ways. */
  #checkFollowing(connection: Connection, frame: Frame): void {
    const { shown } = connection;
    connection.shown = frame.kind === "preview" ? frame.batch : undefined;
    if (frame.kind === "correction" && frame.batch !== shown)
      this.#violate("corrected", `correction ${frame.batch} follows preview ${shown} at ${connection.url}`);
    if (frame.kind !== "correction" && shown !== undefined)
      this.#violate("corrected", `${frame.kind} follows preview ${shown} at ${connection.url}`);
  }

  /** Whatever else happened: where there is a manifest, there are all its files, of that very batch. */
  #checkSnapshots(): void {
    if (!this.#snapshotsChanged) return;
    this.#snapshotsChanged = false;
    for (const manifest of this.manifests) {
      const { snapshot, batch, layers } = manifest;
      if (layers.length !== this.config.layers.length) this.#violate("snapshot", `${snapshot} lacks layers`);
      for (const { layer, digest } of layers) {
        const what = `layer${layer} in ${snapshot}`;
        const bytes = this.posts[layer]!.disk.bytesOf(`${STATE}/snapshots/${snapshot}.safetensors`);
        const checkpoint = bytes && checkpointIn(bytes);
        if (!checkpoint) this.#violate("snapshot", `${what}: ${bytes ? "damaged" : "gone"}`);
        else if (statedDigest(bytes) !== digest) this.#violate("snapshot", `${what}: other bytes`);
        else if (checkpoint.cursor !== batch - 1) this.#violate("snapshot", `${what}: elsewhere`);
      }
    }
  }

  /** As they lie on the source's disk. */
  get manifests(): Manifest[] {
    const { disk } = this.posts[0]!;
    const names = snapshotsAmong(disk.list(`${RECORD}/snapshots`), ".json");
    return names.map((name) =>
      JSON.parse(Buffer.from(disk.bytesOf(`${RECORD}/snapshots/${name}.json`)!).toString()),
    );
  }

  #checkOutcome(): void {
    const { batches } = this.config.run;
    for (const post of this.posts.slice(1)) {
      // The very last file may be what a bit was flipped in.
      if ([...post.damaged.keys()].some((place) => place.endsWith(`,${batches - 1}`))) continue;
      const final = this.#newestCheckpoint(post);
      const troubles = final?.finished ? check(fromRanges(final.ledger), batches) : ["never finished"];
      const report = this.summary!.layers.find(({ layer }) => layer === post.layer);
      if (report)
        troubles.push(...check(fromRanges(report.applied), batches).map((each) => `reported: ${each}`));
      if (final && report?.digest !== weightsDigest(final.tensors))
        troubles.push("reported another digest than it saved");
      for (const what of troubles) this.#violate("exactly once", `${post.name}: ${what}`);
    }
  }

  #newestCheckpoint(post: Post): Checkpoint | undefined {
    const newestFirst = post.disk.list(STATE).sort().reverse();
    const files = newestFirst.filter((name) => name.endsWith(".safetensors"));
    return files.map((name) => checkpointIn(post.disk.bytesOf(`${STATE}/${name}`)!)).find(Boolean);
  }

  #standing(): string {
    const lives = this.posts.map(({ name, lives }) => {
      const { incarnation, exit, life, lastWords } = lives.at(-1)!;
      const state = exit !== undefined ? `exited ${exit}` : life.isAlive ? "alive" : "dead";
      return `${name}/${incarnation} ${state} (${lastWords})`;
    });
    return `no end after ${this.#events} events: ${lives.join("; ")}`;
  }
}

function placeOf(path: string): [number, number] {
  const found = /checkpoint-(\d+)-(-1|\d+)\./.exec(path)!;
  return [Number(found[1]), Number(found[2])];
}

function nameOf([incarnation, cursor]: Place): string {
  const padded = cursor < 0 ? String(cursor) : String(cursor).padStart(9, "0");
  return `checkpoint-${String(incarnation).padStart(6, "0")}-${padded}.safetensors`;
}

function isOlder(one: Place, other: Place): boolean {
  return one[0] < other[0] || (one[0] === other[0] && one[1] < other[1]);
}

function newestOf(places: readonly Place[]): Place | undefined {
  return places.reduce<Place | undefined>(
    (one, other) => (one && isOlder(other, one) ? one : other),
    undefined,
  );
}

function placeIsIn(place: Place, names: readonly string[]): boolean {
  return names.map(placeOf).some(([incarnation, cursor]) => incarnation === place[0] && cursor === place[1]);
}

function isWhole(bytes: Uint8Array): boolean {
  return checkpointIn(bytes) !== undefined;
}

/** What was found in bytes that lie on a disk, which never change: files are looked at far more often than written. */
const found = new WeakMap<Uint8Array, { readonly checkpoint: Checkpoint | undefined }>();

/** Undefined where they are no whole checkpoint. */
function checkpointIn(bytes: Uint8Array): Checkpoint | undefined {
  const known = found.get(bytes) ?? { checkpoint: read(bytes) };
  found.set(bytes, known);
  return known.checkpoint;
}

function read(bytes: Uint8Array): Checkpoint | undefined {
  try {
    return decodeCheckpoint(bytes);
  } catch {
    return undefined;
  }
}
