import type { Bench } from "./bench.ts";
import { rowsOf } from "./expect.ts";
import type { Fields, Frame } from "./frame.ts";
import { sameBytes } from "./numbers.ts";
import { Broken } from "./peer.ts";

/**
 * From which batch on a layer that has read its successor's need has its successor lack what was sent: that need, or the
 * first batch whose answer it did not hear itself, if it keeps what it sent.
 */
export async function lowestLacking({ before, after }: Bench, need: number): Promise<number> {
  if (before.isOpen) await before.hasRead();
  const asked = before.first("rewind")?.need ?? need;
  const again = after.first("activation")?.batch ?? need;
  return Math.min(need, Number(asked), Number(again));
}

/** Its successor gets all from `need` to the cursor once more, and answers it. */
export async function catchUp(bench: Bench, need: number): Promise<void> {
  if (need <= bench.cursor && (await meetLack(bench, need)) === "asked") await sendAgain(bench, need);
}

/**
 * How a layer meets a successor that lacks batches from `need` on, all of which it has applied. Asked: it asked its own
 * predecessor for them. Fed: it sent them again itself, as they were, no more than the window at a time.
 */
export async function meetLack(bench: Bench, need: number): Promise<"asked" | "fed"> {
  if (await isAskedFor(bench)) {
    await expectRewind(bench, need);
    return "asked";
  }
  const { window, batchSize } = bench.subject;
  const unanswered: number[] = [];
  for (let batch = need; batch <= bench.cursor; batch++) {
    if (unanswered.length === window) {
      await bench.after.staysSilent();
      bench.reply(unanswered.shift()!, bench.gradient(batchSize));
    }
    await expectAgain(bench, batch);
    unanswered.push(batch);
  }
  for (const batch of unanswered) bench.reply(batch, bench.gradient(batchSize));
  await bench.after.hasRead();
  return "fed";
}

/** As the source does after a rewind. */
export async function sendAgain(bench: Bench, need: number): Promise<void> {
  for (let batch = need; batch <= bench.cursor; batch++) {
    const item = bench.given.of(batch) ?? bench.activation(batch);
    bench.before.send(item);
    await bench.taught(item);
    await bench.forwarded(item);
    bench.reply(batch, bench.gradient(rowsOf(item)));
    await bench.after.hasRead();
  }
}

export async function expectRewind(bench: Bench, need: number): Promise<void> {
  const rewind = await bench.before.next("rewind");
  if (rewind.need !== need) throw new Broken(`expected a rewind to ${need}, got ${rewind.need}`);
}

/** The batch goes on once more, to the bit as it did when it was learnt. */
async function expectAgain(bench: Bench, batch: number): Promise<void> {
  const again = await bench.after.next("activation");
  if (again.batch !== batch) throw new Broken(`expected batch ${batch} again, got ${again.batch}`);
  const first = bench.sentOn.of(batch);
  if (first && partsOf(first).some((part) => !sameBytes(first[part] as Fields, again[part] as Fields)))
    throw new Broken(`batch ${batch} went on again as another than before`);
}

function partsOf(frame: Frame): string[] {
  return Object.keys(frame).filter((name) => typeof frame[name] === "object");
}

/** An answer to what waits may come first, and says neither. */
async function isAskedFor({ before, after }: Bench): Promise<boolean> {
  const isSentAgain = async () => {
    if ((await after.peek()) === undefined)
      throw new Broken("expected a rewind, or the batch again, got neither");
    return false;
  };
  const isRewind = async () => (await before.peek()) === "rewind" || isSentAgain();
  return Promise.race([isRewind(), isSentAgain()]);
}
