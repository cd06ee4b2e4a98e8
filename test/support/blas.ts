import { type Blas, loadBlas } from "../../shared/math/blas/load.ts";

/** The BLAS of this machine; without one the tests that need it are skipped, and this says why. */
export const blas = find();

function find(): Blas | undefined {
  try {
    return loadBlas({ env: process.env, platform: process.platform });
  } catch (error) {
    console.log(`Skipped are the tests of BLAS: ${(error as Error).message}`);
    return undefined;
  }
}
