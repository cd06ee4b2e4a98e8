import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { CloseCode } from "../../shared/wire/frames.ts";
import { activation, countingTensor, hello } from "../support/frames.ts";
import { openEnds } from "../support/open-ends.ts";

const { cleanups, dialEnd, listenEnd, rawPeer, rawPredecessor } = openEnds();

describe("frames:", () => {
  test("a thousand at once arrive in order, in both directions", async () => {
    const end = await listenEnd();
    const dialler = dialEnd(end.url);
    const forward = (await dialler.ups.next()).link;
    const back = (await end.ups.next()).link;
    for (let batch = 0; batch < 1000; batch++) {
      forward.send(activation(batch));
      back.send({ kind: "gradient", batch, gradient: countingTensor(2, 4) });
    }
    for (let batch = 0; batch < 1000; batch++) {
      expect(await end.frames.next()).toMatchObject({ kind: "activation", batch });
      expect(await dialler.frames.next()).toMatchObject({ kind: "gradient", batch });
    }
    expect(end.frames.kept).toHaveLength(0);
  });

  test.each([
    ["text", "hello", CloseCode.badFrame, "Cannot read frame: it is text, expected binary"],
    ["garbage", Buffer.from("c1c1", "hex"), CloseCode.badFrame, "0xc1, a type that no frame has"],
    ["a frame longer than any it expects", Buffer.alloc((1 << 20) + 1), 1009, ""],
  ])("%s closes the link", async (_, bytes, code, reason) => {
    const end = await listenEnd();
    const peer = await rawPredecessor(end);
    peer.socket.send(bytes);
    const closed = await peer.closed;
    expect(closed.code).toBe(code);
    expect(closed.reason).toContain(reason);
    expect((await end.downs.next()).why.code).toBe(code);
    expect(end.frames.kept).toHaveLength(0);
  });

  test.each([
    ["a gradient", { kind: "gradient", batch: 0 }],
    ["a second hello", hello],
  ])("%s comes from no predecessor, and closes the link", async (_, frame) => {
    const end = await listenEnd();
    const peer = await rawPredecessor(end);
    peer.send(frame);
    expect(await peer.closed).toEqual({
      code: CloseCode.badFrame,
      reason: `Cannot take ${frame.kind}: a predecessor sends activation, preview, correction, question, barrier, end or release`,
    });
  });

  test("one that its owner cannot take closes the link with the owner's code, and is the last one", async () => {
    let heard = 0;
    const end = await listenEnd({
      onFrame: () => {
        heard++;
        throw new FrameError("activation is 2×4, this layer takes 2×8", CloseCode.mismatch);
      },
    });
    const peer = await rawPredecessor(end);
    for (let batch = 0; batch < 10; batch++) peer.send(activation(batch));
    const closed = { code: CloseCode.mismatch, reason: "activation is 2×4, this layer takes 2×8" };
    expect(await peer.closed).toEqual(closed);
    expect((await end.downs.next()).why).toEqual(closed);
    expect(heard).toBe(1);
  });

  test("a bug in the owner is not blamed on the peer: the process dies of it, and says so", async () => {
    const program = spawn(process.execPath, [
      "--import",
      "tsx",
      "test/support/hostile/listener-with-a-bug.ts",
    ]);
    cleanups.unshift(async () => program.kill());
    const exited = once(program, "exit");
    const said = text(program.stderr);
    const [port] = await once(program.stdout, "data");
    const peer = await rawPeer(Number(port));
    peer.send(hello);
    peer.send(activation(0));
    expect((await exited)[0]).toBe(1);
    expect(await said).toContain("TypeError: a bug in the layer");
    expect((await peer.closed).code).toBe(1006);
  });
});
