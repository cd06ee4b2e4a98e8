/** √(2/π), and the cubic term of the approximation (Hendrycks & Gimpel 2016, section 2). */
const SCALE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** output = x · ½(1 + tanh(√(2/π)(x + 0.044715 x³))), element by element. `output` may be `input`. */
export function gelu(input: Float32Array, output: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) {
    const x = input[i]!;
    output[i] = 0.5 * x * (1 + tanh(SCALE * (x + CUBIC * x * x * x)));
  }
}

/** inputGradient = outputGradient · gelu′(input). `inputGradient` may be `outputGradient`. */
export function geluBackward(
  input: Float32Array,
  outputGradient: Float32Array,
  inputGradient: Float32Array,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const x = input[i]!;
    const t = tanh(SCALE * (x + CUBIC * x * x * x));
    const slope = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SCALE * (1 + 3 * CUBIC * x * x);
    inputGradient[i] = outputGradient[i]! * slope;
  }
}

/** Through one exponential: Math.tanh takes twice as long. */
function tanh(x: number): number {
  return 1 - 2 / (1 + Math.exp(2 * x));
}
