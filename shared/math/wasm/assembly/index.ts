// The kernels of the module. Arrays are byte addresses in its memory, `scratch` an area of `scratchLength` floats.
export { multiply, scratchLength } from "./multiply";
export { addBias, sumRows } from "./columns";
export {
  add,
  copy,
  isWithin,
  relu,
  reluBackward,
  scale,
  sigmoid,
  sigmoidBackward,
  subtract,
  tanh,
  tanhBackward,
} from "./elementwise";
export { batchNormBackward, batchNormEvaluate, batchNormForward, track } from "./batch-norm";
export { sigmoidCrossEntropy, softmaxCrossEntropy, squaredError } from "./losses";
export { adam, sgd } from "./optimizers";
export { fold, unfold } from "./patches";
export {
  bfloatsToFloats,
  bytesToFloats,
  floatsToBfloats,
  floatsToHalves,
  floatsToInts,
  halvesToFloats,
  intsToFloats,
} from "./casts";
export {
  causalSoftmax,
  causalSoftmaxBackward,
  gelu,
  geluBackward,
  layerNormBackward,
  layerNormForward,
  swapPieces,
} from "./sequences";
export { compare, dot } from "./sums";
