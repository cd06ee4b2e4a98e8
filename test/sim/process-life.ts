import { Life } from "./world/life.ts";

/** A life, and what is remembered of it when it is over. */
export class ProcessLife {
  readonly life: Life;
  incarnation = 0;
  stop: ((why: string) => void) | undefined;
  exit: number | undefined;
  isDone = false;
  /** To stop, as by a machine that is shut down, and comes up again. */
  isAsked = false;
  lastWords = "";
  /** Highest incarnation met of the neighbour on either side. */
  met = { predecessor: 0, successor: 0 };
  /** Successors it, or whose order it follows, has met since it last learnt a target. */
  lostTargets = 0;
  /** When it was stopped last, in virtual milliseconds: what it had read before, it deals with behind. */
  frozen = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY };

  constructor(name: string, onCrash: (error: unknown) => void) {
    this.life = new Life(name, onCrash);
  }

  get standing(): string {
    const { life, incarnation, exit, lastWords } = this;
    const state = exit !== undefined ? `exited ${exit}` : life.isAlive ? "alive" : "dead";
    return `${life.name}/${incarnation} ${state} (${lastWords})`;
  }
}
