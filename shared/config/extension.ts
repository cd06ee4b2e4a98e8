/** What a module of the user's own finds under the name "unlocked": see docs/extending.md. */

export { DataFileError, readBytes } from "../data/data-file.ts";
export type { Batch, DataSet } from "../data/data-set.ts";
export { type DataConfig, type DataFacts, type DataSetKind, dataSetKind } from "../data/data-set-kind.ts";
export { countParts, rowsOfPart } from "../data/parts.ts";
export { EpochOrders, permutation } from "../data/permutation.ts";
export { gaussian, integerBelow, type Random, randomStream, uniform } from "../data/random.ts";
export { generatorOf } from "../dni/generators/generator-of.ts";
export type { GradientGenerator } from "../dni/generators/gradient-generator.ts";
export type { LayerOptions, LayerSpec } from "../dni/layer-options.ts";
export { activated, countParameters, MOST_FLOATS } from "../layers/common-fields.ts";
export type { ShapedTensor } from "../layers/elsewhere.ts";
export { type Given, type LayerKind, layerKind, type Shape } from "../layers/layer-kind.ts";
export type { OnnxGraph } from "../layers/onnx-graph.ts";
export { ConvLayer } from "../math/conv-layer.ts";
export { DenseLayer } from "../math/dense-layer.ts";
export { exactly } from "../math/exactly.ts";
export type { Kernels, Nonlinearity } from "../math/kernels.ts";
export { Learnt } from "../math/learnt.ts";
export type { Tensors } from "../math/parameter.ts";
export { normal, seededRandom } from "../math/random.ts";
export type { Transform } from "../math/transform.ts";
export { above, flag, leaf, map, numberFrom, oneOf, text, wholeFrom } from "../schema/fields.ts";
