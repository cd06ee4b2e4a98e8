import type { Frame, Tensor } from "./frames.ts";

/**
 * Copies what the tensors of a frame lie over, into the frame itself. A link lends them for the length of a call: whoever
 * keeps the frame longer calls this first.
 */
export function keepTensors(frame: Frame): void {
  for (const tensor of tensorsOf(frame)) {
    // A new array, since slice() of a Buffer would lie over the same bytes.
    tensor.data = new Uint8Array(tensor.data);
    if (tensor.scales) tensor.scales = new Uint8Array(tensor.scales);
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function tensorsOf(frame: Frame): readonly Writable<Tensor>[] {
  switch (frame.kind) {
    case "activation":
      return [frame.activation, frame.labels, ...(frame.input ? [frame.input] : [])];
    case "preview":
      return [frame.input, frame.labels];
    case "correction":
      return [frame.activation];
    case "gradient":
      return frame.gradient ? [frame.gradient] : [];
    default:
      return [];
  }
}
