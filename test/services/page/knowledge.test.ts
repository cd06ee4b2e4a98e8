import { describe, expect, it } from "vitest";
import { hashOf, readHash } from "../../../services/page/address.ts";
import { RunKnowledge } from "../../../services/page/knowledge.ts";
import type { RunView } from "../../../shared/record/hub-api.ts";
import { event, segment, worker } from "./lines.ts";

function watched(batches = 1001): RunKnowledge {
  const run = new RunKnowledge("r");
  const row = { id: "r", name: "r", startedAt: "2026-01-01T00:00:00Z", state: "watched", batch: 0, batches };
  run.learnView({ row, config: {}, workers: [], control: { isOn: false, twins: {} } } as unknown as RunView);
  return run;
}

describe("what is known of a run", () => {
  it("is the same whether lines come once or twice, from the files and the stream", () => {
    const run = watched();
    for (let time = 0; time < 2; time += 1) {
      run.learnMetrics([segment("layer1", 0, 9), segment("layer1", 10, 19)]);
      run.learnEvents([event("layer1", "began", 1), event("layer1", "linked", 2)]);
    }
    expect(run.record.segments("layer1")).toHaveLength(2);
    expect(run.events.map(({ name }) => name)).toEqual(["began", "linked"]);
  });

  it("has events in the order of their times, however they came", () => {
    const run = watched();
    run.learnEvents([event("layer1", "linked", 2)]);
    run.learnEvents([event("layer1", "began", 1)]);
    expect(run.events.map(({ at }) => at)).toEqual([1, 2]);
  });

  it("is bounded: the oldest events go", () => {
    const run = watched();
    run.learnEvents(Array.from({ length: 2_500 }, (_, at) => event("layer1", "linked", at)));
    expect(run.events).toHaveLength(2_000);
    expect(run.events[0]!.at).toBe(500);
  });

  it("is as far as its slowest layer; the source, which runs ahead, does not count", () => {
    const run = watched();
    run.learnWorkers({
      now: 0,
      workers: [
        worker("source", { batch: 50 }),
        worker("layer1", { batch: 40 }),
        worker("layer2", { batch: 30 }),
      ],
    });
    expect(run.batch).toBe(30);
  });

  it("says when it will end once it has seen it move, and not while it stands", () => {
    const run = watched();
    const at = (now: number, batch: number) =>
      run.learnWorkers({ now, workers: [worker("layer1", { batch })] });
    at(0, 0);
    expect(run.secondsLeft).toBeUndefined();
    at(10_000, 100);
    expect(run.secondsLeft).toBe(90);
    at(20_000, 100);
    at(31_000, 100);
    expect(run.secondsLeft).toBeUndefined();
  });
});

describe("the address of the page", () => {
  it("gives its token and its run", () => {
    expect(readHash("#token=s%2Bx&run=a-1")).toEqual({ token: "s+x", run: "a-1" });
    expect(readHash("")).toEqual({});
  });

  it("is left without the token", () => {
    expect(hashOf(readHash("#token=secret&run=a-1"))).toBe("#run=a-1");
    expect(hashOf(readHash("#token=secret"))).toBe("");
  });
});
