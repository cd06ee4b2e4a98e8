import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import type { Fields, Frame } from "../frame.ts";
import { Broken } from "../peer.ts";
import type { Subject } from "../subject.ts";

/** Who is welcome, and what the others are told. */
export const hellos: readonly Check[] = [
  ...refusals([
    ["protocol", () => ({ protocol: 4 }), 4406],
    ["run", () => ({ run: "another-run" }), 4403],
    ["from", ({ layer }) => ({ from: layer }), 4412],
    ["to", ({ layer }) => ({ to: layer + 1 }), 4412],
    ["width", ({ inputs }) => ({ width: inputs + 1 }), 4412],
    ["dtype", ({ dtypeIn }) => ({ dtype: dtypeIn === "f32" ? "f16" : "f32" }), 4412],
    ["configHash", () => ({ configHash: "0".repeat(64) }), 4412],
    ["incarnation 0, as lives are counted from 1", () => ({ incarnation: 0 }), 4400],
    ["an incarnation below 0", () => ({ incarnation: -1 }), 4400],
    ["a width of 0", () => ({ width: 0 }), 4400],
    ["an unknown field", () => ({ colour: "red" }), 4400],
    ["an instance of 129 characters", () => ({ instance: "i".repeat(129) }), 4400],
    ["a run with a line break", () => ({ run: "a\nb" }), 4400],
    ["no instance", () => ({ instance: undefined }), 4400],
  ]),
  ...order([
    ["protocol before run", () => ({ protocol: 4, run: "another-run" }), 4406],
    ["run before layer", ({ layer }) => ({ run: "another-run", from: layer + 1 }), 4403],
    ["layer before lives", ({ layer }) => ({ from: layer + 1, incarnation: 1 }), 4412],
    ["config before lives", () => ({ configHash: "0".repeat(64), incarnation: 1 }), 4412],
    ["lives before width", ({ inputs }) => ({ width: inputs + 1, incarnation: 1 }), 4409],
  ]),
  ...lives(),
];

function lives(): Check[] {
  const claims: readonly (readonly [string, (met: Frame) => Fields, number | undefined])[] = [
    ["an older incarnation than one met before closes with 4409", older, 4409],
    ["another instance of the incarnation met last closes with 4409", another, 4409],
    ["the same life is welcome again", same, undefined],
  ];
  return claims.map(([claim, change, code]) => ({
    section: "hello",
    claim,
    run: async (bench) => {
      const { peer: old, hello: met } = await bench.greet();
      await old.next("welcome");
      const { peer } = await bench.greet(change(met));
      if (code !== undefined) return peer.closesWith(code);
      await peer.next("welcome");
      await old.closesWith(4409);
    },
  }));
}

function older({ incarnation }: Frame): Fields {
  return { incarnation: Number(incarnation) - 1 };
}

function another({ incarnation }: Frame): Fields {
  return { incarnation };
}

function same({ incarnation, instance }: Frame): Fields {
  return { incarnation, instance };
}

type Change = readonly [string, (subject: Subject) => Fields, number];

function refusals(changes: readonly Change[]): Check[] {
  return changes.map(([what, change, code]) => ({
    section: "hello",
    claim: `another ${what} closes with ${code}`.replace(/^another (in|an? |no )/, "$1"),
    run: async (bench) => expectClosed(bench, change(bench.subject), code),
  }));
}

function order(changes: readonly Change[]): Check[] {
  return changes.map(([what, change, code]) => ({
    section: "hello",
    claim: `checks come in order: ${what}, so ${code}`,
    run: async (bench) => {
      // So that there is a life that 1 is older than.
      await bench.linkBefore();
      await expectClosed(bench, change(bench.subject), code);
    },
  }));
}

async function expectClosed(bench: Bench, change: Fields, code: number): Promise<void> {
  const { peer } = await bench.greet(change);
  const { code: found, reason } = await peer.closes();
  if (found !== code) throw new Broken(`expected close code ${code}, got ${found} ${reason}`);
  if (reason === "") throw new Broken(`expected a reason beside ${code}, got none`);
}
