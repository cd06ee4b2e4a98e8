import { expect, it, onTestFinished } from "vitest";
import { greetHead, ringsActivation, startHead } from "../support/head-peer.ts";
import { DirectRun } from "../support/processes/direct-run.ts";

/** Less than a socket waits for the answer to a close (2 s), far more than a process takes to end. */
const WAITED_MS = 1500;

it("a head whose run is over stays until its predecessor has read so, or for two seconds: its network may go with it", async () => {
  const run = new DirectRun("configs/two-rings.yaml", 3, ["run.batches=1"]);
  onTestFinished(() => run.close());
  const { worker, port } = await startHead(run, "head");
  const peer = await greetHead(port, run, 0);
  peer.send(ringsActivation(0));
  peer.send({ ...ringsActivation(1), evaluation: { part: 0, parts: 1 } });
  peer.send({ kind: "end", batches: 1 });
  await worker.says("finished");
  peer.send({ kind: "release" });
  // What it says from now on is not read.
  peer.socket.pause();
  const { time } = await worker.says("done");
  expect(await worker.ended).toBe(0);
  expect(Date.now() - Date.parse(time)).toBeGreaterThan(WAITED_MS);
  peer.socket.resume();
  expect(await peer.closed).toEqual({ code: 1000, reason: "finished" });
});
