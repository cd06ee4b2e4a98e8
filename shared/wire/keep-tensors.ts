import type { Frame, Tensor } from "./frames.ts";

/**
 * Copies what the tensors of a frame lie over, into the frame itself. A link lends them for the length of a call: whoever
 * keeps the frame longer calls this first.
 */
export function keepTensors(frame: Frame): void {
  for (const tensor of tensorsOf(frame)) {
    const { data, scales } = tensor;
    // A new array, since slice() of a Buffer would lie over the same bytes.
    Object.assign(tensor, { data: new Uint8Array(data), ...(scales && { scales: new Uint8Array(scales) }) });
  }
}

function tensorsOf(frame: Frame): readonly Tensor[] {
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
