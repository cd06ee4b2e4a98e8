import { expect, test } from "vitest";
import { SendRooms } from "../../shared/link/send-rooms.ts";
import type { ActivationFrame } from "../../shared/wire/frames.ts";
import { activation } from "../support/frames.ts";
import { DialEnd, ListenEnd } from "../support/link-ends.ts";

test("a room comes back only after it was given back, and only if it is large enough", () => {
  const rooms = new SendRooms();
  const first = rooms.take(100);
  expect(rooms.take(100)).not.toBe(first);
  rooms.give(first);
  const larger = rooms.take(101);
  expect(larger.length).toBe(101);
  rooms.give(larger);
  expect(rooms.take(50)).toBe(larger);
});

test("no more than a few rooms are kept", () => {
  const rooms = new SendRooms();
  const given = Array.from({ length: 100 }, () => Buffer.alloc(10));
  for (const room of given) rooms.give(room);
  const taken = new Set(given.map(() => rooms.take(10)));
  expect(given.filter((room) => taken.has(room))).toHaveLength(4);
});

test("frames that the network takes late arrive as they were when they were sent", async () => {
  const listening = await ListenEnd.open();
  const dialling = new DialEnd(listening.url);
  const { link } = await dialling.ups.next();
  const frames = Array.from({ length: 100 }, (_, batch) => distinct(batch));
  // More than sockets hold, and all before the receiver, in this same process, can read any.
  for (const frame of frames) link.send(frame);
  expect(link.bufferedBytes).toBeGreaterThan(0);
  for (const sent of frames) {
    const frame = (await listening.frames.next()) as ActivationFrame;
    expect(frame.batch).toBe(sent.batch);
    expect(Buffer.compare(frame.activation.data, sent.activation.data)).toBe(0);
  }
  await dialling.dialler.close();
  await listening.listener.close();
});

function distinct(batch: number): ActivationFrame {
  const frame = activation(batch, 64, 512);
  frame.activation.data.fill(batch + 1);
  return frame;
}
