import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import type { Link } from "../../shared/link/link.ts";
import { followReads } from "../../shared/link/read-in-place.ts";
import type { Frame } from "../../shared/wire/frames.ts";
import { Certificates } from "../support/certificates.ts";
import { activation } from "../support/frames.ts";
import { DialEnd, ListenEnd } from "../support/link-ends.ts";
import { TcpProxy } from "../support/proxy.ts";
import { clientFrame } from "../support/raw-frames.ts";
import { Inbox } from "../support/raw-peer.ts";

const missing = Certificates.missing();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Where each frame lay when it came, and a sum of what was in it. */
interface Seen {
  readonly batch: number;
  readonly memory: ArrayBufferLike;
  readonly isAsSent: boolean;
}

/** Both ends of a link, and what they see of frames while those are lent. */
async function linked(tls: boolean, sliceBytes?: number) {
  const seen = { forward: new Inbox<Seen>(), back: new Inbox<Seen>() };
  const credentials = tls ? certificates() : undefined;
  const end = await ListenEnd.open({
    onFrame: (frame) => seen.forward.put(seenIn(frame)),
    ...(credentials && { tls: credentials.listener }),
  });
  const proxy = await TcpProxy.open({ target: end.port, conditions: sliceBytes ? { sliceBytes } : {} });
  const other = new DialEnd(`${tls ? "wss" : "ws"}://127.0.0.1:${proxy.port}/`, {
    onFrame: (frame) => seen.back.put(seenIn(frame)),
    ...(credentials && { tls: credentials.dialler }),
  });
  cleanups.push(
    () => end.listener.close(),
    () => proxy.close(),
    () => other.dialler.close(),
  );
  return { seen, forward: (await other.ups.next()).link, back: (await end.ups.next()).link };
}

function certificates() {
  const files = new Certificates();
  cleanups.push(() => files.remove());
  files.authority("ours");
  return {
    listener: files.worker("listener", "ours", "IP:127.0.0.1"),
    dialler: files.worker("dialler", "ours", "DNS:layer1"),
  };
}

const filled = (batch: number, rows: number) => {
  const frame = activation(batch, rows, 256);
  frame.activation.data.fill(batch);
  return frame;
};

function seenIn(frame: Frame): Seen {
  const { batch, tensor } =
    frame.kind === "activation"
      ? { batch: frame.batch, tensor: frame.activation }
      : frame.kind === "gradient"
        ? { batch: frame.batch, tensor: frame.gradient! }
        : expect.fail(`heard ${frame.kind}`);
  const { data } = tensor;
  return { batch, memory: data.buffer, isAsSent: data.every((byte) => byte === batch) };
}

/** Twenty frames of all lengths up to 100 KiB each way, each after the one before was heard or all at once. */
async function exchange({ seen, forward, back }: Awaited<ReturnType<typeof linked>>): Promise<Seen[]> {
  const sent = Array.from({ length: 20 }, (_, batch) => filled(batch, 1 + ((batch * 37) % 100)));
  const sendAll = (link: Link, asGradient: boolean) => {
    for (const frame of sent) {
      const { batch, activation: gradient } = frame;
      link.send(asGradient ? { kind: "gradient", batch, gradient } : frame);
    }
  };
  sendAll(forward, false);
  sendAll(back, true);
  const heard: Seen[] = [];
  for (const inbox of [seen.forward, seen.back])
    for (const { batch } of sent) {
      const each = await inbox.next();
      expect(each).toMatchObject({ batch, isAsSent: true });
      heard.push(each);
    }
  return heard;
}

describe("a link that is up", () => {
  it.each([
    ["over TCP", false],
    ["over TLS", true],
  ])("reads all its frames into one and the same memory, at either end, %s", async (_, tls) => {
    if (tls && missing !== undefined) return;
    const heard = await exchange(await linked(tls));
    expect(new Set(heard.map(({ memory }) => memory)).size).toBe(2);
  });

  it.each([
    ["over TCP", false],
    ["over TLS", true],
  ])("hears every frame as it was sent where the network cuts them in odd pieces, %s", async (_, tls) => {
    if (tls && missing !== undefined) return;
    await exchange(await linked(tls, 1009));
  });
});

it("a stream that has not what a socket of Node has is read as ever", async () => {
  const stream = new PassThrough();
  followReads(stream, 1000)();
  const heard = new Inbox<Buffer>();
  stream.on("data", (bytes: Buffer) => heard.put(bytes));
  const frame = clientFrame(2, "as ever");
  stream.write(frame);
  expect(await heard.next()).toEqual(frame);
});
