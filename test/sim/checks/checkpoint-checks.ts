import { decodeCheckpoint } from "../../../shared/checkpoint/checkpoint.ts";
import { isOlder, isSame, NOWHERE, nameOf, newestOf, type Place, placeOf } from "../place.ts";
import type { ProcessLife } from "../process-life.ts";
import { witnessIn } from "../witnessed-work.ts";
import type { EventQueue } from "../world/event-queue.ts";
import { STATE } from "../world/folders.ts";
import type { SimulatedDisk } from "../world/simulated-disk.ts";
import type { Violate } from "./invariant.ts";
import { wholeOn } from "./whole-checkpoints.ts";

interface Beginning {
  /** The newest checkpoint reported durable when it started: it must not begin with an older one. */
  readonly floor: Place | undefined;
  /** What it began with. */
  readonly at: Place;
  /** It began with an older one on purpose. */
  readonly wentBack: boolean;
}

interface Damage {
  readonly place: Place;
  readonly bytes: Uint8Array;
  /** When, in virtual milliseconds. */
  readonly at: number;
}

/** What must hold of the checkpoints at one post: what a life reports durable is there for whoever lives there next. */
export class CheckpointChecks {
  readonly #name: string;
  readonly #disk: SimulatedDisk;
  readonly #queue: EventQueue;
  readonly #violate: Violate;
  /** Those that a life reported durable and that nothing has damaged since. */
  #reported: Place[] = [];
  /** What is left of those that were damaged, reported or not yet. */
  readonly #damaged = new Map<string, Damage>();
  readonly #goingBack = new Set<ProcessLife>();
  /** By who has started, newest last. */
  readonly #beginnings = new Map<ProcessLife, Beginning>();

  constructor(name: string, disk: SimulatedDisk, queue: EventQueue, violate: Violate) {
    this.#name = name;
    this.#disk = disk;
    this.#queue = queue;
    this.#violate = violate;
  }

  /** A file has got its name. */
  saved(path: string, bytes: Uint8Array): void {
    // What is set aside need not be whole.
    if (!path.endsWith(".safetensors") || path.includes("/aside/")) return;
    const { tensors, cursor } = decodeCheckpoint(bytes);
    const witness = witnessIn(tensors);
    if (witness.length !== cursor + 1 || witness.some((batch, index) => batch !== index))
      this.#violate("exactly once", `${this.#name} saves ${cursor}, in its weights is ${witness.join(" ")}`);
    for (const [name, values] of Object.entries(tensors))
      if (!values.every(Number.isFinite)) this.#violate("finite", `${this.#name} saves ${name}`);
  }

  /** Nobody may rely on what the one in office has not seen. */
  reported(place: Place): void {
    // What was damaged before it was reported is lost by the disk, whoever reports it.
    if (this.#damaged.has(String(place))) return;
    const blind = [...this.#beginnings].find(
      ([{ incarnation }, { at, wentBack }]) => !wentBack && incarnation > place[0] && isOlder(at, place),
    );
    if (blind) {
      const [{ incarnation }, { at }] = blind;
      this.#violate("durable", `${this.#name} relies on ${place}, ${incarnation} began at ${at}`);
    }
    this.#reported.push(place);
  }

  /** On purpose: its next life may begin with an older checkpoint. */
  goesBack(lived: ProcessLife): void {
    this.#goingBack.add(lived);
  }

  started(lived: ProcessLife, incarnation: number): void {
    // Stopped in the middle of its start, it may have been replaced since.
    const isFree = this.#goingBack.delete(lived);
    const floor = isFree ? undefined : newestOf(this.#reported.filter((place) => place[0] < incarnation));
    this.#beginnings.set(lived, { floor, at: NOWHERE, wentBack: isFree });
  }

  restored(lived: ProcessLife, at: Place): void {
    const { floor, wentBack = false } = this.#beginnings.get(lived) ?? {};
    const damage = this.#damaged.get(String(at));
    const { from, to } = lived.frozen;
    // It may have been read just before.
    const isOld = damage && this.#queue.now - (damage.at > from ? Math.max(damage.at, to) : damage.at) > 20;
    const who = `${this.#name}/${lived.incarnation}`;
    if (isOld && this.#disk.bytesOf(`${STATE}/${nameOf(at)}`) === damage.bytes)
      this.#violate("undamaged", `${who} begins at ${at}, which was damaged`);
    if (floor && isOlder(at, floor)) this.#violate("durable", `${who} begins at ${at}, durable was ${floor}`);
    this.#beginnings.set(lived, { floor: undefined, at, wentBack });
  }

  /** Whoever has restored nothing by now begins with nothing. */
  linked(lived: ProcessLife): void {
    if (this.#beginnings.get(lived)?.floor) this.restored(lived, NOWHERE);
  }

  /** A life says that there is none it could begin with. */
  foundNone(message: string): void {
    if (this.#reported.length > 0) this.#violate("durable", `${this.#name}: ${message}`);
  }

  /** By a disk that has lost its bits: nobody has to find this one any more, nor those that are gone already. */
  damaged(name: string): void {
    const place = placeOf(name);
    const bytes = this.#disk.bytesOf(`${STATE}/${name}`)!;
    this.#damaged.set(String(place), { place, bytes, at: this.#queue.now });
    const left = wholeOn(this.#disk).map(placeOf);
    this.#reported = this.#reported.filter(
      (one) => isOlder(one, place) && left.some((other) => isSame(one, other)),
    );
  }

  /** How many were damaged that are newer than this one, or in all. */
  damagedSince(name: string | undefined): number {
    const places = [...this.#damaged.values()].map(({ place }) => place);
    return places.filter((place) => name === undefined || isOlder(placeOf(name), place)).length;
  }

  isDamagedAt(cursor: number): boolean {
    return [...this.#damaged.keys()].some((place) => place.endsWith(`,${cursor}`));
  }
}
