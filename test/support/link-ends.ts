import { type Dialler, type DialOptions, dial } from "../../shared/link/dial.ts";
import type { Link, Why } from "../../shared/link/link.ts";
import { type Listener, type ListenOptions, listen } from "../../shared/link/listen.ts";
import type { BackFrame, ForwardFrame, HelloFrame, WelcomeFrame } from "../../shared/wire/frames.ts";
import { hello, welcome } from "./frames.ts";
import { Inbox } from "./raw-peer.ts";

/** Patient enough for a busy machine; tests about a deadline shorten that one. */
export const patientLink = { heartbeatMs: 10_000, handshakeMs: 10_000, backoffMs: { first: 1, most: 20 } };
const maxFrameBytes = 1 << 20;

/** A dialler under test, and all it says. */
export class DialEnd {
  readonly ups = new Inbox<{ link: Link; welcome: WelcomeFrame }>();
  readonly downs = new Inbox<{ link: Link | undefined; why: Why }>();
  readonly frames = new Inbox<BackFrame>();
  readonly waits = new Inbox<{ attempt: number; waitMs: number }>();
  readonly refusals = new Inbox<Why>();
  readonly dialler: Dialler;

  constructor(url: string, changes: Partial<DialOptions> = {}) {
    this.dialler = dial({
      url,
      link: patientLink,
      maxFrameBytes,
      random: () => 0.5,
      hello: () => hello,
      check: () => undefined,
      onUp: (link, answer) => this.ups.put({ link, welcome: answer }),
      onFrame: (frame) => this.frames.put(frame),
      onDown: (link, why) => this.downs.put({ link, why }),
      onWaiting: (attempt, waitMs) => this.waits.put({ attempt, waitMs }),
      onRefused: (why) => this.refusals.put(why),
      ...changes,
    });
  }
}

/** A listener under test, and all it says. */
export class ListenEnd {
  readonly ups = new Inbox<{ link: Link; hello: HelloFrame }>();
  readonly downs = new Inbox<{ link: Link; why: Why }>();
  readonly frames = new Inbox<ForwardFrame>();
  readonly turnedAway = new Inbox<Why>();
  readonly story: string[] = [];
  #listener: Listener | undefined;

  static async open(changes: Partial<ListenOptions> = {}): Promise<ListenEnd> {
    const end = new ListenEnd();
    end.#listener = await listen({
      host: "127.0.0.1",
      port: 0,
      link: patientLink,
      maxFrameBytes,
      answer: () => welcome,
      onUp: (link, greeting) => {
        end.story.push(`up ${greeting.instance}`);
        end.ups.put({ link, hello: greeting });
      },
      onFrame: (frame) => end.frames.put(frame),
      onDown: (link, why) => {
        end.story.push(`down ${why.code}`);
        end.downs.put({ link, why });
      },
      onTurnedAway: (why) => end.turnedAway.put(why),
      ...changes,
    });
    return end;
  }

  get listener(): Listener {
    return this.#listener!;
  }

  get port(): number {
    return this.listener.port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }
}
