import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { decode } from "../../shared/wire/codec.ts";
import type { Frame } from "../../shared/wire/frames.ts";
import { DirectRun } from "../support/direct-run.ts";
import { greetHead, ringsActivation, ringsHello, startHead, teachHead } from "../support/head-peer.ts";
import { hostileFrames } from "../support/hostile-frames.ts";
import { prove } from "../support/prove.ts";
import { clientFrame, upgradeRequest } from "../support/raw-frames.ts";
import { RawPeer, rawSocket } from "../support/raw-peer.ts";
import type { Worker } from "../support/worker-process.ts";
import { Mutants } from "./mutants.ts";

const MUTANTS = 10_000;
const clearing: (() => unknown)[] = [];
afterEach(async () => {
  for (const clear of clearing.splice(0)) await clear();
});

function newRun(): DirectRun {
  const run = new DirectRun("configs/two-rings.yaml", 3, ["run.batches=1500", "run.evaluateEvery=750"]);
  clearing.push(() => run.close());
  return run;
}

it(`a real layer hangs up on ${MUTANTS} mutants, from strangers and from its neighbour, and they change nothing`, async () => {
  const run = newRun();
  const heads = await Promise.all(["attacked", "control"].map((state) => startHead(run, state)));
  const [attacked, control] = [heads[0]!, heads[1]!];
  for (const { port } of heads) await teachHead(port, run, [0, 1]);
  const took: number[] = [];
  const hangsUp = async (peer: RawPeer, frame: Buffer) => {
    const startedAt = performance.now();
    peer.socket.send(frame);
    // Had the mutant been a frame, this would not be one.
    peer.socket.send("no frame");
    const { code } = await peer.closed;
    took.push(performance.now() - startedAt);
    expect(
      [1006, 1009, ...Array.from({ length: 100 }, (_, index) => 4400 + index)],
      frame.toString("hex"),
    ).toContain(code);
  };

  const greeting = ringsHello(run);
  const unproved = new Mutants(1, [greeting, ringsActivation(2), { kind: "end", batches: 1500 }]);
  const proved = new Mutants(2, framesOfLayer2);
  const attack = async (frames: number) => {
    for (let made = 0; made < frames / 2; made += 8) {
      await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const peer = await RawPeer.dial(attacked.port);
          // Every other one has a wrong secret as well.
          const hello = prove(greeting, peer.challenge.nonce, "not the secret of this run");
          if (index % 2 === 0) peer.send(hello);
          await hangsUp(peer, unproved.next());
        }),
      );
    }
    for (let made = 0; made < frames / 2; made++) {
      await hangsUp(await greetHead(attacked.port, run, 2), nextHarmful(proved));
    }
  };
  const resident: number[] = [];
  for (let tenth = 0; tenth < 10; tenth++) {
    await attack(MUTANTS / 10);
    resident.push(residentMiB(attacked.worker));
  }
  for (const [, frame] of hostileFrames) {
    for (const dial of [() => RawPeer.dial(attacked.port), () => greetHead(attacked.port, run, 2)]) {
      await hangsUp(await dial(), frame);
    }
  }
  took.sort((one, other) => one - other);
  console.info(
    `${took.length} frames; until the layer had hung up: median ${took[took.length >> 1]!.toFixed(1)} ms, 99.9 % ${took[Math.floor(took.length * 0.999)]!.toFixed(1)} ms, longest ${took.at(-1)!.toFixed(1)} ms; ` +
      `resident after each tenth ${resident.join(", ")} MiB, ${residentMiB(attacked.worker, "VmHWM")} at most`,
  );
  // Garbage comes and goes by tens of MiB, so one reading says little; what stays of each connection lifts the lowest.
  // The first tenth has filled what a heap and an allocator take once and keep.
  expect(Math.min(...resident.slice(5)) - resident[0]!).toBeLessThan(64);

  for (const { port } of heads) await teachHead(port, run, [2]);
  const [ours, theirs] = [await stop(attacked.worker), await stop(control.worker)];
  expect(ours).toEqual(theirs);
  expect(ours.applied).toEqual([[0, 2]]);
});

it("500 connections that say nothing, or say it slowly, are cut, while a neighbour links", async () => {
  const run = newRun();
  const { port, worker } = await startHead(run, "head");
  const events: string[] = [];
  const lasted: number[] = [];
  const cut = Array.from({ length: 500 }, async (_, index) => {
    const { socket, heard } = await rawSocket(port);
    const startedAt = performance.now();
    socket.on("error", () => {});
    const dripping = KINDS[index % KINDS.length]!(socket);
    await heard;
    clearInterval(dripping);
    lasted.push(performance.now() - startedAt);
    if (lasted.length === 500) events.push("the last stranger is cut");
  });
  await sleep(500);
  const dialledAt = performance.now();
  await teachHead(port, run, [0]);
  events.push("a neighbour has linked and taught");
  const linkedMs = performance.now() - dialledAt;
  await Promise.all(cut);
  console.info(
    `the longest of 500 lasted ${(Math.max(...lasted) / 1000).toFixed(2)} s; a neighbour linked and taught in ${linkedMs.toFixed(0)} ms`,
  );
  expect(events).toEqual(["a neighbour has linked and taught", "the last stranger is cut"]);
  // 6 s are the bar; the machine may be busy.
  expect(Math.max(...lasted)).toBeLessThan(12_000);
  expect((await stop(worker)).applied).toEqual([[0, 0]]);
});

/** Ways to waste a listener's time. */
const KINDS: readonly ((socket: NodeJS.WritableStream) => NodeJS.Timeout | undefined)[] = [
  () => undefined,
  (socket) => drip(socket, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "),
  (socket) => {
    socket.write(`${upgradeRequest.join("\r\n")}\r\n\r\n`);
    return undefined;
  },
  (socket) => {
    socket.write(`${upgradeRequest.join("\r\n")}\r\n\r\n`);
    return drip(socket, clientFrame(2, "", { declared: 1000 }));
  },
  (socket) => {
    socket.write(`${upgradeRequest.join("\r\n")}\r\n\r\n`);
    const ping = clientFrame(9);
    return setInterval(() => socket.write(ping), 300);
  },
];

function drip(socket: NodeJS.WritableStream, beginning: string | Buffer): NodeJS.Timeout {
  socket.write(beginning);
  return setInterval(() => socket.write("x"), 300);
}

/** Near to what the head would take: batches it has learnt, lacks or could not have yet. */
const framesOfLayer2: readonly Frame[] = [
  ringsActivation(1),
  ringsActivation(2),
  ringsActivation(9),
  { ...ringsActivation(2), evaluation: { part: 0, parts: 2 } },
  { kind: "end", batches: 1500 },
];

/** A frame that is as good as any is a neighbour's to send: the next batch, or its leave. */
function nextHarmful(mutants: Mutants): Buffer {
  for (;;) {
    const mutant = mutants.next();
    const frame = decodedOrNot(mutant);
    const isNext = frame?.kind === "activation" && frame.batch === 2 && frame.evaluation === undefined;
    if (!isNext && frame?.kind !== "release") return mutant;
  }
}

function decodedOrNot(bytes: Buffer): Frame | undefined {
  try {
    return structuredClone(decode(bytes, { maxFrameBytes: 1 << 20 }));
  } catch {
    return undefined;
  }
}

async function stop(worker: Worker) {
  worker.signal("SIGTERM");
  expect(await worker.ended).toBe(0);
  expect(worker.said("started")).toHaveLength(1);
  const { applied, digest } = await worker.says("stopped");
  return { applied, digest };
}

function residentMiB(worker: Worker, field = "VmRSS"): number {
  const status = readFileSync(`/proc/${worker.said("started")[0]!.pid}/status`, "utf8");
  return Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024);
}
