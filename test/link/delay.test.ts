import { afterEach, describe, expect, it, vi } from "vitest";
import { Delay } from "../../shared/link/delay.ts";
import type { ActivationFrame } from "../../shared/wire/frames.ts";
import { activation } from "../support/frames.ts";
import { DialEnd, ListenEnd } from "../support/link-ends.ts";

describe("a delay", () => {
  afterEach(() => vi.useRealTimers());

  function delayed() {
    vi.useFakeTimers();
    const out: number[] = [];
    return { out, delay: new Delay<number>((item) => out.push(item)) };
  }

  it("of nothing hands on at once", () => {
    const { out, delay } = delayed();
    delay.take(1);
    expect(out).toEqual([1]);
  });

  it("hands each on so much later, in order", () => {
    const { out, delay } = delayed();
    delay.ms = 100;
    delay.take(1);
    vi.advanceTimersByTime(60);
    delay.take(2);
    vi.advanceTimersByTime(39);
    expect(out).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(out).toEqual([1]);
    vi.advanceTimersByTime(60);
    expect(out).toEqual([1, 2]);
  });

  it("that ends or changes lets go what waits, before what comes later, and nothing twice or too soon", () => {
    const { out, delay } = delayed();
    delay.ms = 100;
    delay.take(1);
    delay.take(2);
    delay.ms = 50;
    expect(out).toEqual([1, 2]);
    delay.take(3);
    vi.advanceTimersByTime(49);
    expect(out).toEqual([1, 2]);
    delay.ms = 0;
    delay.take(4);
    vi.advanceTimersByTime(1_000);
    expect(out).toEqual([1, 2, 3, 4]);
  });
});

describe("a link with a delay", () => {
  it("sends the same frames later, though their memory is used again, and the last of them before it closes", async () => {
    const end = await ListenEnd.open();
    const dialling = new DialEnd(end.url);
    const { link } = await dialling.ups.next();
    const filled = (batch: number) => {
      const frame = activation(batch, 64, 800);
      frame.activation.data.fill(batch);
      return frame;
    };
    for (let batch = 0; batch < 5; batch++) link.send(filled(batch));
    link.delay(300);
    const before = performance.now();
    for (let batch = 5; batch < 15; batch++) link.send(filled(batch));
    expect(link.bufferedBytes).toBeGreaterThanOrEqual(10 * 64 * 800);
    for (let batch = 0; batch < 15; batch++) {
      const heard = (await end.frames.next()) as ActivationFrame;
      if (batch === 5) expect(performance.now() - before).toBeGreaterThan(290);
      expect(heard.batch).toBe(batch);
      expect(Buffer.compare(heard.activation.data, filled(batch).activation.data)).toBe(0);
    }
    link.send(filled(15));
    await dialling.dialler.close();
    expect(await end.frames.next()).toMatchObject({ batch: 15 });
    await end.listener.close();
  });
});
