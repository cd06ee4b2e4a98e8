import * as z from "zod";
import type { DataSetKind } from "../../data/data-set-kind.ts";
import { dataSetKinds } from "../../data/kinds.ts";
import { alternatives, leaf, map } from "../../schema/fields.ts";
import type { DataConfig } from "../config.ts";
import type { Notes } from "../notes.ts";
import type { OwnModule } from "../own-modules.ts";

/** As a config says it; its entries are those of its kind. */
interface WrittenData {
  readonly set: string;
  readonly [entry: string]: unknown;
}

/** The section `data`, with the user's own kinds among the others. */
export function dataSection(own: readonly OwnModule<DataSetKind>[]): z.ZodType<WrittenData> {
  const known = Object.entries(dataSetKinds).map(([set, kind]) => entries(set, kind));
  const others = own.map(({ path, kind }) => entries(path, kind));
  const expected = `a map with set: ${alternatives(Object.keys(dataSetKinds))}`;
  return leaf(expected, (error) =>
    z.discriminatedUnion("set", [...known, ...others] as [(typeof known)[number]], error),
  ).describe("What to learn from.");
}

function entries(set: string, { about, fields }: DataSetKind) {
  return map({ set: z.literal(set).describe(about), ...fields });
}

/**
 * The value of a whole config, its data with what their kind finds in their files. Rejects with an Error that names the
 * file and says what is wrong with it.
 */
export async function lookedUp(value: unknown, own: readonly OwnModule<DataSetKind>[]): Promise<unknown> {
  const { data } = value as { readonly data?: unknown };
  const read = dataSection(own).safeParse(data);
  if (!read.success) return value;
  const { set, ...written } = read.data;
  const found = await kindIn(set, own).kind.look?.(written);
  return found ? { ...(value as object), data: { ...(data as object), ...found } } : value;
}

function kindIn(set: string, own: readonly OwnModule<DataSetKind>[]) {
  const module = own.find(({ path }) => path === set);
  const kind: DataSetKind = module?.kind ?? dataSetKinds[set as keyof typeof dataSetKinds];
  return { module, kind };
}

/** Undefined where its kind's own code fails. */
export function completeData(
  { set, ...written }: WrittenData,
  own: readonly OwnModule<DataSetKind>[],
  notes: Notes,
): DataConfig | undefined {
  const { module, kind } = kindIn(set, own);
  const refuse = (entry: string, value: unknown, what: string) => notes.wrong(["data", entry], value, what);
  const complete = () => (kind.complete ? kind.complete(written, refuse) : written);
  const entries = module ? module.run(complete, ["data", "set"], notes) : complete();
  if (entries === undefined) return undefined;
  const data = { set, ...(module && { set: module.name, module: module.digest }), ...entries };
  const facts = () => kind.facts(data);
  return module && module.run(facts, ["data", "set"], notes) === undefined ? undefined : data;
}
