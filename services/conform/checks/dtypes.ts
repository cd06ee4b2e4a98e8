import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor, teaches } from "../check.ts";
import type { Frame, Tensor } from "../frame.ts";
import { sameBytes, withNumber } from "../numbers.ts";
import { Broken } from "../peer.ts";

/** Bytes of one number, and of the scale it stands under, little-endian; and whether a worker may take it. */
type Vector = readonly [string, string, "taken" | "refused", string?];

/** By hand, from the table under "Tensors": at the edge of what may be sent, so that a number read otherwise is found out. */
const VECTORS: Readonly<Record<string, readonly Vector[]>> = {
  f32: [
    ["1,000,000", "00247449", "taken"],
    ["−1,000,000", "002474c9", "taken"],
    ["−0", "00000080", "taken"],
    ["the smallest subnormal", "01000000", "taken"],
    ["the float after 1,000,000", "01247449", "refused"],
    ["the float before −1,000,000", "012474c9", "refused"],
    ["infinity", "0000807f", "refused"],
    ["−infinity", "000080ff", "refused"],
    ["no number", "0000c07f", "refused"],
    ["no number that signals", "0100807f", "refused"],
  ],
  f16: [
    ["65,504", "ff7b", "taken"],
    ["−65,504", "fffb", "taken"],
    ["−0", "0080", "taken"],
    ["the smallest subnormal", "0100", "taken"],
    ["infinity", "007c", "refused"],
    ["−infinity", "00fc", "refused"],
    ["no number", "007e", "refused"],
    ["no number that signals", "017c", "refused"],
  ],
  bf16: [
    ["999,424", "7449", "taken"],
    ["−999,424", "74c9", "taken"],
    ["−0", "0080", "taken"],
    ["the smallest subnormal", "0100", "taken"],
    ["1,003,520", "7549", "refused"],
    ["infinity", "807f", "refused"],
    ["−infinity", "80ff", "refused"],
    ["no number", "c07f", "refused"],
  ],
  i8: [
    ["1 × 1,000,000", "01", "taken", "00247449"],
    ["−1 × 1,000,000", "ff", "taken", "00247449"],
    ["127 × 7,874", "7f", "taken", "0010f645"],
    ["0 under a scale of 0", "00", "taken", "00000000"],
    ["2 × 1,000,000", "02", "refused", "00247449"],
    ["−127 × 7,875", "81", "refused", "0018f645"],
    ["a scale after 1,000,000", "00", "refused", "01247449"],
    ["a scale of −1", "01", "refused", "000080bf"],
    ["a scale of infinity", "00", "refused", "0000807f"],
    ["a scale that is no number", "00", "refused", "0000c07f"],
  ],
  u8: [
    ["1 × 1,000,000", "01", "taken", "00247449"],
    ["255 × 3,921", "ff", "taken", "00107545"],
    ["255 × 3,922", "ff", "refused", "00207545"],
    ["2 × 1,000,000", "02", "refused", "00247449"],
    ["a scale of −1", "01", "refused", "000080bf"],
  ],
};

const DTYPES = Object.keys(VECTORS);

/** Number by number. Those of the run's dtype are tried; the others need a run with another `wire.dtype`. */
export const dtypes: readonly Check[] = [
  ...DTYPES.flatMap((dtype) => VECTORS[dtype]!.map((vector) => inActivation(dtype, vector))),
  ...DTYPES.filter((dtype) => dtype !== "u8").flatMap((dtype) =>
    VECTORS[dtype]!.filter(([, , fate]) => fate === "refused").map((vector) => inGradient(dtype, vector)),
  ),
  {
    section: "Tensors",
    claim: "i8 is byte × scale: 64 and 96 under 1/128 teach the same as 32 and 48 under 1/64",
    concerns: (subject) => subject.dtypeIn === "i8" && teaches(subject),
    run: async (bench) => {
      await bench.settle();
      const item = await bench.learn({ isTaught: false });
      const activation = item.activation as Tensor;
      const data = Buffer.from(activation.data.map((byte) => byte / 2));
      const scales = Buffer.from("0000803c".repeat(activation.shape[0]), "hex");
      const other = { ...item, activation: { ...activation, data, scales } };
      const answers = [await rehearse(bench, item), await rehearse(bench, other)];
      if (!sameBytes(answers[0], answers[1])) throw new Broken("the answers differ, the numbers do not");
    },
  },
];

async function rehearse(bench: Bench, item: Frame): Promise<Tensor | undefined> {
  bench.before.send(item);
  return bench.answer(item);
}

/** Taken: by a batch that is too early, which is looked at and answered, and changes nothing. */
function inActivation(dtype: string, [what, hex, fate, scale]: Vector): Check {
  return {
    section: "Tensors",
    claim: `an activation with ${what} as ${dtype} ${fate === "taken" ? "is taken" : "closes with 4422"}`,
    concerns: (subject) => subject.dtypeIn === dtype,
    run: async (bench) => {
      await bench.settle();
      const item = bench.activation(bench.cursor + (fate === "taken" ? 3 : 1));
      const activation = withNumber(
        item.activation as Tensor,
        (item.activation as Tensor).shape[1] + 1,
        hex,
        scale,
      );
      bench.before.send({ ...item, activation });
      if (fate === "taken") return bench.tooEarly(item);
      await bench.before.closesWith(4422);
      if (!bench.subject.isHead) await bench.after.staysSilent();
    },
  };
}

function inGradient(dtype: string, [what, hex, , scale]: Vector): Check {
  return {
    section: "Tensors",
    claim: `a gradient with ${what} as ${dtype} closes with 4422`,
    concerns: (subject) => subject.dtype === dtype && hasSuccessor(subject),
    run: async (bench) => {
      await bench.settle();
      const item = bench.activation(bench.cursor + 1);
      bench.before.send(item);
      await bench.forwarded(item);
      const gradient = bench.gradient(bench.subject.batchSize);
      bench.reply(bench.cursor + 1, withNumber(gradient, gradient.shape[1] + 1, hex, scale));
      await bench.after.closesWith(4422);
    },
  };
}
