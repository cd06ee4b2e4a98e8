import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { entriesOf, type Frame, pack, rawMap, type Tensor } from "../frame.ts";
import { sameBytes } from "../numbers.ts";
import { Broken } from "../peer.ts";

/** One frame, written in other ways. */
export const encodings: readonly Check[] = [
  {
    section: "Topology",
    claim: "a message in 8 fragments is read, one in 9 closes the link with 1008",
    run: async (bench) => {
      await bench.settle();
      const item = bench.activation(bench.cursor + 3);
      sendInPieces(bench, pack(item), 8);
      await bench.tooEarly(item);
      sendInPieces(bench, pack(item), 9);
      await bench.before.closesWith(1008);
    },
  },
  {
    section: "Frames, in general",
    claim:
      "keys may come in any order, integers in any encoding, tensors at any offset: the answer is the same",
    run: async (bench) => {
      await bench.settle();
      const item = await bench.learn({ isTaught: false });
      const answers: (Tensor | undefined)[] = [];
      for (const bytes of writings(item)) {
        bench.before.send(bytes);
        answers.push(await bench.answer(item));
        await settleForward(bench, item);
      }
      if (answers.some((each) => !sameBytes(each, answers[0]))) throw new Broken("the answers differ");
    },
  },
];

/** A batch sent twice goes on only where the successor lacks it. */
async function settleForward(bench: Bench, item: Frame): Promise<void> {
  if (bench.subject.isHead) return;
  await bench.after.hasRead();
  for (const frame of bench.after.take())
    throw new Broken(
      `expected batch ${item.batch}, which the successor has, not to go on, got ${frame.kind}`,
    );
}

function sendInPieces(bench: Bench, bytes: Buffer, pieces: number): void {
  const size = Math.ceil(bytes.length / pieces);
  for (let piece = 0; piece < pieces; piece++) {
    const part = bytes.subarray(piece * size, (piece + 1) * size);
    bench.before.socket.send(part, { binary: true, fin: piece === pieces - 1 }, () => {});
  }
}

/** One frame in several ways. */
function writings(item: Frame): Buffer[] {
  const entries = entriesOf(item);
  const batch = Buffer.alloc(9, 0xcf);
  batch.writeBigUInt64BE(BigInt(Number(item.batch)), 1);
  const float = Buffer.alloc(9, 0xcb);
  float.writeDoubleBE(Number(item.batch), 1);
  const withOther = (bytes: Buffer) =>
    entries.map(([key, value]) => [key, key === "batch" ? bytes : value] as const);
  const moved = [1, 2, 3].map((turns) => rawMap([...entries.slice(turns), ...entries.slice(0, turns)]));
  return [
    pack(item),
    rawMap([...entries].reverse()),
    rawMap(withOther(batch)),
    rawMap(withOther(float)),
    ...moved,
  ];
}
