import * as z from "zod";

/**
 * What may stand in one entry of a config. Each says the same of every value it refuses, and to the reference
 * (docs/config.md), as `expected`. The message of an unrecognized-keys issue is the list of the keys that are known
 * there, separated by blanks.
 */

/** Entries of a map by their names. */
export type Fields = Readonly<Record<string, z.ZodType>>;

/** What a map with these entries is once it was read. */
export type Read<Shape extends Fields> = z.output<z.ZodObject<Shape>>;

export function map<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? Object.keys(shape).join(" ") : "expected a map"),
  });
}

/** `build` gets the error that its schema has to give. */
export function leaf<Schema extends z.ZodType>(
  expected: string,
  build: (error: { error: string }) => Schema,
): Schema {
  return build({ error: `expected ${expected}` }).meta({ expected }) as Schema;
}

export function above(bound: number) {
  return leaf(`a number above ${bound}`, (error) => z.number(error).gt(bound, error));
}

export function numberFrom(least: number, most: number) {
  return leaf(`a number from ${least} to ${most}`, (error) =>
    z.number(error).gte(least, error).lte(most, error),
  );
}

export function anyNumber() {
  return leaf("a number", (error) => z.number(error));
}

export function listOf<Item extends z.ZodType>(expected: string, item: Item) {
  return leaf(`a list of ${expected}`, (error) => z.array(item, error));
}

/** What fits one of two. */
export function either<One extends z.ZodType, Other extends z.ZodType>(
  expected: string,
  one: One,
  other: Other,
) {
  return leaf(expected, (error) => z.union([one, other], error));
}

export function wholeFrom(least: number, most?: number) {
  const expected =
    most === undefined ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`;
  return leaf(expected, (error) =>
    z
      .int(error)
      .min(least, error)
      .max(most ?? Number.MAX_SAFE_INTEGER, error),
  );
}

export function oneOf<const Options extends readonly [string, ...string[]]>(options: Options) {
  return leaf(alternatives(options), (error) => z.enum(options, error));
}

export function flag() {
  return leaf("true or false", (error) => z.boolean(error));
}

export function text(expected: string) {
  return leaf(expected, (error) => z.string(error).min(1, error));
}

export function alternatives(options: readonly string[]): string {
  return options.length === 1 ? options[0]! : `${options.slice(0, -1).join(", ")} or ${options.at(-1)}`;
}
