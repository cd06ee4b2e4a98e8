import type { Tensors } from "./parameter.ts";
import type { Transform } from "./transform.ts";

/** Transforms one after another, as one; by name, the first first. */
export class Stack implements Transform {
  readonly #parts: readonly (readonly [name: string, transform: Transform])[];

  constructor(parts: Readonly<Record<string, Transform>>) {
    this.#parts = Object.entries(parts);
  }

  forward(input: Float32Array, rows: number): Float32Array {
    return this.#parts.reduce((values, [, part]) => part.forward(values, rows), input);
  }

  track(rows: number): void {
    for (const [, part] of this.#parts) part.track(rows);
  }

  evaluate(input: Float32Array, rows: number): Float32Array {
    return this.#parts.reduce((values, [, part]) => part.evaluate(values, rows), input);
  }

  backward(outputGradient: Float32Array, rows: number, wantInputGradient: boolean): Float32Array | undefined {
    let gradient: Float32Array | undefined = outputGradient;
    for (let index = this.#parts.length - 1; index >= 0; index--)
      gradient = this.#parts[index]![1].backward(gradient!, rows, index > 0 || wantInputGradient);
    return gradient;
  }

  /** Its parts are one layer: they are clipped together. */
  descend(rate: number, rows: number, step: number, squares = this.squares()): void {
    for (const [, part] of this.#parts) part.descend(rate, rows, step, squares);
  }

  squares(): number {
    return this.#parts.reduce((sum, [, part]) => sum + (part.squares?.() ?? 0), 0);
  }

  tensors(): Tensors {
    return this.#named((part) => part.tensors());
  }

  optimizerTensors(): Tensors {
    return this.#named((part) => part.optimizerTensors());
  }

  #named(of: (part: Transform) => Tensors): Tensors {
    const entries = this.#parts.flatMap(([name, part]) =>
      Object.entries(of(part)).map(([tensor, values]) => [`${name}.${tensor}`, values] as const),
    );
    return Object.fromEntries(entries);
  }
}
