import { describe, expect, it } from "vitest";
import { initialSource, type SourceEvent, stepSource } from "../../shared/delivery/source-delivery.ts";
import type { Answered } from "../../shared/delivery/successor-state.ts";

const rules = { batches: 6, window: 2, evaluateEvery: 4, evaluationParts: 2, snapshotEvery: 0 };

class Tried {
  state = initialSource;
  readonly #snapshotEvery: number;

  constructor(snapshotEvery = 0) {
    this.#snapshotEvery = snapshotEvery;
  }

  hear(event: SourceEvent): string[] {
    const changed = { ...rules, snapshotEvery: this.#snapshotEvery };
    const [state, effects] = stepSource(changed, this.state, event);
    this.state = state;
    return effects.map((effect) => {
      if (effect.effect === "sendBatch") return `batch ${effect.batch}`;
      if (effect.effect === "sendBarrier") return `barrier before ${effect.batch}`;
      if (effect.effect === "sendEvaluation") return `held-out ${effect.part} before ${effect.batch}`;
      return effect.effect === "hangUp" ? `hang up: ${effect.reason}` : effect.effect;
    });
  }

  /** To what was sent first, if it has this number, else to a batch. */
  answer(batch: number): string[] {
    const [first] = this.state.inFlight;
    return this.answerTo(first?.batch === batch ? first : { kind: "batch", batch });
  }

  answerTo(item: Answered): string[] {
    return this.hear({ event: "answered", item });
  }
}

describe("the source", () => {
  it("sends as much as the window allows, and then one for each answer", () => {
    const source = new Tried();
    expect(source.hear({ event: "successorLinked", need: 0 })).toEqual(["batch 0", "batch 1"]);
    expect(source.answer(0)).toEqual(["batch 2"]);
  });

  it("sends nothing while it is told to pause, whoever comes, and then goes on", () => {
    const source = new Tried();
    source.hear({ event: "successorLinked", need: 0 });
    expect(source.hear({ event: "paused" })).toEqual([]);
    expect([...source.answer(0), ...source.answer(1)]).toEqual([]);
    expect(source.hear({ event: "successorLost" })).toEqual([]);
    expect(source.hear({ event: "successorLinked", need: 1 })).toEqual([]);
    expect(source.hear({ event: "rewound", need: 0 })).toEqual([]);
    expect(source.hear({ event: "unpaused" })).toEqual(["batch 0", "batch 1"]);
  });

  it("goes on where the first layer needs it, since it remembers nothing itself", () => {
    expect(new Tried().hear({ event: "successorLinked", need: 2 })).toEqual(["batch 2", "batch 3"]);
  });

  it("sends held-out data at set batches and before the end, then says that it is over", () => {
    const source = new Tried();
    source.hear({ event: "successorLinked", need: 3 });
    expect(source.answer(3)).toEqual(["held-out 1 before 4"]);
    expect(source.answer(4)).toEqual(["batch 4"]);
    expect(source.answer(4)).toEqual(["batch 5"]);
    expect(source.answer(4)).toEqual(["held-out 0 before 6"]);
    expect(source.answer(5)).toEqual(["held-out 1 before 6", "end"].slice(0, 1));
    expect(source.answer(6)).toEqual(["end"]);
    expect(source.answer(6)).toEqual([]);
  });

  it("goes back when asked to, never forward", () => {
    const source = new Tried();
    source.hear({ event: "successorLinked", need: 2 });
    source.hear({ event: "rewound", need: 1 });
    expect(source.answer(2)).toEqual(["batch 1"]);
    source.hear({ event: "rewound", need: 5 });
    expect(source.answer(3)).toEqual(["batch 2"]);
  });

  it("sends a barrier at set batches, behind the held-out data, and none at the end", () => {
    const source = new Tried(2);
    expect(source.hear({ event: "successorLinked", need: 1 })).toEqual(["batch 1", "barrier before 2"]);
    expect(source.answer(1)).toEqual(["batch 2"]);
    expect(source.answer(2)).toEqual(["batch 3"]);
    expect(source.answer(2)).toEqual(["held-out 0 before 4"]);
    expect(source.answer(3)).toEqual(["held-out 1 before 4"]);
    expect(source.answer(4)).toEqual(["barrier before 4"]);
    expect(source.answer(4)).toEqual(["batch 4"]);
    expect(source.answer(4)).toEqual(["batch 5"]);
    expect(source.answer(4)).toEqual(["held-out 0 before 6"]);
    expect(source.answer(5)).toEqual(["held-out 1 before 6"]);
    expect(source.answer(6)).toEqual(["end"]);
  });

  it("sends a barrier again after a rewind, but not where there is a snapshot or a later one", () => {
    const source = new Tried(2);
    source.hear({ event: "successorLinked", need: 2 });
    source.hear({ event: "rewound", need: 2 });
    expect(source.answer(2)).toEqual(["barrier before 2"]);
    source.hear({ event: "snapshotted", batch: 2 });
    source.hear({ event: "successorLost" });
    expect(source.hear({ event: "successorLinked", need: 2 })).toEqual(["batch 2", "batch 3"]);
    source.hear({ event: "snapshotted", batch: 4 });
    expect(source.hear({ event: "successorLinked", need: 1 })).toEqual(["batch 1", "batch 2"]);
  });

  it("tells the end again to whom lost it", () => {
    const source = new Tried();
    expect(source.hear({ event: "successorLinked", need: 6 })).toEqual([
      "held-out 0 before 6",
      "held-out 1 before 6",
    ]);
    source.answer(6);
    source.answer(6);
    expect(source.hear({ event: "rewound", need: 6 })).toEqual([
      "held-out 0 before 6",
      "held-out 1 before 6",
    ]);
  });

  it("takes the second answer to a doubled part, or to a barrier, for no other's", () => {
    const source = new Tried(4);
    source.hear({ event: "successorLinked", need: 4 });
    const part = { kind: "evaluation", batch: 4, part: 0 } as const;
    expect(source.answerTo(part)).toEqual(["barrier before 4"]);
    const expected = "expected part 1 before batch 4";
    expect(source.answerTo(part)).toEqual([`hang up: answer is for part 0 before batch 4, ${expected}`]);
    source.answer(4);
    expect(source.answer(4)).toEqual(["batch 5"]);
    const barrier = { kind: "barrier", batch: 4 } as const;
    expect(source.answerTo(barrier)).toEqual(["hang up: answer is for barrier 4, expected batch 4"]);
  });

  it("hangs up on an answer that it did not wait for", () => {
    const source = new Tried();
    source.hear({ event: "successorLinked", need: 0 });
    expect(source.answer(1)).toEqual(["hang up: answer is for batch 1, expected batch 0"]);
  });
});
