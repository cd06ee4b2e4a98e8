import { type Arrival, Door, type Guest } from "../link/door.ts";
import type { SocketLink, Why } from "../link/link.ts";
import type { Secret } from "../link/secret.ts";
import { CloseCode } from "../wire/frames.ts";
import { provenCommand, provenLook, provenQuestion, refuseIntroduction } from "./hub-proof.ts";
import {
  type AnswerMessage,
  type Command,
  type Goodbye,
  type Introduction,
  type LookMessage,
  type QuestionMessage,
  type SeenMessage,
  type Standing,
  TELEMETRY_PROTOCOL,
  type ToWorker,
} from "./messages.ts";
import { type Heard, MOST_MESSAGE_BYTES } from "./parse-telemetry.ts";
import { hubCodec, misfit, TelemetryClose } from "./telemetry-codec.ts";

interface TelemetryServerOptions {
  readonly secret: Secret | undefined;
  readonly handshakeMs: number;
  /** Why this worker is not one of the run; undefined if it is. */
  readonly refuse: (introduction: Introduction) => string | undefined;
  readonly introduced: (visitor: TelemetryClient) => void;
  readonly stood: (visitor: TelemetryClient, standing: Standing) => void;
  readonly answered: (visitor: TelemetryClient, answer: AnswerMessage) => void;
  readonly seen: (visitor: TelemetryClient, seen: SeenMessage) => void;
  readonly said: (visitor: TelemetryClient, line: Extract<Heard, { kind: "line" }>) => void;
  readonly goodbye: (visitor: TelemetryClient, why: Goodbye["why"]) => void;
  /** Once for each that was introduced. */
  readonly left: (visitor: TelemetryClient, why: Leaving) => void;
  readonly turnedAway: (reason: string) => void;
}

/** "sent away" by us: nothing is known of it by that. */
export type Leaving = "broke" | "sent away";

/** A worker with an open connection, introduced. */
export interface TelemetryClient {
  readonly introduction: Introduction;
  /** Where it comes from. */
  readonly host: string;
  acknowledge(seq: number): void;
  /** `worker`: whom it is about, if another. */
  command(command: Command, worker?: string): void;
  /** To a source that takes questions. */
  ask(question: Omit<QuestionMessage, "kind" | "proof">): void;
  /** To a worker that tells what it sees. */
  look(look: Pick<LookMessage, "look" | "batch">): void;
  /** It dials again, and says again what was not acknowledged. */
  sendAway(reason: string): void;
}

/** All connections, of workers that are introduced and of those that are not yet. */
const MOST_CONNECTIONS = 1_200;
/** Beyond it nothing more is read from the worker until the second is over; it keeps its lines until then. */
const MOST_MESSAGES_A_SECOND = 2_000;
const HEARTBEAT_MS = 2_000;

type HubLink = SocketLink<ToWorker, Heard>;

/** Where workers come in to tell of themselves: /telemetry of the hub's port. */
export class TelemetryServer extends Door<ToWorker, Heard> {
  readonly #options: TelemetryServerOptions;
  readonly #visitors = new Set<Visiting>();

  constructor(options: TelemetryServerOptions) {
    super({
      path: "/telemetry",
      link: { heartbeatMs: HEARTBEAT_MS, handshakeMs: options.handshakeMs },
      mostConnections: MOST_CONNECTIONS,
      maxFrameBytes: MOST_MESSAGE_BYTES,
      // An introduction holds a config, and so is longer than any hello.
      strangerBytes: 2 * MOST_MESSAGE_BYTES,
      isTalkative: true,
      codec: () => hubCodec,
      challenge: (nonce) => ({ kind: "challenge", protocol: TELEMETRY_PROTOCOL, nonce }),
      greet: (heard, link, arrival) => this.#greet(heard, link, arrival),
      onTurnedAway: (why) => this.#mayBeRefused(why),
    });
    this.#options = options;
  }

  end(): void {
    void this.close(CloseCode.goingAway, "the hub ends");
  }

  #greet(heard: Heard, link: HubLink, { nonce, host }: Arrival): Guest<Heard> {
    if (heard.kind !== "introduction") throw misfit(`the first word is ${heard.kind}, expected introduction`);
    const { secret, refuse, introduced } = this.#options;
    const reason = refuseIntroduction(secret, heard, nonce) ?? refuseProtocol(heard) ?? refuse(heard);
    if (reason !== undefined) throw misfit(reason);
    for (const other of this.#visitors) {
      // Its connection broke and we have not heard of it.
      if (other.introduction.instance === heard.instance) other.terminate();
    }
    const visitor = new Visiting(link, heard, host, {
      command: (command, worker) => link.send(provenCommand(secret, command, heard, nonce, worker)),
      ask: (question) => link.send(provenQuestion(secret, question, heard, nonce)),
      look: (look) => link.send(provenLook(secret, look, heard, nonce)),
    });
    this.#visitors.add(visitor);
    introduced(visitor);
    return { hear: (message) => this.#hear(visitor, message), left: (why) => this.#left(visitor, why) };
  }

  #hear(visitor: Visiting, heard: Heard): void {
    visitor.slowDown();
    switch (heard.kind) {
      case "line":
        return this.#options.said(visitor, heard);
      case "answer":
        return this.#options.answered(visitor, heard);
      case "seen":
        return this.#options.seen(visitor, heard);
      case "standing":
        return this.#options.stood(visitor, heard);
      case "goodbye":
        return this.#options.goodbye(visitor, heard.why);
      case "introduction":
        throw misfit("it has introduced itself already");
    }
  }

  #left(visitor: Visiting, why: Why): void {
    this.#visitors.delete(visitor);
    this.#options.left(visitor, why.code === TelemetryClose.tryAgain && !why.heard ? "sent away" : "broke");
    this.#mayBeRefused(why);
  }

  #mayBeRefused({ code, reason, heard }: Why): void {
    if (code === TelemetryClose.policy && !heard) this.#options.turnedAway(reason);
  }
}

class Visiting implements TelemetryClient {
  readonly introduction: Introduction;
  readonly host: string;
  readonly command: TelemetryClient["command"];
  readonly ask: TelemetryClient["ask"];
  readonly look: TelemetryClient["look"];
  readonly #link: HubLink;
  #second = 0;
  #messages = 0;

  constructor(
    link: HubLink,
    introduction: Introduction,
    host: string,
    { command, ask, look }: Pick<TelemetryClient, "command" | "ask" | "look">,
  ) {
    this.#link = link;
    this.introduction = introduction;
    this.host = host;
    this.command = command;
    this.ask = ask;
    this.look = look;
  }

  acknowledge(seq: number): void {
    this.#link.send({ kind: "ack", seq });
  }

  sendAway(reason: string): void {
    this.#link.close(TelemetryClose.tryAgain, reason);
  }

  terminate(): void {
    this.#link.terminate();
  }

  slowDown(): void {
    const now = performance.now();
    const second = Math.floor(now / 1000);
    this.#messages = second === this.#second ? this.#messages + 1 : 1;
    this.#second = second;
    if (this.#messages === MOST_MESSAGES_A_SECOND) this.#link.pause((second + 1) * 1000 - now);
  }
}

function refuseProtocol({ protocol }: Introduction): string | undefined {
  if (protocol === TELEMETRY_PROTOCOL) return undefined;
  return `protocol is ${protocol}, expected ${TELEMETRY_PROTOCOL}`;
}
