import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { decodeCheckpoint } from "../../shared/checkpoint/checkpoint.ts";
import { weightsDigest } from "../../shared/checkpoint/digest.ts";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";
import type { Summary } from "../../shared/record/summary.ts";
import { expectExact } from "../support/exact.ts";
import { byteTensor } from "../support/frames.ts";
import { greetHead, ROWS, ringsActivation, startHead, teachHead } from "../support/head-peer.ts";
import { DirectRun } from "../support/processes/direct-run.ts";
import { stopUnharmed } from "../support/processes/stop-unharmed.ts";
import type { RawPeer } from "../support/raw-peer.ts";

/** Digests are compared: all layers must compute with the same kernels. */
const SHORT = ["run.batches=1500", "run.evaluateEvery=750", "compute.kernels=wasm"];

describe("a live layer, attacked by whoever greets as its predecessor,", () => {
  it("hangs up with the reason, learns nothing of it, and lives on", async () => {
    const run = direct();
    const [head, control, beyond] = await Promise.all(
      ["attacked", "control", "beyond"].map((state) => startHead(run, state)),
    );
    for (const { port } of [head!, control!, beyond!]) await teachHead(port, run, [0, 1]);
    await teachHead(beyond!.port, run, [2]);
    for (const [name, { attack, code, reason }] of Object.entries(attacks)) {
      const peer = await greetHead(head!.port, run, 2);
      attack(peer);
      const closed = await peer.closed;
      expect({ name, code: closed.code }).toEqual({ name, code });
      expect(closed.reason).toMatch(reason);
    }
    const ends = await Promise.all([head!, control!, beyond!].map(({ worker }) => stopUnharmed(worker)));
    const [attacked, calm, further] = ends;
    expect(attacked).toEqual(calm);
    expect(attacked!.applied).toEqual([[0, 1]]);
    // The digest would have told.
    expect(further!.digest).not.toBe(calm!.digest);
    expect(savedDigest(run, "attacked")).toBe(savedDigest(run, "control"));
  });

  it("still brings the run to its end, to the bit as if nothing had happened", async () => {
    const pinned = ["delivery.schedule={staleness: 4}", "compute.kernels=wasm"];
    const set = ["run.batches=1500", "run.evaluateEvery=750", ...pinned];
    const summaries: Summary[] = [];
    for (const isAttacked of [true, false]) {
      const run = direct(set);
      const head = await run.start("layer3");
      for (const { attack, code } of isAttacked ? Object.values(attacks) : []) {
        const peer = await greetHead(run.port("layer3"), run, 0);
        attack(peer);
        expect((await peer.closed).code).toBe(code);
      }
      // The attacks came in the name of its first life.
      await claimIncarnation(run.state("layer2"));
      await run.startAll();
      summaries.push(await run.summary());
      expect(await head.ended).toBe(0);
    }
    const [attacked, calm] = summaries;
    expectExact(attacked!);
    expect(attacked!.layers).toEqual(calm!.layers);
    expect(attacked!.test).toEqual(calm!.test);
  });
});

interface Attack {
  readonly attack: (peer: RawPeer) => void;
  readonly code: number;
  readonly reason: RegExp;
}

/** What is sent where batch 2 is awaited: were it taken, the weights would change. */
const attacks: Readonly<Record<string, Attack>> = {
  "malformed bytes": {
    attack: (peer) => peer.socket.send(Buffer.from([0xc1, 0xff, 0x00])),
    code: 4400,
    reason: /^Cannot read frame: /,
  },
  "a batch that is no whole number": {
    attack: (peer) => peer.send({ ...ringsActivation(2), batch: 1.5 }),
    code: 4400,
    reason: /batch is 1.5/,
  },
  "an oversized frame": {
    attack: (peer) => peer.socket.send(Buffer.alloc(1 << 20)),
    code: 1009,
    reason: /^/,
  },
  "a text frame": {
    attack: (peer) => peer.socket.send("hello"),
    code: 4400,
    reason: /it is text, expected binary/,
  },
  "NaN in an activation": {
    attack: (peer) => peer.send(ringsActivation(2, 4, Number.NaN)),
    code: 4422,
    reason: /value 5 is NaN/,
  },
  "an activation of another width": {
    attack: (peer) => peer.send(ringsActivation(2, 5)),
    code: 4412,
    reason: /activation is 64×5, this layer takes 64×4/,
  },
  "an activation of another dtype": {
    attack: (peer) => peer.send({ ...ringsActivation(2), activation: byteTensor(ROWS, 4) }),
    code: 4412,
    reason: /activation is i8, this layer takes f32/,
  },
};

function savedDigest(run: DirectRun, state: string): string {
  const names = readdirSync(run.state(state)).filter((name) => name.endsWith(".safetensors"));
  expect(names).toHaveLength(1);
  return weightsDigest(decodeCheckpoint(readFileSync(join(run.state(state), names[0]!))).tensors);
}

function direct(set: readonly string[] = SHORT): DirectRun {
  const run = new DirectRun("configs/two-rings.yaml", 3, set);
  onTestFinished(() => run.close());
  return run;
}
