import { expect, it, onTestFinished } from "vitest";
import { CloseCode } from "../../shared/wire/frames.ts";
import { floatsToTensor } from "../../shared/wire/tensor.ts";
import { chainOutcome, runOutcome } from "../support/chain.ts";
import { byteTensor, countingTensor } from "../support/frames.ts";
import { greetHead, startHead, teachHead } from "../support/head-peer.ts";
import { askOn } from "../support/page/asking.ts";
import { commandSource } from "../support/processes/command.ts";
import { DirectRun } from "../support/processes/direct-run.ts";
import { HubProcess } from "../support/processes/hub-process.ts";
import type { RawPeer } from "../support/raw-peer.ts";

const QUESTIONS = 10_000;

it("10,000 questions change no bit of a pinned run over processes", async () => {
  const config = "configs/binary-addition.yaml";
  const set = ["run.batches=2000", "run.evaluateEvery=500", "delivery.schedule={staleness: 1}"];
  const run = new DirectRun(config, 3, set);
  onTestFinished(() => run.close());
  const flags = set.flatMap((assignment) => ["--set", assignment]);
  const about = ["--record", run.folder, "--run", run.run, "--config", config, ...flags];
  const proof = ["--secret-file", `${run.folder}/secret`, "--questions-per-second", "450", "--control"];
  const hub = await HubProcess.start(...about, ...proof);
  onTestFinished(() => hub.kill());
  run.hub = { port: hub.port, control: true };
  await run.startAll();
  let isOver = false;
  void run.worker("source").ended.then(() => {
    isOver = true;
  });
  const url = `http://127.0.0.1:${hub.port}`;
  const heard = (count: number) => {
    if (count === QUESTIONS) void commandSource(url, run.folder, "resume");
  };
  const asking = askOn(url, 16, () => isOver, heard);
  // However fast the run is, it is not over before they are all answered: it waits in the middle.
  await run.worker("source").tells((telemetry) => telemetry.kind === "progress" && telemetry.batch >= 1000);
  await commandSource(url, run.folder, "pause");
  const [answered, expected] = await Promise.all([asking, chainOutcome(config, set)]);
  console.log(`${answered} questions were answered to the head`);
  expect(answered).toBeGreaterThan(QUESTIONS);
  expect(runOutcome(await run.summary())).toEqual(expected);
});

const HOSTILE = 5_000;
const FLOOD = 95_000;

it(`${FLOOD + HOSTILE} hostile questions end no worker and change nothing`, async () => {
  const run = new DirectRun("configs/two-rings.yaml", 3, ["run.batches=1500", "run.evaluateEvery=750"]);
  onTestFinished(() => run.close());
  const heads = await Promise.all(["attacked", "control"].map((state) => startHead(run, state)));
  for (const { port } of heads) await teachHead(port, run, [0, 1]);
  const [attacked] = heads;
  const flooding = await greetHead(attacked!.port, run, 2);
  for (let sent = 0; sent < FLOOD; sent++) {
    flooding.send({ kind: "question", question: sent, activation: countingTensor(1, 4) });
    if (sent % 1_000 === 999) await pong(flooding);
  }
  flooding.socket.close();
  await flooding.closed;
  for (let sent = 0; sent < HOSTILE; sent++) {
    const [frame, code] = hostile[sent % hostile.length]!;
    const peer = await greetHead(attacked!.port, run, 2);
    peer.send(frame);
    expect((await peer.closed).code).toBe(code);
  }
  for (const { port } of heads) await teachHead(port, run, [2]);
  const ends = [];
  for (const { worker } of heads) {
    worker.signal("SIGTERM");
    expect(await worker.ended).toBe(0);
    expect(worker.said("started")).toHaveLength(1);
    const { applied, digest } = await worker.says("stopped");
    ends.push({ applied, digest });
  }
  expect(ends[0]).toEqual(ends[1]);
});

/** What is no question, and the code that it closes with. */
const hostile: readonly (readonly [unknown, number])[] = [
  [{ kind: "question", question: 1, activation: countingTensor(1, 5) }, CloseCode.mismatch],
  [{ kind: "question", question: 1, activation: countingTensor(2, 4) }, CloseCode.badFrame],
  [{ kind: "question", question: -1, activation: countingTensor(1, 4) }, CloseCode.badFrame],
  [{ kind: "question", question: 0.5, activation: countingTensor(1, 4) }, CloseCode.badFrame],
  [{ kind: "question", activation: countingTensor(1, 4) }, CloseCode.badFrame],
  [{ kind: "question", question: 1 }, CloseCode.badFrame],
  [{ kind: "question", question: 1, batch: 2, activation: countingTensor(1, 4) }, CloseCode.badFrame],
  [{ kind: "question", question: 1, activation: byteTensor(1, 4) }, CloseCode.mismatch],
  ...[Number.NaN, Number.POSITIVE_INFINITY, 1e30, -1e7].map(
    (value) => [{ kind: "question", question: 1, activation: tensorOf(value) }, CloseCode.nonFinite] as const,
  ),
];

function tensorOf(value: number) {
  return floatsToTensor(Float32Array.of(0, value, 0, 0), 1, 4);
}

/** It has read all that was sent before. */
function pong({ socket }: RawPeer): Promise<void> {
  return new Promise((resolve) => {
    socket.once("pong", () => resolve());
    socket.ping();
  });
}
