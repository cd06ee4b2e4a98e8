import { setImmediate as breath } from "node:timers/promises";
import type { Manifest } from "../../shared/checkpoint/snapshot-manifest.ts";
import type { Config } from "../../shared/config/config.ts";
import type { Summary } from "../../shared/record/summary.ts";
import { CheckpointChecks } from "./checks/checkpoint-checks.ts";
import type { Violate, Violation } from "./checks/invariant.ts";
import { LinkChecks } from "./checks/link-checks.ts";
import { checkOutcome } from "./checks/outcome-checks.ts";
import { SnapshotChecks } from "./checks/snapshot-checks.ts";
import { wholeOn } from "./checks/whole-checkpoints.ts";
import { Machine } from "./machine.ts";
import { SimulatedNetwork } from "./network/simulated-network.ts";
import { placeOf } from "./place.ts";
import { ProcessLife } from "./process-life.ts";
import { setBack } from "./set-back.ts";
import { startProcess } from "./start-process.ts";
import { EventQueue, type SimulatedRandom } from "./world/event-queue.ts";
import { RECORD, STATE } from "./world/folders.ts";
import { SimulatedDisk } from "./world/simulated-disk.ts";
import type { SimulatedHub } from "./world/simulated-hub.ts";

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
  readonly posts: Machine[];
  readonly violations: Violation[] = [];
  /** What happened, for whoever replays a seed. */
  readonly story: string[] = [];
  readonly counts: Record<string, number> = {};
  readonly #snapshots: SnapshotChecks;
  #events = 0;
  #isGoingBack = false;

  constructor(config: Config, random: SimulatedRandom, hubOn?: (queue: EventQueue) => SimulatedHub) {
    this.hub = hubOn?.(this.queue);
    this.config = config;
    this.random = random;
    this.posts = Array.from({ length: config.layers.length + 1 }, (_, layer) => this.#newPost(layer));
    this.#snapshots = new SnapshotChecks(this.posts, this.violate);
    const links = new LinkChecks(this.posts, config.delivery.window, this.violate);
    this.network = new SimulatedNetwork(this.queue, random, links);
    for (const post of this.posts) this.start(post);
  }

  /** Until the run is over, something is violated, it takes more than `mostEvents`, or it is enough. */
  async run(mostEvents: number, isEnough = () => false): Promise<void> {
    // Real code awaits: let it go on as far as it can before anything else happens.
    for (await breath(); !this.isOver && this.violations.length === 0; await breath()) {
      if (isEnough()) return;
      if (this.#events++ > mostEvents || !this.queue.next()) this.violate("ends", this.#standing);
      this.#snapshots.check();
    }
    if (this.violations.length === 0)
      checkOutcome(this.posts.slice(1), this.summary!, this.config.run.batches, this.violate);
  }

  get events(): number {
    return this.#events;
  }

  get summary(): Summary | undefined {
    const bytes = this.posts[0]!.disk.bytesOf(`${RECORD}/summary.json`);
    return bytes && (JSON.parse(Buffer.from(bytes).toString()) as Summary);
  }

  get manifests(): Manifest[] {
    return this.#snapshots.manifests;
  }

  /** The record is there, and everybody has gone home, but for such as nobody ever came to. */
  get isOver(): boolean {
    return this.#hasRecord && this.posts.every(({ lives }) => lives.some(({ isDone }) => isDone));
  }

  get #standing(): string {
    const lives = this.posts.map(({ lives }) => lives.at(-1)!.standing);
    return `no end after ${this.#events} events: ${lives.join("; ")}`;
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

  readonly violate: Violate = (invariant, what) => {
    this.violations.push({ invariant, what: `t=${this.queue.now.toFixed(1)}: ${what}` });
  };

  // — processes —

  #newPost(layer: number): Machine {
    const disk = new SimulatedDisk(this.queue, this.random);
    const name = layer === 0 ? "source" : `layer${layer}`;
    const checkpoints = new CheckpointChecks(name, disk, this.queue, this.violate);
    const post = new Machine(name, layer, disk, checkpoints);
    if (layer > 0) disk.onRenamed = (path, bytes) => checkpoints.saved(path, bytes);
    return post;
  }

  start(post: Machine): ProcessLife | undefined {
    if (this.#isGoingBack) return undefined;
    const lived: ProcessLife = new ProcessLife(post.name, (error) => this.#crashed(post, lived, error));
    post.lives.push(lived);
    this.count("lives");
    const begun = startProcess(this, post, lived);
    begun.then(
      (code) => this.#exited(post, lived, code),
      (error: Error) => {
        lived.lastWords = error.message;
        if (error.name === "NoValidCheckpoint") post.checkpoints.foundNone(error.message);
        this.#exited(post, lived, 78);
      },
    );
    return lived;
  }

  #crashed(post: Machine, lived: ProcessLife, error: unknown): void {
    lived.lastWords = String(error);
    const isTwice = /Cannot apply batch/.test(String(error));
    this.violate(isTwice ? "exactly once" : "no bug", `${post.name}: ${(error as Error).stack ?? error}`);
    this.#exited(post, lived, 1);
  }

  #exited(post: Machine, lived: ProcessLife, code: number): void {
    if (!lived.life.isAlive) return;
    lived.exit = code;
    lived.isDone = code === 0 && (post.hasFinished || lived.lastWords.startsWith("done"));
    this.tell(`${post.name}/${lived.incarnation} exits ${code}: ${lived.lastWords}`);
    this.count(`exit ${code}`);
    this.#bury(post, lived, false, code !== 0 || lived.isAsked);
  }

  /** Started again where it ran, unless it said that it is done. */
  #bury(post: Machine, lived: ProcessLife, isSilent: boolean, again: boolean): void {
    lived.life.end();
    this.network.died(lived.life, isSilent);
    this.hub?.died(lived.life);
    if (again) this.queue.after(5 + this.random() * 300, () => this.start(post));
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
    const manifest = await setBack(this.config, this.posts, this.violate);
    this.tell(`back to ${manifest.snapshot}`);
    return manifest;
  }

  async #whileItHappens<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    void promise.finally(() => {
      isOver = true;
    });
    for (await breath(); !isOver; await breath()) if (!this.queue.next()) throw new Error("it never ends");
    return promise;
  }

  // — what may go wrong —

  kill(post: Machine, isSilent = false): void {
    const lived = post.alive;
    if (!lived) return;
    this.tell(`kill ${post.name}/${lived.incarnation}`);
    this.#bury(post, lived, isSilent, true);
  }

  cutPower(post: Machine): void {
    this.tell(`power cut ${post.name}`);
    for (const lived of post.lives)
      if (lived.life.isAlive) {
        lived.exit ??= 137;
        this.#bury(post, lived, true, true);
      }
    post.disk.cutPower();
    post.order = [];
  }

  /** SIGSTOP for a while; meanwhile another is started in its place, if so wished. */
  freeze(post: Machine, ms: number, isReplaced: boolean): void {
    const lived = post.alive;
    if (!lived) return;
    this.tell(`freeze ${post.name}/${lived.incarnation} for ${ms.toFixed(0)}, replaced: ${isReplaced}`);
    lived.life.stop();
    lived.frozen = { from: this.queue.now, to: this.queue.now + ms };
    this.network.stopped(lived.life);
    this.queue.after(ms, () => lived.life.continue());
    if (isReplaced) this.queue.after(this.random() * ms, () => this.duplicate(post));
  }

  /** A second one in the same folder, while the first still lives. */
  duplicate(post: Machine): void {
    const lived = post.alive;
    if (!lived || this.#hasRecord) return;
    this.tell(`duplicate ${post.name}/${lived.incarnation}`);
    this.start(post);
  }

  terminate(post: Machine): void {
    const lived = post.alive;
    if (!lived?.stop) return;
    this.tell(`stop ${post.name}/${lived.incarnation}`);
    lived.isAsked = true;
    lived.life.run(() => lived.stop?.("simulated"));
  }

  poison(post: Machine): void {
    post.isPoisoned = true;
  }

  /**
   * In its newest checkpoint, only where another whole one is left: all gone is another story. Also not where `most` were
   * damaged that are newer than the third newest whole one.
   */
  flipBit(post: Machine, most = Number.POSITIVE_INFINITY): void {
    const whole = wholeOn(post.disk);
    const victim = whole.at(-1);
    if (whole.length < 2 || !victim || post.hasFinished) return;
    if (post.checkpoints.damagedSince(whole.at(-3)) >= most) return;
    // Written, and about to be reported: the neighbours leave on its word.
    if (placeOf(victim)[1] === this.config.run.batches - 1) return;
    this.tell(`flip a bit in ${post.name} ${victim}`);
    this.count("bits flipped");
    post.disk.flipBit(`${STATE}/${victim}`);
    post.checkpoints.damaged(victim);
  }
}
