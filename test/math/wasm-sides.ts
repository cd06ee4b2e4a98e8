import { plainKernels } from "../../shared/math/plain/plain-kernels.ts";
import { seededRandom } from "../../shared/math/random.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { range } from "./double-oracle.ts";
import { drawer } from "./products.ts";

export const random = seededRandom(4);

export const oracle = plainKernels();

export const sides = { subject: wasmKernels(), oracle };

/** Every remainder of a vector and of a tile, and something longer. */
export const lengths = [...range(19), 101, 1031];

export const shapes = lengths.slice(1, 19).map((columns) => ({ rows: 1 + ((columns * 5) % 11), columns }));

export const nonlinearities = ["identity", "relu", "sigmoid", "tanh"] as const;

export const { drawn, whole } = drawer(random);
