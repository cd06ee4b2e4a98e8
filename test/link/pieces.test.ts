import { afterEach, expect, it } from "vitest";
import type { ActivationFrame } from "../../shared/wire/frames.ts";
import { activation } from "../support/frames.ts";
import { DialEnd, ListenEnd } from "../support/link-ends.ts";
import { TcpProxy } from "../support/network/proxy.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

it("a frame of 8 KiB arrives though the network gives it byte by byte", async () => {
  const end = await ListenEnd.open();
  const proxy = await TcpProxy.open({ target: end.port, conditions: { sliceBytes: 1 } });
  const dialling = new DialEnd(`ws://127.0.0.1:${proxy.port}/`);
  cleanups.push(
    () => dialling.dialler.close(),
    () => proxy.close(),
    () => end.listener.close(),
  );
  const { link } = await dialling.ups.next();
  const frame = activation(7, 30, 64);
  link.send(frame);
  const heard = (await end.frames.next()) as ActivationFrame;
  expect(Buffer.from(heard.activation.data)).toEqual(Buffer.from(frame.activation.data));
});

it("frames that wait for a slow network arrive as they were sent, though the memory of those before is used again", async () => {
  const end = await ListenEnd.open();
  const dialling = new DialEnd(end.url);
  cleanups.push(
    () => dialling.dialler.close(),
    () => end.listener.close(),
  );
  const { link } = await dialling.ups.next();
  const filled = (batch: number) => {
    const frame = activation(batch, 64, 800);
    frame.activation.data.fill(batch % 256);
    return frame;
  };
  for (let first = 300; first < 480; first += 60) {
    for (let batch = first; batch < first + 60; batch++) link.send(filled(batch));
    expect(link.bufferedBytes).toBeGreaterThan(0);
    for (let batch = first; batch < first + 60; batch++) {
      const heard = (await end.frames.next()) as ActivationFrame;
      expect(heard.batch).toBe(batch);
      expect(Buffer.compare(heard.activation.data, filled(batch).activation.data)).toBe(0);
    }
  }
});
