import type {
  ActivationFrame,
  CorrectionFrame,
  Frame,
  GradientFrame,
  PreviewFrame,
  Tensor,
} from "../frames.ts";

/** Frames that come for every batch, each like the last of its kind but for its number and its values. */
type SteadyFrame = ActivationFrame | PreviewFrame | CorrectionFrame | GradientFrame;

const TENSORS = ["activation", "labels", "input", "gradient"] as const;
type Tensors = { readonly [Name in (typeof TENSORS)[number]]?: Tensor };

/** One tensor of a frame, without its values, and where in the bytes of the frame they are. */
interface Place {
  readonly name: keyof Tensors;
  readonly like: Omit<Tensor, "data" | "scales">;
  readonly data: Span;
  readonly scales: Span | undefined;
}

interface Span {
  readonly at: number;
  readonly length: number;
}

/**
 * MessagePack's tokens of an unsigned number, by its bytes. Lower numbers take fewer, and are not worth a layout.
 */
const TOKENS: Readonly<Record<number, 2 | 4>> = { 205: 2, 206: 4 };

/**
 * How the bytes of one frame are laid out: every byte but those of its batch number and of the values of its
 * tensors, and where those lie. Another frame that is like it can be read and written by that alone.
 */
export class Layout {
  readonly #kind: SteadyFrame["kind"];
  readonly #places: readonly Place[];
  readonly #batch: { readonly at: number; readonly length: 2 | 4 };
  /** Of a frame, in bytes. */
  readonly length: number;
  /** Where what is alike lies, byte for byte, and what is there. */
  readonly #positions: Uint32Array;
  readonly #values: Uint8Array;

  /** Of a frame that `decode` gave for these bytes; undefined if its like cannot be told by it. */
  static of(frame: Frame, bytes: Uint8Array): Layout | undefined {
    if (!isSteady(frame)) return undefined;
    const start = startOf(frame.kind);
    if (!start.equals(bytes.subarray(1, 1 + start.length))) return undefined;
    const at = 1 + start.length;
    const length = TOKENS[bytes[at]!];
    return length && new Layout(frame, placesOf(frame, bytes), { at: at + 1, length }, bytes);
  }

  private constructor(
    { kind }: SteadyFrame,
    places: readonly Place[],
    batch: { readonly at: number; readonly length: 2 | 4 },
    bytes: Uint8Array,
  ) {
    this.#kind = kind;
    this.#places = places;
    this.#batch = batch;
    this.length = bytes.length;
    this.#positions = Uint32Array.from(positionsBeside([batch, ...spansOf(places)], bytes.length));
    this.#values = Uint8Array.from(this.#positions, (at) => bytes[at]!);
  }

  /**
   * The frame in these bytes, as `decode` has it, over the same memory; undefined unless they are laid out so.
   * What is neither number nor values was checked in the bytes that this layout is of, and any number of its
   * length is one.
   */
  read(bytes: Uint8Array): SteadyFrame | undefined {
    if (bytes.length !== this.length) return undefined;
    const positions = this.#positions;
    const values = this.#values;
    for (let n = 0; n < positions.length; n++) if (bytes[positions[n]!] !== values[n]) return undefined;
    const frame: Record<string, unknown> = { kind: this.#kind, batch: this.#batchIn(bytes) };
    for (const place of this.#places) frame[place.name] = tensorOver(bytes, place);
    return frame as unknown as SteadyFrame;
  }

  /** Whether this frame is laid out so. */
  holds(frame: Frame): frame is SteadyFrame {
    if (frame.kind !== this.#kind || !isSteady(frame)) return false;
    const { batch } = frame;
    const isOfLength = this.#batch.length === 2 ? batch > 0xff && batch <= 0xffff : batch > 0xffff;
    if (!isOfLength || batch > 0xffffffff) return false;
    const tensors: Tensors = frame;
    let found = 0;
    for (const name of TENSORS) if (tensors[name]) found++;
    if (found !== this.#places.length) return false;
    for (const place of this.#places) if (!fits(tensors, place)) return false;
    return true;
  }

  /** The bytes of a frame that is laid out so, in `bytes`, which has this length. */
  write(frame: SteadyFrame, bytes: Buffer): Buffer {
    const positions = this.#positions;
    const values = this.#values;
    for (let n = 0; n < positions.length; n++) bytes[positions[n]!] = values[n]!;
    const { at, length } = this.#batch;
    if (length === 2) bytes.writeUInt16BE(frame.batch, at);
    else bytes.writeUInt32BE(frame.batch, at);
    const tensors: Tensors = frame;
    for (const place of this.#places) {
      const tensor = tensors[place.name]!;
      bytes.set(tensor.data, place.data.at);
      if (place.scales) bytes.set(tensor.scales!, place.scales.at);
    }
    return bytes;
  }

  #batchIn(bytes: Uint8Array): number {
    const { at, length } = this.#batch;
    let batch = 0;
    for (let n = at; n < at + length; n++) batch = batch * 256 + bytes[n]!;
    return batch;
  }
}

/** Whether there may be many like it. */
export function isSteady(frame: Frame): frame is SteadyFrame {
  switch (frame.kind) {
    case "activation":
      return frame.evaluation === undefined;
    case "gradient":
      return frame.part === undefined && frame.snapshot === undefined;
    case "preview":
    case "correction":
      return true;
    default:
      return false;
  }
}

/**
 * What stands between the token of the map and the batch number in frames as ours are. It is not looked for
 * elsewhere: a peer may hide the same bytes in a scale, and bytes of that would be taken for the number.
 */
function startOf(kind: string): Buffer {
  return Buffer.from(`\xa4kind${String.fromCharCode(0xa0 + kind.length)}${kind}\xa5batch`, "latin1");
}

function placesOf(frame: SteadyFrame, bytes: Uint8Array): readonly Place[] {
  const tensors: Tensors = frame;
  const spanOf = ({ byteOffset, length }: Uint8Array): Span => ({
    at: byteOffset - bytes.byteOffset,
    length,
  });
  return TENSORS.flatMap((name) => {
    const tensor = tensors[name];
    if (!tensor) return [];
    const { data, scales, ...like } = tensor;
    return [{ name, like, data: spanOf(data), scales: scales && spanOf(scales) }];
  });
}

function spansOf(places: readonly Place[]): readonly Span[] {
  return places.flatMap(({ data, scales }) => (scales ? [data, scales] : [data]));
}

/** All from 0 to `length` that are in none of the spans. */
function positionsBeside(spans: readonly Span[], length: number): number[] {
  const positions: number[] = [];
  let from = 0;
  for (const span of [...spans, { at: length, length: 0 }].sort((one, other) => one.at - other.at)) {
    for (let at = from; at < span.at; at++) positions.push(at);
    from = span.at + span.length;
  }
  return positions;
}

function fits(tensors: Tensors, { name, like, data, scales }: Place): boolean {
  const tensor = tensors[name];
  return (
    tensor !== undefined &&
    tensor.dtype === like.dtype &&
    // Rows so wide, and so many bytes: there are as many rows.
    tensor.shape[1] === like.shape[1] &&
    tensor.scale === like.scale &&
    tensor.data.length === data.length &&
    tensor.scales?.length === scales?.length
  );
}

// Written out: to spread what is optional takes forty times as long, for every tensor of every frame.
function tensorOver(bytes: Uint8Array, { like: { dtype, shape, scale }, data, scales }: Place): Tensor {
  if (scales) return { dtype, shape, scales: part(bytes, scales), data: part(bytes, data) };
  if (scale !== undefined) return { dtype, shape, scale, data: part(bytes, data) };
  return { dtype, shape, data: part(bytes, data) };
}

function part(bytes: Uint8Array, { at, length }: Span): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}
