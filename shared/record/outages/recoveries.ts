import type { Config } from "../../config/config.ts";
import { learnsFromTargets } from "../../config/learns-from-targets.ts";
import type { EventLine } from "../lines.ts";
import { layerName, type WorkerName } from "../worker-name.ts";
import type { Recovery } from "./recovery.ts";

interface Known {
  /** The newest life that was heard of. */
  readonly incarnation: number;
  readonly deaths: number;
  /** The newest life that ended as it was told to, or to go back: what comes after it is no recovery from a death. */
  readonly willed: number;
  readonly inexact?: Recovery["inexact"];
}

const UNKNOWN: Known = { incarnation: 0, deaths: 0, willed: 0 };
const ENDS_WILLED: ReadonlySet<string> = new Set(["rewound", "poisoned", "stopped", "fenced", "finished"]);

/** The deaths of a run, counted as its events come; in the memory of one. */
export class Recoveries {
  readonly #known = new Map<string, Known>();
  /** Those to which it matters when they learnt what, and who write that down. */
  readonly #ordered: ReadonlySet<string>;
  readonly #doubt: string | undefined;

  constructor(config: Config) {
    const isFree = config.delivery.schedule === "free";
    const ordered = config.layers.flatMap((_, index) =>
      isFree && learnsFromTargets(config, index + 1) ? [layerName(index + 1)] : [],
    );
    this.#ordered = new Set(ordered);
    this.#doubt = doubtOf(config);
  }

  add(event: EventLine): void {
    const { worker, incarnation, name } = event;
    const before = this.#known.get(worker) ?? UNKNOWN;
    if (name === "began" || name === "restored") this.#known.set(worker, this.#begun(before, incarnation));
    else if (ENDS_WILLED.has(name))
      this.#known.set(worker, { ...before, willed: Math.max(before.willed, incarnation) });
    const why = this.#traceIn(event);
    if (why !== undefined) this.#known.set(worker, withTrace(this.#known.get(worker) ?? before, why));
  }

  of(worker: WorkerName): Recovery {
    const { deaths, inexact } = this.#known.get(worker) ?? UNKNOWN;
    return { deaths, ...(inexact && { inexact }) };
  }

  /** Lives that said nothing died before they could, or before there was a hub. */
  #begun(before: Known, incarnation: number): Known {
    if (incarnation <= before.incarnation) return before;
    const isWilled = before.willed > 0 && before.willed >= before.incarnation;
    const died = incarnation - Math.max(1, before.incarnation) - (isWilled ? 1 : 0);
    const after = { ...before, incarnation, deaths: before.deaths + died };
    return died > 0 && this.#doubt !== undefined ? withTrace(after, this.#doubt) : after;
  }

  #traceIn({ worker, name, text }: EventLine): string | undefined {
    if (name === "inexact") return text;
    if (name === "poisoned") return "its numbers ran away, and it learnt on at half the rate";
    if (name === "fenced" && this.#ordered.has(worker))
      return "two of its lives ran at once, and may share an order";
    return undefined;
  }
}

/** Why deaths may leave a trace in any run of this config; undefined where they leave none. */
function doubtOf({ learning, delivery }: Config): string | undefined {
  if (learning.late) return "gradients of backprop come late";
  if (learning.inputGenerator && delivery.schedule === "free")
    return "layers of a free run guess their inputs";
  return undefined;
}

function withTrace(known: Known, why: string): Known {
  return { ...known, inexact: { count: (known.inexact?.count ?? 0) + 1, why } };
}
