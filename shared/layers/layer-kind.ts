import type { NetworkLayer } from "../dni/build-layer.ts";
import type { EvidencePart } from "../dni/generators/linear-generator.ts";
import type { LayerParts, LayerSpec } from "../dni/layer-options.ts";
import type { Tensors } from "../math/parameter.ts";
import type { Fields, Read } from "../schema/fields.ts";
import type { ShapedTensor } from "./elsewhere.ts";
import type { OnnxGraph } from "./onnx-graph.ts";

/** How the floats of one example lie between two layers. Without `image`: in a row, in no order that a layer could use. */
export interface Shape {
  readonly width: number;
  /** height × width × channels = the floats. */
  readonly image?: ImageSize;
  /** positions × floats of a position = the floats. */
  readonly sequence?: SequenceSize;
}

interface SequenceSize {
  readonly positions: number;
  /** Where a position is one id: ids are 0 to vocabulary − 1. */
  readonly vocabulary?: number;
}

export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** What comes to a layer. `giver`: the data set or the layer before, by name. */
export interface Given extends Shape {
  readonly giver: string;
}

/** Says what is wrong with one entry of a layer; `what` begins after "layers.0.kernel is 29: ". */
export type Refuse = (entry: string, value: unknown, what: string) => void;

/** What a kind makes of what a config says of a layer. */
export type Sized = Pick<LayerSpec, "inputs" | "outputs" | "positions" | "conv" | "own">;

/**
 * One kind of layer: all that the rest of the program asks about it. A kind is one file and one line in kinds.ts, or a
 * module of the user's own (docs/extending.md). `Own` are its entries in a config, besides `kind` and `method`.
 */
interface LayerKindOf<Own extends Fields> {
  /** One sentence for docs/config.md. */
  readonly about: string;
  /**
   * Its entries in a config, each with `describe`. `nonlinearity` and `batchNorm`, where it has them, are those of
   * common-fields.ts: their defaults depend on the layer's place.
   */
  readonly fields: Own;
  /** Whether it can be the last layer, which gives labels. */
  readonly canBeHead: boolean;

  /**
   * Fills in what follows from `given` (undefined where the data is in doubt), and checks it. Undefined where nothing
   * can be said of later layers. `own` is plain data, under the names of `fields` where the canonical config says it.
   */
  size(written: Read<Own>, given: Given | undefined, refuse: Refuse, number: number): Sized | undefined;

  /** The entries that make the same layer again: its part of the canonical config. */
  entries?(layer: NetworkLayer): Readonly<Record<string, unknown>>;

  /** What it gives to the next layer. So many floats in a row unless there is a `gives`. */
  gives?(layer: LayerSpec): Shape;

  /** What computes it, newly drawn. */
  readonly transform: LayerParts["transform"];

  /** What guesses the gradient at its output. The one that sees so many floats in a row unless there is another. */
  readonly generator?: LayerParts["generator"];

  /** Why a generator of this kind cannot look at these parts: "a convolution, looks at output"; undefined if it can. */
  refuseEvidence?(evidence: readonly EvidencePart[]): string | undefined;

  /**
   * Adds to `graph` what it computes in an evaluation; the name of the output, examples × outputs. `input`: the name of
   * examples × inputs floats. `tensors`: by the names of its transform's. Without it, a network with such a layer
   * cannot be exported.
   */
  onnx?(graph: OnnxGraph, input: string, layer: LayerSpec, tensors: Tensors): string;

  /**
   * Its tensors under PyTorch's names and turned as PyTorch has them; images are channels first there. Without it, they
   * are as the transform has them. `given`: what comes to it.
   */
  torch?(layer: LayerSpec, tensors: Tensors, given: Shape): Readonly<Record<string, ShapedTensor>>;

  /** For the worker's card and the report. */
  describe(layer: LayerSpec): LayerDescription;
}

interface LayerDescription {
  /** In the words of the field: "convolution"; empty for an ordinary layer. */
  readonly what: string;
  /** Floats that it learns. */
  readonly parameters: number;
}

/** A kind whose own entries are nobody else's business. */
export type LayerKind = LayerKindOf<Fields>;

/** The same kind; the types of what is written follow from its fields. */
export function layerKind<Own extends Fields>(kind: LayerKindOf<Own>): LayerKind {
  return kind as unknown as LayerKind;
}
