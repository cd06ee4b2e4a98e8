import type { Fields, Read } from "../schema/fields.ts";
import type { DataSet } from "./data-set.ts";
import type { Column } from "./table/column.ts";

/** Which data a run learns from; part of its Config. Its other entries are those of its kind, complete: plain data. */
export interface DataConfig {
  /** The name of a kind, or the path of a module of the user's own. */
  readonly set: string;
  /** SHA-256 of that module; only where it is one. */
  readonly module?: string;
  /** Of the user's own files, for kinds that read some: they are read before a run begins, and lent to containers. */
  readonly path?: string;
  readonly [entry: string]: unknown;
}

/**
 * What is known of a data set from its part of the config alone: no file is read for it. Plain JSON, and all that a finished
 * model needs to be used without its data: encode.ts makes inputs by it. A run's folder has it as data.json.
 */
export interface DataFacts {
  /** Floats per example that the first layer takes. */
  readonly inputWidth: number;
  /** What the inputs are, if they are images: height × width × channels. */
  readonly image?: { readonly height: number; readonly width: number; readonly channels: number };
  /** How a picture of another shape comes to that one, where pictures are read from files. */
  readonly fit?: "crop" | "stretch";
  /** What the inputs are, if they are sequences of ids; labels are then one id of the vocabulary for each position. */
  readonly sequence?: { readonly positions: number; readonly vocabulary: number };
  /** What the inputs are, if they are the last so many characters of a text, one-hot; the label is the next one. */
  readonly window?: number;
  /** Outputs that the network needs: classes (of a sequence, of all positions), bits, or values. */
  readonly labelWidth: number;
  /** Inputs travel as bytes, or as floats. */
  readonly inputType: "u8" | "f32";
  /** What a byte of input is worth; 1 unless given. */
  readonly inputScale?: number;
  /** One class of several, bits that are each right or wrong, or values to come close to (regression). */
  readonly judged: "class" | "bits" | "values";
  /** Undefined for an endless stream. */
  readonly trainingExamples: number | undefined;
  /** How a row becomes inputs, if they are rows of a table: one column after another. */
  readonly columns?: readonly Column[];
  /** What an id of a sequence or a window stands for, by its place; bytes where neither is given. */
  readonly characters?: string;
  /** The same where an id stands for several bytes: those of each, a character from U+0000 to U+00FF for a byte. */
  readonly tokens?: readonly string[];
  /** What each output stands for, in order, where that is known; of a sequence, none. */
  readonly labels?: readonly LabelFacts[];
}

/** A class, a bit, or a value. */
export interface LabelFacts {
  readonly name: string;
  /** Both for values only: the label is mean + output · deviation. */
  readonly mean?: number | undefined;
  readonly deviation?: number | undefined;
}

/** Classes that are called 0, 1, 2, … */
export function numbered(classes: number): LabelFacts[] {
  return Array.from({ length: classes }, (_, index) => ({ name: String(index) }));
}

/** Says what is wrong with one entry; `what` begins after "data.heldOut is 2000: ". */
type Refuse = (entry: string, value: unknown, what: string) => void;

/**
 * One kind of data set: all that the rest of the program asks about it. A kind is one file and one line in kinds.ts, or a
 * module of the user's own (docs/extending.md). `Own` are its entries in a config, besides `set`; `Complete` is what
 * they become, as the run's config.yaml and the config's hash have it.
 */
interface DataSetKindOf<Own extends Fields, Complete extends object> {
  /** One sentence for docs/config.md. */
  readonly about: string;
  /** Its entries in a config, each with `describe`. */
  readonly fields: Own;

  /**
   * What has to be looked up in files before anything is known of the set (rows, columns, classes): entries of `fields`
   * that the config leaves open. They are found once, when a run begins, and stand in its config.yaml from then
   * on: nobody else looks. Rejects with an Error that names the file.
   */
  look?(written: Read<Own>): Promise<Partial<Read<Own>>>;

  /**
   * Leaves out what changes nothing, and checks what depends on each other. What is written unless there is one. Undefined,
   * and something refused, where too little is known to go on.
   */
  complete?(written: Read<Own>, refuse: Refuse): Complete | undefined;

  facts(data: Complete): DataFacts;

  /** Reads what there is to read. Throws, or rejects, with a DataFileError that names the file and what was found. */
  open(data: Complete): DataSet | Promise<DataSet>;
}

/** A kind whose own entries are nobody else's business. */
export type DataSetKind = DataSetKindOf<Fields, DataConfig>;

/** The same kind; the types of what is written follow from its fields. */
export function dataSetKind<Own extends Fields, Complete extends object = Read<Own>>(
  kind: DataSetKindOf<Own, Complete>,
): DataSetKind {
  return kind as unknown as DataSetKind;
}
