/** Uniform integers from 0 up to 2³² − 1. */
export type Random = () => number;

/** Which use a stream is for, so that no two uses ever share their numbers. */
export const Stream = { training: 1, heldOut: 2, shuffle: 3, augmentation: 4 } as const;

/**
 * A stream of random integers that depends on `keys` alone (safe non-negative integers): the small fast counting
 * generator of the PractRand suite, 128 bits of state, on keys mixed by the finaliser of MurmurHash3.
 */
export function randomStream(...keys: readonly number[]): Random {
  let a = mixKeys(0x243f6a88, keys);
  let b = mixKeys(0x85a308d3, keys);
  let c = mixKeys(0x13198a2e, keys);
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // The first number does not depend on c yet, and the next ones only weakly.
  for (let warmUp = 0; warmUp < 12; warmUp++) next();
  return next;
}

/** Uniform in [0, 1). */
export function uniform(random: Random): number {
  return random() / 2 ** 32;
}

/** Uniform from 0 to `bound` − 1; its bias is below bound / 2³². */
export function integerBelow(random: Random, bound: number): number {
  return Math.floor(uniform(random) * bound);
}

/** Mean 0, variance 1 (Box and Muller 1958, one of the two values). */
export function gaussian(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(random)));
  return radius * Math.cos(2 * Math.PI * uniform(random));
}

function mixKeys(lane: number, keys: readonly number[]): number {
  let state = lane;
  for (const key of keys) {
    state = mix(state ^ (key >>> 0));
    state = mix(state ^ Math.floor(key / 2 ** 32));
  }
  return state;
}

function mix(word: number): number {
  let mixed = (word + 0x9e3779b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
