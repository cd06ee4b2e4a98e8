import { askHub } from "../../test/support/page/asking.ts";
import type { Asked } from "../harness/bench.ts";
import { BenchRun, cursorOf, sleep } from "../harness/bench-run.ts";
import type { Table } from "../harness/report.ts";

const CONFIG = "configs/mnist.yaml";
const PER_SECOND = 5;
const FROM_BATCH = 400;
const LAYERS = ["layer1", "layer2", "layer3", "layer4"];

/** How long each layer takes to answer a question of a reader, while the run trains. */
export async function measureQuestions({ isQuick, isLong, say }: Asked): Promise<Table> {
  const run = await BenchRun.start({ config: CONFIG, set: ["run.epochs=1000"], isWatched: true });
  const times = new Map<string, number[]>(LAYERS.map((name) => [name, []]));
  try {
    await run.headTells((told) => cursorOf(told) >= FROM_BATCH);
    const url = `http://127.0.0.1:${run.hub!.port}`;
    const asking: Promise<void>[] = [];
    const count = PER_SECOND * (isQuick ? 5 : isLong ? 120 : 40);
    for (let example = 0; example < count; example++) {
      asking.push(
        askHub(url, { example }).then((answers) => {
          for (const { worker, ms } of answers) times.get(worker)?.push(ms);
        }),
      );
      await sleep(1000 / PER_SECOND);
    }
    await Promise.all(asking);
    say(`${count} questions, ${times.get("layer4")!.length} answered by the head`);
    return tableOf(times, count);
  } finally {
    await run.close();
  }
}

function tableOf(times: ReadonlyMap<string, readonly number[]>, count: number): Table {
  const sorted = new Map([...times].map(([name, own]) => [name, own.toSorted((one, other) => one - other)]));
  const at = (name: string, share: number) => {
    const own = sorted.get(name)!;
    return own[Math.min(own.length - 1, Math.floor(share * own.length))] ?? Number.NaN;
  };
  return {
    title: `Milliseconds from a question to each layer's answer, ${PER_SECOND} a second while configs/mnist.yaml trains`,
    columns: ["", "answers", "median", "95 %", "longest"],
    rows: LAYERS.map((name) => [name, sorted.get(name)!.length, at(name, 0.5), at(name, 0.95), at(name, 1)]),
    bars: [
      { of: "95 % of the head's answers", measured: at("layer4", 0.95), unit: " ms", most: 100 },
      {
        of: "answers of the head",
        measured: sorted.get("layer4")!.length / count,
        unit: "× of the questions",
        least: 1,
      },
    ],
  };
}
