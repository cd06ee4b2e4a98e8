import { healthOf } from "../../../shared/dni/generators/generator-health.ts";
import { shapesOf, type Tensors } from "../../../shared/math/parameter.ts";
import { plainKernels } from "../../../shared/math/plain/plain-kernels.ts";
import type { Moment, Moved, Picture, Seen } from "../../../shared/record/seen.ts";
import type { Tensor } from "../../../shared/wire/frames.ts";
import { TensorReader } from "../../../shared/wire/tensor.ts";
import { movedBy, pictureOf, pictureOfMoves } from "./picture.ts";

/** Copies of tensors, and of which they are. */
type Copies = ReadonlyMap<string, { readonly live: Float32Array; readonly copy: Float32Array }>;

const MOST_MOVED = 32;

/**
 * What is kept of one batch that somebody asked to look at. While the batch is dealt with there are only copies made, and
 * times written down; what they come to is computed when all is there.
 */
export class Look {
  readonly batch: number;
  readonly #clock: () => number;
  /** Floats per example of the output. */
  readonly #outputs: number;
  readonly #moments: Partial<Record<Moment, number>> = {};
  readonly #kept: Partial<Record<"input" | "output" | "guess" | "target", Float32Array>> = {};
  readonly #moves: { readonly before: Copies; readonly after: Copies }[] = [];
  #learns: Exclude<Seen["learns"], undefined> = "decoupled";
  #rows = 0;
  #loss: number | undefined;
  staleness: number | undefined;

  /** `clock`: milliseconds since 1970, with fractions. */
  constructor(batch: number, outputs: number, clock: () => number) {
    this.batch = batch;
    this.#outputs = outputs;
    this.#clock = clock;
  }

  /** The first time counts: what is lost with a link is sent again. */
  at(moment: Moment): void {
    this.#moments[moment] ??= this.#clock();
  }

  has(moment: Moment): boolean {
    return this.#moments[moment] !== undefined;
  }

  learns(how: Exclude<Seen["learns"], undefined>, rows: number): void {
    this.#learns = how;
    this.#rows = rows;
  }

  lost(loss: number | undefined): void {
    this.#loss = loss;
  }

  /** There may be room for more rows than the batch has. */
  keep(what: "output" | "guess", values: Float32Array | undefined): void {
    if (values) this.#kept[what] = values.slice(0, this.#rows * this.#outputs);
  }

  keepTensor(what: "input" | "target", tensor: Tensor): void {
    const [rows, columns] = tensor.shape;
    const floats = new Float32Array(rows * columns);
    new TensorReader(plainKernels(), floats, rows).readChecked(tensor);
    this.#kept[what] = floats;
  }

  /** Of these tensors, before and after. */
  moved(before: Copies): void {
    const after = new Map([...before].map(([name, { live }]) => [name, { live, copy: live.slice() }]));
    this.#moves.push({ before, after });
  }

  seen(): Seen {
    const moved = this.#moves.flatMap(({ before, after }) =>
      [...before].map(([name, { copy }]) => movedBy(name, copy, after.get(name)!.copy)),
    );
    return {
      ...{ batch: this.batch, learns: this.#learns, moments: this.#moments, rows: this.#rows },
      ...(this.#loss !== undefined && { loss: this.#loss }),
      ...this.#agreement(),
      ...(this.staleness !== undefined && { staleness: this.staleness }),
      moved: mostMoved(moved),
      pictures: this.#pictures(),
    };
  }

  /** Of the guess that was followed and the target that came. */
  #agreement(): Pick<Seen, "cosine" | "generatorError"> {
    const { guess, target } = this.#kept;
    if (!guess || !target) return {};
    const scratch = new Float32Array(guess.length);
    const { cosine, squaredError, squaredTarget } = healthOf(
      plainKernels(),
      guess,
      target,
      scratch,
      guess.length,
    );
    return { cosine, ...(squaredTarget > 0 && { generatorError: squaredError / squaredTarget }) };
  }

  #pictures(): Record<string, Picture> {
    const kept = Object.entries(this.#kept).map(([what, values]) => [what, pictureOf(values, this.#rows)]);
    const weights = this.#weights();
    return { ...Object.fromEntries(kept), ...(weights && { weights }) };
  }

  /** Of the largest matrix of the layer's own. */
  #weights(): Picture | undefined {
    const { before, after } = this.#moves[0] ?? {};
    if (!before || !after) return undefined;
    const shapes = shapesOf(Object.fromEntries([...before].map(([name, { live }]) => [name, live])));
    const [name] = Object.keys(shapes).sort(
      (a, b) => before.get(b)!.copy.length - before.get(a)!.copy.length,
    );
    if (name === undefined) return undefined;
    return pictureOfMoves(before.get(name)!.copy, after.get(name)!.copy, shapes[name]![0]!);
  }
}

/** Of all whose name begins so. */
export function copiesOf(tensors: Tensors, ...beginnings: readonly string[]): Copies {
  const own = Object.entries(tensors).filter(([name]) =>
    beginnings.some((each) => name.startsWith(`${each}.`)),
  );
  return new Map(own.map(([name, live]) => [name, { live, copy: live.slice() }]));
}

function mostMoved(moved: readonly Moved[]): Moved[] {
  return moved.toSorted((a, b) => b.by - a.by).slice(0, MOST_MOVED);
}
