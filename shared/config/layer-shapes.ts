import { patchesOf } from "../math/patches.ts";
import type { LayerConfig } from "./config.ts";
import type { ImageSize } from "./data-facts.ts";
import type { Notes } from "./notes.ts";
import type { ConfigFile } from "./schema.ts";

/** What a layer is given, by the data (its set's name) or by the layer before. */
export interface Given {
  readonly giver: string;
  readonly inputWidth: number;
  readonly image?: ImageSize;
}

type Shape = Pick<LayerConfig, "inputs" | "outputs" | "conv">;
type Written = ConfigFile["layers"][number];

/** Most floats of an example that a layer may take or give. */
const MOST_FLOATS = 65_536;

export function denseShape(
  layer: Exclude<Written, { kind: "conv" }>,
  index: number,
  given: Given | undefined,
  notes: Notes,
): Shape {
  const { inputs, outputs } = layer;
  if (inputs !== undefined && given !== undefined && inputs !== given.inputWidth) {
    const what = `layer ${index + 1} takes ${inputs} inputs, ${given.giver} gives ${given.inputWidth}`;
    notes.wrong(["layers", index, "inputs"], inputs, what);
  }
  return { inputs: inputs ?? given?.inputWidth ?? 0, outputs };
}

/** Undefined where there is no image that the kernel could walk over. */
export function convShape(
  layer: Extract<Written, { kind: "conv" }>,
  index: number,
  given: Given | undefined,
  notes: Notes,
): Shape | undefined {
  const { channels, kernel, stride, padding = Math.floor(kernel / 2) } = layer;
  const path = ["layers", index];
  if (!given) return undefined;
  if (!given.image) {
    const what = `layer ${index + 1} takes images, ${given.giver} gives ${given.inputWidth} floats that are none`;
    notes.wrong([...path, "kind"], "conv", what);
    return undefined;
  }
  if (padding >= kernel) {
    notes.wrong(
      [...path, "padding"],
      padding,
      `a kernel of ${kernel} would see nothing but padding, expected less`,
    );
    return undefined;
  }
  const { height, width } = given.image;
  if (kernel > Math.min(height, width) + 2 * padding) {
    const image = `${height}×${width}`;
    notes.wrong(
      [...path, "kernel"],
      kernel,
      `${given.giver} gives images of ${image}, with padding ${padding} too small for it`,
    );
    return undefined;
  }
  const conv = { shape: { ...given.image, kernel, stride, padding }, channels };
  const outputs = patchesOf(conv.shape).places * channels;
  if (outputs > MOST_FLOATS) {
    notes.wrong(
      [...path, "channels"],
      channels,
      `layer ${index + 1} would give ${outputs} floats an example, at most ${MOST_FLOATS}`,
    );
  }
  return { inputs: given.inputWidth, outputs, conv };
}

/** What a layer of this shape gives to the next one. */
export function givenBy({ outputs, conv }: Shape): Omit<Given, "giver"> {
  if (!conv) return { inputWidth: outputs };
  const { down, across } = patchesOf(conv.shape);
  return { inputWidth: outputs, image: { height: down, width: across, channels: conv.channels } };
}
