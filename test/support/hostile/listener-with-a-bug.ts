import { listen } from "../../../shared/link/listen.ts";
import { welcome } from "../frames.ts";

/** A layer whose handler throws what is no FrameError: a program of its own, since it must die of it. */
const listener = await listen({
  host: "127.0.0.1",
  port: 0,
  link: { heartbeatMs: 10_000, handshakeMs: 10_000, backoffMs: { first: 1, most: 1 } },
  maxFrameBytes: 1 << 20,
  answer: () => welcome,
  onUp: () => {},
  onFrame: () => {
    throw new TypeError("a bug in the layer");
  },
  onDown: () => {},
});
process.stdout.write(`${listener.port}\n`);
