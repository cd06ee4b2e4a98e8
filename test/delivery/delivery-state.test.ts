import { describe, expect, it } from "vitest";
import { need } from "../../shared/delivery/delivery-state.ts";
import { Tried } from "./tried.ts";

describe("what a layer needs", () => {
  it("is the lower of its own next batch and its successor's", () => {
    const layer = new Tried({}, 9);
    expect(need(layer.state)).toBe(10);
    layer.hear({ event: "successorLinked", need: 4 });
    expect(need(layer.state)).toBe(4);
  });

  it("is passed on as a rewind when the successor lacks what this layer has", () => {
    const layer = new Tried({}, 9);
    layer.hear({ event: "predecessorLinked" });
    expect(layer.hear({ event: "successorLinked", need: 4 })).toEqual(["rewind 4"]);
    expect(layer.hear({ event: "rewound", need: 2 })).toEqual(["rewind 2"]);
  });
});
