import type { Logger } from "pino";
import type { Dialler, DialOptions } from "../../shared/link/dial.ts";
import { type Life, refuseStranger } from "../../shared/link/greeting.ts";
import type { Link, Why } from "../../shared/link/link.ts";
import { type BackFrame, CloseCode, type HelloFrame, type WelcomeFrame } from "../../shared/wire/frames.ts";
import type { Environment } from "./environment.ts";
import { expectationOf, type Identity, introductionOf } from "./identity.ts";
import { LogAllowance } from "./log-allowance.ts";
import { isWorthALine } from "./log-throttle.ts";

/** How it is dialled, and as what the activations travel there. */
export interface Route
  extends Pick<DialOptions, "url" | "link" | "maxFrameBytes" | "traffic" | "random">,
    Pick<HelloFrame, "width" | "dtype"> {
  readonly dial: Environment["dial"];
  readonly now: Environment["now"];
  /** In the log. */
  readonly called: string;
}

/** What becomes of the link. */
interface SuccessorEvents {
  /** Awaited before each hello. */
  beforeHello(): Promise<void>;
  up(link: Link, welcome: WelcomeFrame): void;
  heard(frame: BackFrame): void;
  /** A link that was up. */
  down(link: Link, why: Why): void;
  /** It has met a newer life than this one. */
  fenced(): void;
  /** However often it is dialled, it would answer alike. */
  hopeless(): void;
}

/** The same refusal that often, and dialling on is pointless. */
const MOST_REFUSALS = 3;

/** The next layer of the chain: dialled until it is closed, and accepted only in its newest life. */
export class Successor {
  readonly #self: Identity;
  readonly #called: string;
  readonly #log: Logger;
  readonly #events: SuccessorEvents;
  readonly #dialler: Dialler;
  readonly #waits: LogAllowance;
  /** The life that was met last. */
  #newest: Life | undefined;
  #refusals = 0;

  constructor(self: Identity, route: Route, log: Logger, events: SuccessorEvents) {
    this.#self = self;
    this.#called = route.called;
    this.#log = log;
    this.#events = events;
    this.#waits = new LogAllowance(route.now);
    this.#dialler = this.#dial(route);
  }

  get hasMet(): boolean {
    return this.#newest !== undefined;
  }

  /** Stops dialling, and closes what is open; resolves when the socket is gone. */
  close(code: CloseCode, reason: string): Promise<void> {
    return this.#dialler.close(code, reason);
  }

  #dial({ dial, width, dtype, url, link, maxFrameBytes, traffic, random }: Route): Dialler {
    const { layer } = this.#self;
    return dial({
      url,
      link,
      maxFrameBytes,
      traffic,
      random,
      beforeHello: () => this.#events.beforeHello(),
      hello: () => ({
        kind: "hello",
        from: layer,
        to: layer + 1,
        ...introductionOf(this.#self),
        width,
        dtype,
      }),
      check: (welcome) => refuseStranger(expectationOf(this.#self, layer + 1, this.#newest), welcome),
      onUp: (link, welcome) => this.#up(link, welcome),
      onFrame: (frame) => this.#events.heard(frame),
      onDown: (link, why) => {
        if (link) this.#events.down(link, why);
      },
      onWaiting: (attempt, waitMs, { reason }) => {
        const line = isWorthALine(attempt) ? this.#waits.take() : undefined;
        if (!line) return;
        this.#log.info(
          { attempt, waitMs: Math.round(waitMs), reason, ...line },
          `waiting for ${this.#called}`,
        );
      },
      onRefused: (refusal) => this.#refused(refusal),
    });
  }

  #up(link: Link, welcome: WelcomeFrame): void {
    const { incarnation, instance } = welcome;
    this.#refusals = 0;
    this.#newest = { incarnation, instance };
    this.#events.up(link, welcome);
  }

  /** The same dial would be answered alike: an older life steps down, a stranger gives up after a few tries. */
  #refused({ code, reason }: Why): void {
    this.#refusals += 1;
    this.#log.error({ code, reason, times: this.#refusals }, `refused by ${this.#called}`);
    if (code === CloseCode.fenced) this.#events.fenced();
    else if (this.#refusals >= MOST_REFUSALS) this.#events.hopeless();
  }
}
