import { FrameError } from "./frame-error.ts";

/**
 * One decoded map, read field by field. Every reader throws a FrameError that names the field and what was found.
 */
export class Fields {
  readonly #of: string;
  readonly #map: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();

  /** `of` names the map in errors: "activation", or "activation.labels" for a map inside. */
  constructor(of: string, value: unknown) {
    if (!isMap(value)) throw new FrameError(`Cannot read ${of}: it is ${describe(value)}, expected a map`);
    this.#of = of;
    this.#map = value;
  }

  has(name: string): boolean {
    return this.#map[name] !== undefined;
  }

  /** A safe integer in least…most. */
  integer(name: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(name);
    if (!Number.isSafeInteger(value)) this.#refuse(name, "expected an integer");
    const integer = value as number;
    if (integer < least || integer > most) this.#refuse(name, `expected ${least} to ${most}`);
    // −0 is a safe integer too; adding 0 makes it 0.
    return integer + 0;
  }

  finite(name: string): number {
    const value = this.#take(name);
    if (!Number.isFinite(value)) this.#refuse(name, "expected a finite number");
    return value as number;
  }

  text(name: string, pattern: RegExp): string {
    const value = this.#take(name);
    if (typeof value !== "string" || !pattern.test(value)) this.#refuse(name, `expected ${pattern}`);
    return value;
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const value = this.#take(name);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) this.#refuse(name, `expected ${choices.join(" or ")}`);
    return found;
  }

  /** The bytes themselves, not a copy. */
  bytes(name: string): Uint8Array {
    const value = this.#take(name);
    if (!(value instanceof Uint8Array)) this.#refuse(name, "expected bytes");
    return value;
  }

  /** Two integers, as [first, second]. */
  pair(name: string, least: number): readonly [number, number] {
    return readPair(`${this.#of}.${name}`, this.#take(name), least);
  }

  map(name: string): Fields {
    return new Fields(`${this.#of}.${name}`, this.#take(name));
  }

  /** Each item of a list, read by `read`, which is told what to call it. */
  list<Item>(name: string, read: (of: string, value: unknown) => Item): readonly Item[] {
    const value = this.#take(name);
    if (!Array.isArray(value)) this.#refuse(name, "expected a list");
    return value.map((item, index) => read(`${this.#of}.${name}[${index}]`, item));
  }

  /** Refuses the map if it has a field that was not asked for. */
  end(): void {
    for (const name of Object.keys(this.#map)) {
      if (!this.#read.has(name)) throw new FrameError(`Cannot read ${this.#of}: it has a field ${name}`);
    }
  }

  /** For a field that was read, but does not fit: `why` is the whole complaint. */
  fault(why: string): never {
    throw new FrameError(`Cannot read ${this.#of}: ${why}`);
  }

  #refuse(name: string, expected: string): never {
    this.fault(`${name} is ${describe(this.#map[name])}, ${expected}`);
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#map[name];
  }
}

export function readPair(of: string, value: unknown, least: number): readonly [number, number] {
  const isPair = Array.isArray(value) && value.length === 2;
  if (isPair && value.every((part) => Number.isSafeInteger(part) && part >= least)) {
    return [value[0], value[1]];
  }
  throw new FrameError(`Cannot read ${of}: it is ${describe(value)}, expected two integers from ${least}`);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** Short and on one line, whatever was sent. */
function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `[${value.slice(0, 4).map(describeItem).join(", ")}]`;
  return describeItem(value);
}

function describeItem(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 32));
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "a map";
  return String(value);
}
