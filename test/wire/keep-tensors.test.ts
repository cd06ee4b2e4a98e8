import { expect, it } from "vitest";
import { decode, encode } from "../../shared/wire/codec.ts";
import type { Frame } from "../../shared/wire/frames.ts";
import { keepTensors } from "../../shared/wire/keep-tensors.ts";
import { activation, byteTensor, correction, countingTensor, hello, preview } from "../support/frames.ts";

const frames: readonly (readonly [string, Frame])[] = [
  ["an activation", activation(3)],
  ["an activation with the network's input", { ...activation(3), input: byteTensor(2, 5) }],
  ["an activation with scales", { ...activation(3), activation: byteTensor(2, 4) }],
  ["a preview", preview(3)],
  ["a correction", correction(3)],
  ["a gradient", { kind: "gradient", batch: 3, gradient: countingTensor(2, 4) }],
  ["an empty gradient", { kind: "gradient", batch: 3 }],
  ["a hello", hello],
];

/** As its bytes say after these were overwritten. */
function afterwards(frame: Frame, keeps: boolean): Buffer {
  const bytes = encode(frame);
  const lent = decode(bytes, { maxFrameBytes: 1 << 20 });
  if (keeps) keepTensors(lent);
  bytes.fill(0xff);
  return encode(lent);
}

it.each(frames)("%s that is kept stays as it was when its bytes change", (_, frame) => {
  expect(afterwards(frame, true)).toEqual(encode(frame));
});

it.each(frames.slice(0, 6))("%s that is not kept changes with them: the control", (_, frame) => {
  expect(afterwards(frame, false)).not.toEqual(encode(frame));
});
