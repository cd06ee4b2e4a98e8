import type { Kernels, MultiplyOptions, Nonlinearity, PatchShape } from "./kernels.ts";
import { patchesOf } from "./patches.ts";
import { Arena } from "./wasm/arena.ts";
import { type Build, loadKernels, type WasmExports } from "./wasm/load.ts";
import { wasmBatchNorm } from "./wasm/wasm-batch-norm.ts";
import { wasmCasts } from "./wasm/wasm-casts.ts";
import { wasmSequences } from "./wasm/wasm-sequences.ts";

/** Address space of an arena unless told otherwise; pages never touched take no memory. */
const DEFAULT_MEGABYTES = 256;

/** What 32-bit addresses reach. */
const MOST_MEGABYTES = 4096;

const LARGEST_FLOAT = 2 ** 128 - 2 ** 104;

/**
 * The kernels in WebAssembly with 128-bit SIMD: deterministic, the same bits on every machine, no dependency. Each
 * set has an arena of its own of `megabytes`, which never grows, so that its arrays stay valid; sums are kept in
 * single precision (those of losses in double). Arrays written to must not overlap those read from, but for those
 * that `Kernels` allows to be the same.
 *
 * Throws a RangeError if `megabytes` is not a whole number from 1 to 4096; kernels throw one for an array of another
 * memory or one shorter than the shape needs.
 */
export function wasmKernels(options: ArenaOptions = {}): Kernels {
  return kernelsInArena(options, "deterministic");
}

/**
 * The same, but products with relaxed SIMD: one rounding for a product and its addition where the processor has such an
 * instruction, two where it has none: with it the bits of `nativeKernels`, see `fusesProducts`. Throws an Error, too, where
 * the runtime does not take these instructions.
 */
export function relaxedKernels(options: ArenaOptions = {}): Kernels {
  return { ...kernelsInArena(options, "relaxed"), name: "wasm-relaxed" };
}

export interface ArenaOptions {
  readonly megabytes?: number;
}

/**
 * The same as `wasmKernels` of either build, but for what `instead` gives: kernels that compute in the same arena, to the
 * same bits.
 */
export function kernelsInArena(
  options: ArenaOptions,
  build: Build,
  instead: (arena: Arena, wasm: WasmExports) => Partial<WasmExports> = () => ({}),
): Kernels {
  const megabytes = options.megabytes ?? DEFAULT_MEGABYTES;
  if (!Number.isInteger(megabytes) || megabytes < 1 || megabytes > MOST_MEGABYTES) {
    throw new RangeError(`Cannot make an arena of ${megabytes} MB: expected a whole number from 1 to 4096`);
  }
  const { buffer, kernels } = loadKernels(megabytes, build);
  const arena = new Arena(buffer);
  const wasm = { ...kernels, ...instead(arena, kernels) };
  const scratch = arena.allocate(wasm.scratchLength.value).byteOffset;
  return {
    name: "wasm",
    allocate: (length: number) => arena.allocate(length),
    ...products(wasm, arena, scratch),
    ...images(wasm, arena),
    ...elementwise(wasm, arena),
    ...sums(wasm, arena, scratch),
    ...wasmBatchNorm(wasm, arena, scratch),
    ...losses(wasm, arena),
    ...optimizers(wasm, arena),
    ...wasmCasts(wasm, arena),
    ...wasmSequences(wasm, arena),
  };
}

function products(
  kernels: WasmExports,
  arena: Arena,
  scratch: number,
): Pick<Kernels, "multiply" | "addBias" | "sumRows"> {
  return {
    multiply(a, b, c, { rows, inner, columns }, options: MultiplyOptions = {}) {
      kernels.multiply(
        arena.address(a, rows * inner),
        arena.address(b, inner * columns),
        arena.address(c, rows * columns),
        rows,
        inner,
        columns,
        Number(options.transposeA ?? false),
        Number(options.transposeB ?? false),
        Number(options.accumulate ?? false),
        scratch,
      );
    },
    addBias(matrix, bias, rows, columns) {
      kernels.addBias(arena.address(matrix, rows * columns), arena.address(bias, columns), rows, columns);
    },
    sumRows(matrix, sums, rows, columns) {
      kernels.sumRows(arena.address(matrix, rows * columns), arena.address(sums, columns), rows, columns);
    },
  };
}

function images(kernels: WasmExports, arena: Arena): Pick<Kernels, "unfold" | "fold"> {
  const addresses = (images: Float32Array, patches: Float32Array, shape: PatchShape, rows: number) => {
    const { height, width, channels } = shape;
    const { places, length } = patchesOf(shape);
    return [
      arena.address(images, rows * height * width * channels),
      arena.address(patches, rows * places * length),
    ] as const;
  };
  const inOrder = ({ height, width, channels, kernel, stride, padding }: PatchShape) =>
    [height, width, channels, kernel, stride, padding] as const;
  return {
    unfold(images, patches, shape, rows) {
      kernels.unfold(...addresses(images, patches, shape, rows), rows, ...inOrder(shape));
    },
    fold(patches, images, shape, rows) {
      kernels.fold(...addresses(images, patches, shape, rows), rows, ...inOrder(shape));
    },
  };
}

function elementwise(
  kernels: WasmExports,
  arena: Arena,
): Pick<Kernels, "add" | "subtract" | "scale" | "activate" | "activateBackward" | "isWithin"> {
  return {
    add(a, b, sum, length) {
      kernels.add(arena.address(a, length), arena.address(b, length), arena.address(sum, length), length);
    },
    subtract(a, b, difference, length) {
      kernels.subtract(
        arena.address(a, length),
        arena.address(b, length),
        arena.address(difference, length),
        length,
      );
    },
    activate(nonlinearity, input, output, length) {
      const activation = activationOf(kernels, nonlinearity);
      activation(arena.address(input, length), arena.address(output, length), length);
    },
    activateBackward(nonlinearity, output, outputGradient, inputGradient, length) {
      const from = arena.address(outputGradient, length);
      const to = arena.address(inputGradient, length);
      if (nonlinearity === "identity") kernels.copy(from, to, length);
      else derivativeOf(kernels, nonlinearity)(arena.address(output, length), from, to, length);
    },
    scale(values, factor, length) {
      kernels.scale(arena.address(values, length), factor, length);
    },
    isWithin(values, length, limit) {
      return kernels.isWithin(arena.address(values, length), length, floatAtMost(limit)) === 1;
    },
  };
}

function sums(kernels: WasmExports, arena: Arena, scratch: number): Pick<Kernels, "dot" | "compare"> {
  const found = new Float64Array(arena.buffer, scratch, 4);
  return {
    dot(a, b, length) {
      return kernels.dot(arena.address(a, length), arena.address(b, length), length);
    },
    compare(guess, target, difference, length) {
      const [s, t, d] = [guess, target, difference].map((array) => arena.address(array, length));
      kernels.compare(s!, t!, d!, length, scratch);
      const [squaredError, squaredTarget, squaredGuess, product] = found;
      return {
        squaredError: squaredError!,
        squaredTarget: squaredTarget!,
        squaredGuess: squaredGuess!,
        product: product!,
      };
    },
  };
}

function activationOf(kernels: WasmExports, nonlinearity: Nonlinearity) {
  switch (nonlinearity) {
    case "identity":
      return kernels.copy;
    case "relu":
      return kernels.relu;
    case "sigmoid":
      return kernels.sigmoid;
    case "tanh":
      return kernels.tanh;
  }
}

function derivativeOf(kernels: WasmExports, nonlinearity: Exclude<Nonlinearity, "identity">) {
  switch (nonlinearity) {
    case "relu":
      return kernels.reluBackward;
    case "sigmoid":
      return kernels.sigmoidBackward;
    case "tanh":
      return kernels.tanhBackward;
  }
}

/** The largest float that is finite and no larger than `limit`: rounding alone might let a value just above pass. */
function floatAtMost(limit: number): number {
  const float = Math.fround(Math.min(limit, LARGEST_FLOAT));
  if (!(float > limit)) return float;
  // A float's own spacing below it is at least 2^-24 of its size.
  return Math.fround(float - Math.max(float * 2 ** -24, 2 ** -149));
}

function losses(kernels: WasmExports, arena: Arena): Pick<Kernels, "lossAndGradient"> {
  return {
    lossAndGradient(loss, logits, labels, gradient, rows, columns) {
      const length = rows * columns;
      const from = arena.address(logits, length);
      const wanted = arena.address(labels, length);
      const to = arena.address(gradient, length);
      switch (loss) {
        case "softmax-cross-entropy":
          return kernels.softmaxCrossEntropy(from, wanted, to, rows, columns);
        case "sigmoid-cross-entropy":
          return kernels.sigmoidCrossEntropy(from, wanted, to, length);
        case "mean-squared-error":
          return kernels.squaredError(from, wanted, to, length);
      }
    },
  };
}

function optimizers(kernels: WasmExports, arena: Arena): Pick<Kernels, "adam" | "sgd"> {
  return {
    adam(parameters, gradient, firstMoment, secondMoment, length, options) {
      const { rate, scale, beta1, beta2, epsilon, step } = options;
      // The step with both corrections, multiplied out above and below by the root of the second one.
      const correction = Math.sqrt(1 - beta2 ** step);
      kernels.adam(
        arena.address(parameters, length),
        arena.address(gradient, length),
        arena.address(firstMoment, length),
        arena.address(secondMoment, length),
        length,
        beta1,
        (1 - beta1) * scale,
        beta2,
        Math.sqrt(1 - beta2) * scale,
        (rate * correction) / (1 - beta1 ** step),
        epsilon * correction,
      );
    },
    sgd(parameters, gradient, velocity, length, options) {
      kernels.sgd(
        arena.address(parameters, length),
        arena.address(gradient, length),
        arena.address(velocity, length),
        length,
        options.scale,
        options.momentum,
        options.rate,
      );
    },
  };
}

/** True if a product and its addition are rounded once; then products have the bits of the native kernels. */
export function fusesProducts(kernels: Kernels): boolean {
  const [a, b, c] = [2, 2, 1].map((length) => kernels.allocate(length));
  // −1 + (1 + 2^-12)²: rounded twice, the smallest part of the square is lost.
  const factor = 1 + 2 ** -12;
  a!.set([-1, factor]);
  b!.set([1, factor]);
  kernels.multiply(a!, b!, c!, { rows: 1, inner: 2, columns: 1 });
  return c![0] === factor ** 2 - 1;
}
