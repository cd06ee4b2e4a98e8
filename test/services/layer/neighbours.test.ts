import { expect, it } from "vitest";
import { Neighbours } from "../../../services/layer/neighbours.ts";
import { loadConfig } from "../../../shared/run/read-config.ts";
import { CloseCode } from "../../../shared/wire/frames.ts";

const { config } = loadConfig("configs/mnist.yaml", []);

function neighboursOf(layer: number, incarnation = 1): Neighbours {
  const successor = layer < config.layers.length ? "ws://127.0.0.1:1" : undefined;
  const files = { secretFile: undefined, tlsFiles: undefined };
  const told = { hub: undefined, control: false, trace: undefined, logFormat: "json" as const };
  const place = { config: "", set: [], run: "mnist", state: "", host: "", port: 0, record: undefined };
  return new Neighbours(config, { ...place, ...files, ...told, layer, successor }, incarnation);
}

it("takes the layers on either side for each other's neighbours, and nobody else", () => {
  const [one, two, three] = [1, 2, 3].map((layer) => neighboursOf(layer));
  expect(two!.refusePredecessor(one!.hello())).toBeUndefined();
  expect(one!.refuseSuccessor(two!.welcome(5))).toBeUndefined();
  expect(three!.refusePredecessor(one!.hello())).toMatchObject({ code: CloseCode.mismatch });
  expect(one!.refuseSuccessor(three!.welcome(5))).toMatchObject({ code: CloseCode.mismatch });
});

it("refuses a predecessor that sends other floats than it takes, stating both", () => {
  const { inputs } = config.layers[1]!;
  expect(neighboursOf(2).refusePredecessor({ ...neighboursOf(1).hello(), width: inputs + 1 })).toEqual({
    code: CloseCode.mismatch,
    reason: `layer 1 sends ${inputs + 1} floats to layer 2, layer 2 takes ${inputs}`,
  });
});

it("refuses on either side a life older than one it has met, or another process of the same", () => {
  const older = { predecessor: neighboursOf(1, 2), successor: neighboursOf(3, 2) };
  const newer = { predecessor: neighboursOf(1, 3), successor: neighboursOf(3, 3) };
  const two = neighboursOf(2);
  expect(two.refusePredecessor(older.predecessor.hello())).toBeUndefined();
  two.predecessorMet(newer.predecessor.hello());
  two.successorMet(newer.successor.welcome(0));
  const fenced = { code: CloseCode.fenced };
  expect(two.refusePredecessor(older.predecessor.hello())).toMatchObject(fenced);
  expect(two.refuseSuccessor(older.successor.welcome(0))).toMatchObject(fenced);
  expect(two.refusePredecessor(neighboursOf(1, 3).hello())).toMatchObject(fenced);
  expect(two.refusePredecessor(newer.predecessor.hello())).toBeUndefined();
  expect(two.refuseSuccessor(newer.successor.welcome(0))).toBeUndefined();
});

it("says whom it lacks: the predecessor first, then a successor where it has one", () => {
  const [two, head] = [neighboursOf(2), neighboursOf(config.layers.length)];
  expect(two.lacking).toBe("layer1 has not come yet");
  two.predecessorMet(neighboursOf(1).hello());
  expect(two.lacking).toBe("layer3 was not reached yet");
  two.successorMet(neighboursOf(3).welcome(0));
  expect(two.lacking).toBeUndefined();
  head.predecessorMet(neighboursOf(config.layers.length - 1).hello());
  expect(head.lacking).toBeUndefined();
});
