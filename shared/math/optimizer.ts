import type { Kernels } from "./kernels.ts";

/** Which rule moves the parameters; `momentum` is for sgd only. */
export interface OptimizerOptions {
  readonly optimizer: "adam" | "nadam" | "sgd";
  readonly momentum: number;
  /** How slowly Adam forgets gradients; 0.9 unless given. */
  readonly beta1?: number;
  /** How slowly Adam forgets squares of gradients; 0.999 unless given. */
  readonly beta2?: number;
  /** Decoupled weight decay of matrices, times the rate; for layers whose parameters are a ParameterSet. 0 unless given. */
  readonly decay?: number;
  /** Largest norm of a layer's mean gradient, for the same layers; none unless given. */
  readonly clip?: number;
}

/** What an optimizer remembers of one array between steps: arrays of the same length, by name. */
export type OptimizerState = Readonly<Record<string, Float32Array>>;

export interface OptimizerStep {
  readonly rate: number;
  /** Times the gradient: 1/rows turns a sum over the batch into its mean. */
  readonly scale: number;
  /** Counts from 1. */
  readonly step: number;
}

/**
 * A rule as a pair of functions. Everything it remembers is in the state it is handed, and is changed in place:
 * whoever owns the state can save it, restore it, and continue bit for bit.
 */
export interface Optimizer {
  init(kernels: Kernels, length: number): OptimizerState;
  update(
    kernels: Kernels,
    parameters: Float32Array,
    gradient: Float32Array,
    state: OptimizerState,
    step: OptimizerStep,
  ): void;
}

export function optimizerOf(options: OptimizerOptions): Optimizer {
  const { optimizer, beta1, beta2, momentum } = options;
  if (optimizer === "sgd") return sgd(momentum);
  if (optimizer === "nadam") return nadam(beta1, beta2);
  return beta1 === undefined && beta2 === undefined ? adam : adamWith(beta1, beta2);
}

const EPSILON = 1e-8;

/** Kingma & Ba 2015, algorithm 1, with the constants they recommend but for beta2. */
function adamWith(beta1 = 0.9, beta2 = 0.999): Optimizer {
  return {
    init: moments,
    update: (kernels, parameters, gradient, state, { rate, scale, step }) => {
      const options = { rate, scale, step, beta1, beta2, epsilon: EPSILON };
      const { firstMoment, secondMoment } = state;
      kernels.adam(parameters, gradient, firstMoment!, secondMoment!, parameters.length, options);
    },
  };
}

function moments(kernels: Kernels, length: number): OptimizerState {
  return { firstMoment: kernels.allocate(length), secondMoment: kernels.allocate(length) };
}

export const adam: Optimizer = adamWith();

/**
 * Adam that looks one step of momentum ahead (Dozat 2016, algorithm 2, with constant betas): the step is along
 * beta1 · firstMoment + (1 − beta1) · gradient. With a beta1 near 1 it stands gradients that come late (Ajanthan et al. 2025).
 */
function nadam(beta1 = 0.9, beta2 = 0.999): Optimizer {
  return {
    init: moments,
    update: (_, parameters, gradient, { firstMoment, secondMoment }, { rate, scale, step }) => {
      const [first, second] = [firstMoment!, secondMoment!];
      const ahead = beta1 / (1 - beta1 ** (step + 1));
      const here = (1 - beta1) / (1 - beta1 ** step);
      const known = 1 / (1 - beta2 ** step);
      for (let i = 0; i < parameters.length; i++) {
        const g = scale * gradient[i]!;
        const m = beta1 * first[i]! + (1 - beta1) * g;
        const v = beta2 * second[i]! + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        parameters[i] = parameters[i]! - (rate * (ahead * m + here * g)) / (Math.sqrt(known * v) + EPSILON);
      }
    },
  };
}

/** Gradient descent; with momentum 0 it is the plain one. */
export function sgd(momentum: number): Optimizer {
  return {
    init: (kernels, length) => ({ velocity: kernels.allocate(length) }),
    update: (kernels, parameters, gradient, state, { rate, scale }) => {
      kernels.sgd(parameters, gradient, state.velocity!, parameters.length, { rate, scale, momentum });
    },
  };
}
