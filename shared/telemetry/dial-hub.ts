import { type DialAnswer, Dialling, type DialTarget } from "../link/dialling.ts";
import type { Link, Why } from "../link/link.ts";
import type { Secret } from "../link/secret.ts";
import { provenIntroduction, refuseCommand, refuseLook, refuseQuestion } from "./hub-proof.ts";
import type { Command, Introduction, LookMessage, QuestionMessage, ToHub, ToWorker } from "./messages.ts";
import { misfit, workerCodec } from "./telemetry-codec.ts";

export interface HubDialOptions extends Omit<DialTarget, "maxFrameBytes"> {
  /** Proves the introduction, and is asked of every command. */
  readonly secret?: Secret | undefined;
  /** The first thing said on every connection. */
  readonly introduction: Introduction;
  onUp(hub: HubLink): void;
  onAcknowledged(seq: number): void;
  /** It was proved where there is a secret; else `refusal` says why it must not be obeyed. `worker`: whom it is about, if another. */
  onCommand(command: Command, refusal: string | undefined, worker?: string): void;
  /** As onCommand; only where the introduction says that it takes questions. */
  onQuestion?(question: QuestionMessage, refusal: string | undefined): void;
  onLook?(look: LookMessage, refusal: string | undefined): void;
  /** Once for every connection that was up. */
  onDown(why: Why): void;
}

/** A connection to the hub, introduced and welcome. */
export type HubLink = Pick<Link<Exclude<ToHub, Introduction>>, "send" | "bufferedBytes">;
export interface HubDialler {
  /** Stops dialling, and closes what is open after what was sent. */
  close(): unknown;
}
export type DialHub = (options: HubDialOptions) => HubDialler;

const PATH = "/telemetry";
const MOST_BYTES = 64 * 1024;

/** What was said to this hub and heard from it so far. */
interface Welcome {
  readonly challenge: string;
  readonly introduction: Introduction;
  readonly seq: number;
}

/** Dials again and again until it is closed. Nothing here makes the caller wait, or throws at it. */
export const dialHub: DialHub = (options) => {
  let up: Welcome | undefined;
  return new Dialling<ToHub, ToWorker, Welcome>({
    ...options,
    url: options.url.replace(/\/*$/, PATH),
    maxFrameBytes: MOST_BYTES,
    // A hub acknowledges.
    isTalkative: true,
    gathers: true,
    codec: () => workerCodec,
    answer: (message) => answerTo(message, options),
    onUp: (link, welcome) => {
      up = welcome;
      options.onUp(link);
      options.onAcknowledged(welcome.seq);
    },
    onFrame: (message) => hear(message, up!, options),
    onDown: (link, why) => link && options.onDown(why),
  });
};

function hear(message: ToWorker, { introduction, challenge }: Welcome, options: HubDialOptions): void {
  const { secret } = options;
  switch (message.kind) {
    case "challenge":
      throw misfit("it has challenged already");
    case "ack":
      return options.onAcknowledged(message.seq);
    case "question":
      return options.onQuestion?.(message, refuseQuestion(secret, message, introduction, challenge));
    case "look":
      return options.onLook?.(message, refuseLook(secret, message, introduction, challenge));
    case "command": {
      const refusal = refuseCommand(secret, message, introduction, challenge);
      return options.onCommand(message.command, refusal, message.worker);
    }
  }
}

function answerTo(message: ToWorker, options: HubDialOptions): DialAnswer<ToHub, ToWorker, Welcome> {
  const { secret, introduction: own } = options;
  if (message.kind !== "challenge") throw misfit("the first word is challenge");
  const { protocol, nonce: challenge } = message;
  if (protocol !== own.protocol) throw misfit(`protocol is ${protocol}, expected ${own.protocol}`);
  const introduction = provenIntroduction(secret, own, challenge);
  const welcome = (answer: ToWorker) => {
    if (answer.kind !== "ack") throw misfit("the answer to an introduction is ack");
    return { challenge, introduction, seq: answer.seq };
  };
  return { hello: introduction, welcome };
}
