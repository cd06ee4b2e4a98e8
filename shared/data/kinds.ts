import { DataFileError } from "./data-file.ts";
import type { DataSet } from "./data-set.ts";
import type { DataConfig, DataSetKind } from "./data-set-kind.ts";
import { labelForm, OneHot, TAKES_CLASSES } from "./labels.ts";
import { binaryAddition } from "./sets/binary-addition.ts";
import { cifar10 } from "./sets/cifar.ts";
import { csv, tsv } from "./sets/csv.ts";
import { idx } from "./sets/idx.ts";
import { images } from "./sets/images.ts";
import { mnist } from "./sets/mnist.ts";
import { npy } from "./sets/npy.ts";
import { text } from "./sets/text.ts";
import { twoRings } from "./sets/two-rings.ts";

/** Every data set that a config can name: one line each. */
export const dataSetKinds = {
  mnist,
  idx,
  "cifar-10": cifar10,
  "binary-addition": binaryAddition,
  "two-rings": twoRings,
  text,
  csv,
  tsv,
  npy,
  images,
} satisfies Readonly<Record<string, DataSetKind>>;

/** Kinds of the user's own, by the digest of their module: the same digest is the same kind. */
const ownKinds = new Map<string, DataSetKind>();

/** From now on data may be of this kind. `digest`: of its module. */
export function addDataSetKind(digest: string, kind: DataSetKind): void {
  ownKinds.set(digest, kind);
}

/** Throws an Error where there is none: the config that names it was not read by this process. */
export function dataSetKindOf({ set, module }: DataConfig): DataSetKind {
  const table: Readonly<Record<string, DataSetKind>> = dataSetKinds;
  const found = module === undefined ? table[set] : ownKinds.get(module);
  if (!found) throw new Error(`Cannot use the data set ${set}: it is not known here`);
  return found;
}

/**
 * The data set a config names. MNIST is read into memory here (55 MB, a fraction of a second, synchronously).
 * Rejects with a DataFileError when a file is missing, damaged or of another size. `loss`: classes are one-hot where it takes
 * bits; numbers without it.
 */
export async function openDataSet(config: DataConfig, loss: string = TAKES_CLASSES): Promise<DataSet> {
  const kind = dataSetKindOf(config);
  const set = await kind.open(config);
  const facts = kind.facts(config);
  const { inputWidth, inputType, inputScale = set.inputScale } = facts;
  const { input, labels } = set.evaluationPart(0, 1);
  const found = `${input.length} inputs of ${typeOf(input)} and ${labels.length} labels of ${typeOf(labels)}`;
  const { type, count } = labelForm(facts);
  const expected = `${inputWidth} inputs of ${inputType} and ${count} labels of ${type}`;
  if (found !== expected)
    throw new DataFileError(`Cannot use ${config.set}: an example has ${found}, expected ${expected}`);
  if (inputScale !== set.inputScale)
    throw new DataFileError(`Cannot use ${config.set}: a byte is worth ${set.inputScale}, not ${inputScale}`);
  return facts.judged === "class" && loss !== TAKES_CLASSES ? new OneHot(set, facts) : set;
}

function typeOf(values: Uint8Array | Uint16Array | Float32Array): "u8" | "u16" | "f32" {
  if (values instanceof Uint16Array) return "u16";
  return values instanceof Uint8Array ? "u8" : "f32";
}
