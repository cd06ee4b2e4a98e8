import { describe, expect, it } from "vitest";
import { differences } from "../../shared/record/config-difference.ts";

const one = {
  seed: 1,
  learning: { method: "cdni", rate: 0.003 },
  layers: [{ outputs: 256 }, { outputs: 10 }],
  evidence: ["output"],
};

describe("the difference of two configs", () => {
  it("is nothing for the same", () => expect(differences([one, structuredClone(one)])).toEqual([]));

  it("names only the values that differ, by their path; layers count from 1", () => {
    const other = {
      ...one,
      learning: { method: "backprop", rate: 0.003 },
      layers: [{ outputs: 256 }, { outputs: 11 }],
    };
    expect(differences([one, other])).toEqual([
      { path: "learning.method", values: ["cdni", "backprop"] },
      { path: "layers[2].outputs", values: ["10", "11"] },
    ]);
  });

  it("shows what only one has", () => {
    const { seed, ...rest } = one;
    expect(differences([rest, { seed, ...rest, loss: "x" }])).toEqual([
      { path: "seed", values: ["–", "1"] },
      { path: "loss", values: ["–", "x"] },
    ]);
  });

  it("takes a list of plain values as one", () => {
    expect(differences([one, { ...one, evidence: ["output", "labels"] }])).toEqual([
      { path: "evidence", values: ["output", "output, labels"] },
    ]);
  });
});
