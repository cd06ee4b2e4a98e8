/**
 * Numbers in [0, 1) that depend on nothing but the words: the same words give the same sequence on every machine,
 * other words an unrelated one. sfc32 (Doty-Humphrey, PractRand), its state filled by the splitmix32 mixer.
 */
export function seededRandom(...words: readonly number[]): () => number {
  let [a, b, c, counter] = seedState(words);
  const next = (): number => {
    const mixed = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + mixed;
    return (mixed >>> 0) / 2 ** 32;
  };
  // The first outputs still resemble the state they came from.
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** One draw from the normal distribution with mean 0 and variance 1 (Box & Muller 1958); takes two numbers of `random`. */
export function normal(random: () => number): number {
  // 1 − u, because u may be 0 and the logarithm of 0 is infinite.
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

function seedState(words: readonly number[]): [number, number, number, number] {
  let state = words.length;
  for (const word of words) {
    state = mix(state ^ (word | 0));
    // Seeds beyond 32 bits are legal, and `| 0` drops what is above.
    state = mix(state ^ Math.floor(word / 2 ** 32));
  }
  return [mix(state + 1), mix(state + 2), mix(state + 3), 1];
}

function mix(word: number): number {
  let z = (word + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
