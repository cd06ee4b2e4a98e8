import type { PatchShape } from "./kernels.ts";

/** What a kernel makes of one image: `down` × `across` places, and at each a patch of `length` floats. */
export interface Patches {
  readonly down: number;
  readonly across: number;
  readonly places: number;
  readonly length: number;
}

/** What is left at the right and at the bottom when the stride does not divide is seen by no patch. */
export function patchesOf({ height, width, channels, kernel, stride, padding }: PatchShape): Patches {
  const [down, across] = [height, width].map(
    (size) => Math.floor((size + 2 * padding - kernel) / stride) + 1,
  ) as [number, number];
  return { down, across, places: down * across, length: kernel * kernel * channels };
}
