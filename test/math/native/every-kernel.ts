import type { Kernels, Loss, NarrowType, Nonlinearity } from "../../../shared/math/kernels.ts";
import { drawer } from "../products.ts";
import { sequenceCases } from "./sequence-cases.ts";

/** Arrays before and after; a call of one kernel on them gives a number, or nothing. */
export interface Case {
  readonly name: string;
  readonly floats: readonly Float32Array[];
  /** Bytes that the kernel writes or reads, behind the floats. */
  readonly bytes?: Uint8Array;
  readonly run: (kernels: Kernels, floats: Float32Array[], bytes: Uint8Array) => unknown;
}

const NONLINEARITIES = ["identity", "relu", "sigmoid", "tanh"] as const satisfies readonly Nonlinearity[];
const NARROW = ["f16", "bf16", "i8"] as const satisfies readonly NarrowType[];
const LOSSES = [
  "softmax-cross-entropy",
  "sigmoid-cross-entropy",
  "mean-squared-error",
] as const satisfies readonly Loss[];

/** What goes wrong first: zeros of both signs, denormals, the ends of what floats and halves hold, no numbers. */
const SPECIAL = [0, -0, 1e-40, -1e-45, 2 ** -126, 2 ** -14, 65504, 65520, -3.39e38, 3.4e38, 87, -88, 0.625];
const NO_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Every kernel but products, on rows × columns numbers; `strange` mixes in special ones. */
export function casesOf(random: () => number, rows: number, columns: number, strange: boolean): Case[] {
  const { whole, drawn: normals } = drawer(random);
  const length = rows * columns;
  const drawn = (count: number) => {
    const values = normals(count);
    if (!strange || count === 0) return values;
    const all = [...SPECIAL, ...NO_NUMBERS];
    for (let i = 0; i < 1 + count / 8; i++) values[whole(count)] = all[whole(all.length)]!;
    return values;
  };
  const positive = (count: number) => drawn(count).map(Math.abs);
  return [
    ...rowCases(drawn, rows, columns),
    ...batchNormCases(drawn, positive, rows, columns),
    ...sequenceCases(drawn, rows, columns),
    ...lossCases(drawn, positive, rows, columns),
    ...optimizerCases(drawn, positive, length),
    ...measureCases(drawn, length),
    ...NARROW.flatMap((type) => castCases(type, drawn(length), positive(rows), random, rows, columns)),
    {
      name: "scaleBytes",
      floats: [drawn(length)],
      bytes: bytesOf(random, length),
      run: (kernels, [values], bytes) => kernels.scaleBytes(bytes, 1 / 255, values!, length),
    },
  ];
}

/** So many numbers. */
type Draw = (count: number) => Float32Array;

function rowCases(drawn: Draw, rows: number, columns: number): Case[] {
  const length = rows * columns;
  return [
    {
      name: "addBias",
      floats: [drawn(length), drawn(columns)],
      run: (kernels, [matrix, bias]) => kernels.addBias(matrix!, bias!, rows, columns),
    },
    {
      name: "sumRows",
      floats: [drawn(length), drawn(columns)],
      run: (kernels, [matrix, sums]) => kernels.sumRows(matrix!, sums!, rows, columns),
    },
    {
      name: "subtract",
      floats: [drawn(length), drawn(length), drawn(length)],
      run: (kernels, [a, b, difference]) => kernels.subtract(a!, b!, difference!, length),
    },
    ...NONLINEARITIES.map(
      (nonlinearity): Case => ({
        name: nonlinearity,
        floats: [drawn(length), drawn(length)],
        run: (kernels, [input, output]) => kernels.activate(nonlinearity, input!, output!, length),
      }),
    ),
    ...NONLINEARITIES.map(
      (nonlinearity): Case => ({
        name: `${nonlinearity} backward`,
        floats: [drawn(length), drawn(length)],
        run: (kernels, [output, gradient]) =>
          kernels.activateBackward(nonlinearity, output!, gradient!, gradient!, length),
      }),
    ),
  ];
}

function lossCases(drawn: Draw, positive: Draw, rows: number, columns: number): Case[] {
  const length = rows * columns;
  return [
    ...LOSSES.map(
      (loss): Case => ({
        name: loss,
        floats: [drawn(length), positive(length), drawn(length)],
        run: (kernels, [logits, labels, gradient]) =>
          columns === 0 ? 0 : kernels.lossAndGradient(loss, logits!, labels!, gradient!, rows, columns),
      }),
    ),
  ];
}

function optimizerCases(drawn: Draw, positive: Draw, length: number): Case[] {
  return [
    {
      name: "adam",
      floats: [drawn(length), drawn(length), drawn(length), positive(length)],
      run: (kernels, [parameters, gradient, first, second]) =>
        kernels.adam(parameters!, gradient!, first!, second!, length, {
          rate: 0.01,
          scale: 1 / 64,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          step: 3,
        }),
    },
    {
      name: "sgd",
      floats: [drawn(length), drawn(length), drawn(length)],
      run: (kernels, [parameters, gradient, velocity]) =>
        kernels.sgd(parameters!, gradient!, velocity!, length, { rate: 0.1, scale: 0.5, momentum: 0.9 }),
    },
  ];
}

function measureCases(drawn: Draw, length: number): Case[] {
  return [
    {
      name: "isWithin",
      floats: [drawn(length)],
      run: (kernels, [values]) => [1, 3, 1e30].map((limit) => kernels.isWithin(values!, length, limit)),
    },
    {
      name: "compare",
      floats: [drawn(length), drawn(length), drawn(length)],
      run: (kernels, [guess, target, difference]) => kernels.compare(guess!, target!, difference!, length),
    },
    {
      name: "scale",
      floats: [drawn(length)],
      run: (kernels, [values]) => kernels.scale(values!, 0.3, length),
    },
    {
      name: "dot",
      floats: [drawn(length), drawn(length)],
      run: (kernels, [a, b]) => kernels.dot(a!, b!, length),
    },
  ];
}

function batchNormCases(drawn: Draw, positive: Draw, rows: number, columns: number): Case[] {
  // gamma, beta, their gradients, running and batch mean and variance, normalised, input, output.
  const floats = () => [
    ...[0, 1, 2, 3, 4].map(() => drawn(columns)),
    positive(columns),
    drawn(columns),
    positive(columns),
    ...[0, 1, 2].map(() => drawn(rows * columns)),
  ];
  const normOf = (arrays: Float32Array[]) => {
    const [gamma, beta, gammaGradient, betaGradient, runningMean, runningVariance] = arrays;
    const [batchMean, batchVariance, normalised] = arrays.slice(6);
    const learnt = { gamma: gamma!, beta: beta!, gammaGradient: gammaGradient!, betaGradient: betaGradient! };
    const running = { runningMean: runningMean!, runningVariance: runningVariance! };
    const batch = { batchMean: batchMean!, batchVariance: batchVariance!, normalised: normalised! };
    return { columns, epsilon: 1e-5, ...learnt, ...running, ...batch };
  };
  return [
    {
      name: "batchNormForward",
      floats: floats(),
      run: (kernels, arrays) => {
        kernels.batchNormForward(normOf(arrays), arrays[9]!, arrays[10]!, rows);
        kernels.batchNormTrack(normOf(arrays), 0.1, rows);
      },
    },
    {
      name: "batchNormEvaluate",
      floats: floats(),
      run: (kernels, arrays) => kernels.batchNormEvaluate(normOf(arrays), arrays[9]!, arrays[10]!, rows),
    },
    {
      name: "batchNormBackward",
      floats: floats(),
      run: (kernels, arrays) => kernels.batchNormBackward(normOf(arrays), arrays[9]!, arrays[9]!, rows),
    },
  ];
}

function castCases(
  type: NarrowType,
  values: Float32Array,
  scales: Float32Array,
  random: () => number,
  rows: number,
  columns: number,
): Case[] {
  const size = (type === "i8" ? 1 : 2) * rows * columns;
  return [
    {
      name: `narrow ${type}`,
      floats: [values, scales],
      bytes: new Uint8Array(size),
      run: (kernels, [from, by], bytes) => kernels.narrow(type, from!, bytes, by!, rows, columns),
    },
    {
      name: `widen ${type}`,
      floats: [values, scales],
      bytes: bytesOf(random, size),
      run: (kernels, [to, by], bytes) => kernels.widen(type, bytes, by!, to!, rows, columns),
    },
  ];
}

function bytesOf(random: () => number, length: number): Uint8Array {
  return new Uint8Array(length).map(() => Math.floor(256 * random()));
}
