import { expect, it } from "vitest";
import { notesFor } from "../../../services/page/visit/notes.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import { workerNames } from "../../../shared/record/worker-name.ts";
import { worker } from "./lines.ts";

function notes(set: readonly string[], isOn = false) {
  const { config } = loadConfig("configs/mnist.yaml", set);
  return notesFor({
    config,
    workers: workerNames(config).map((name) => worker(name)),
    control: { isOn, twins: {} as never },
  });
}

it("a network that guesses is told of in five notes, and one that waits in none", () => {
  expect(notes([])).toHaveLength(5);
  expect(notes(["learning.method=dni"])).toHaveLength(5);
  expect(notes(["learning.method=backprop"])).toEqual([]);
});

it("a button is spoken of where there is one", () => {
  expect(notes([], true).at(-1)!.text).toContain("Press kill in this one");
  expect(notes([]).at(-1)!.text).toContain("--control");
});
