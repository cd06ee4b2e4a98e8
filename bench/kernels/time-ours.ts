import { DecoupledLayer } from "../../shared/dni/decoupled-layer.ts";
import { layerKinds, partsOf } from "../../shared/layers/kinds.ts";
import type { Kernels } from "../../shared/math/kernels.ts";
import { loadLibrary, type Path } from "../../shared/math/native/library.ts";
import { nativeKernels } from "../../shared/math/native-kernels.ts";
import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { relaxedKernels, wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { answer } from "./answer.ts";
import { type Decoupled, LABELS, type Multiplication, type Step, type Work } from "./work.ts";

// Times one of our kernel sets for candidates.ts: time-ours.ts NAME, which is a path of the native library, or another set.
const name = process.argv[2]!;

/** A process has one, as a layer does: with several, the engine compiles what is called for any of them, which is slower. */
function kernelsOf(name: string): Kernels {
  switch (name) {
    case "wasm-relaxed":
      return relaxedKernels();
    case "wasm":
      return wasmKernels();
    case "plain":
      return plainKernels();
    default:
      return nativeKernels(loadLibrary(process), name as Path);
  }
}

function prepare(kernels: Kernels, work: Work): () => void {
  switch (work.kind) {
    case "multiply":
      return multiplication(kernels, work);
    case "step":
      return step(kernels, work);
    case "decoupled":
      return decoupled(kernels, work);
  }
}

function multiplication(kernels: Kernels, work: Multiplication): () => void {
  const { rows, inner, columns } = work;
  const a = random(kernels, rows * inner);
  const b = random(kernels, inner * columns);
  const c = kernels.allocate(rows * columns);
  return () => kernels.multiply(a, b, c, work, work);
}

function step(kernels: Kernels, { rows, inner, columns }: Step): () => void {
  const [x, weight, bias] = [rows * inner, inner * columns, columns].map((length) => random(kernels, length));
  const y = kernels.allocate(rows * columns);
  const outputGradient = random(kernels, rows * columns);
  const gradient = kernels.allocate(rows * columns);
  const inputGradient = kernels.allocate(rows * inner);
  const [forWeight, forBias] = [descent(kernels, weight!), descent(kernels, bias!)];
  let t = 0;
  return () => {
    t++;
    kernels.multiply(x!, weight!, y, { rows, inner, columns });
    kernels.addBias(y, bias!, rows, columns);
    kernels.activate("sigmoid", y, y, y.length);
    kernels.activateBackward("sigmoid", y, outputGradient, gradient, y.length);
    const toInput = { rows, inner: columns, columns: inner };
    kernels.multiply(gradient, weight!, inputGradient, toInput, { transposeB: true });
    const toWeight = { rows: inner, inner: rows, columns };
    kernels.multiply(x!, gradient, forWeight.gradient, toWeight, { transposeA: true });
    kernels.sumRows(gradient, forBias.gradient, rows, columns);
    forWeight.adam(t);
    forBias.adam(t);
  };
}

function decoupled(kernels: Kernels, { rows, inner, columns }: Decoupled): () => void {
  const descends = { optimizer: "adam", momentum: 0, rate: 1e-3, schedule: { kind: "constant" } } as const;
  const layer = new DecoupledLayer(kernels, {
    layer: 2,
    headLayer: 3,
    parts: partsOf(layerKinds.dense),
    inputs: inner,
    outputs: columns,
    nonlinearity: "relu",
    batchNorm: true,
    labelPositions: 1,
    labelWidth: LABELS,
    networkInputWidth: 0,
    maxRows: rows,
    seed: 1,
    batches: 1e9,
    learning: {
      method: "cdni",
      layer: descends,
      generator: { ...descends, evidence: ["output", "labels"] },
    },
    wantInputGradient: true,
    loss: "softmax-cross-entropy",
  });
  const labels = kernels.allocate(rows);
  for (let row = 0; row < rows; row++) labels[row] = row % LABELS;
  const example = { rows, input: random(kernels, rows * inner), labels };
  const target = random(kernels, rows * columns);
  let batch = 0;
  return () => {
    const { output } = layer.update(example, batch);
    layer.learn(layer.evidence(example, output), target, batch);
    batch++;
  };
}

function descent(kernels: Kernels, parameters: Float32Array) {
  const { length } = parameters;
  const [gradient, first, second] = [0, 1, 2].map(() => kernels.allocate(length));
  const options = { rate: 1e-3, scale: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  return {
    gradient: gradient!,
    adam: (t: number) =>
      kernels.adam(parameters, gradient!, first!, second!, length, { ...options, step: t }),
  };
}

function random(kernels: Kernels, length: number): Float32Array {
  const array = kernels.allocate(length);
  for (let i = 0; i < length; i++) array[i] = (Math.random() - 0.5) / 8;
  return array;
}

const kernels = kernelsOf(name);
await answer<Work>(name, (work) => prepare(kernels, work));
