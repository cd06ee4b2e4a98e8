/** What a shared object of 64 bits, little-endian, asks of the system that loads it. */
export interface Wants {
  /** Other libraries. */
  readonly needed: number;
  /** Names that it uses and does not define. */
  readonly undefinedSymbols: readonly string[];
  readonly executableStack: boolean;
  readonly exports: readonly string[];
}

const [PT_DYNAMIC, PT_LOAD, PT_GNU_STACK] = [2, 1, 0x6474e551];
const [DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB] = [1, 4, 5, 6];
const EXECUTABLE = 1;

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

export function wantsOf(file: Buffer): Wants {
  const segments = segmentsOf(file);
  const dynamic = entriesOf(file, segments.find(({ type }) => type === PT_DYNAMIC)!);
  const placed = (tag: number) => offsetOf(segments, dynamic.find((entry) => entry.tag === tag)!.value);
  const [strings, table] = [placed(DT_STRTAB), placed(DT_SYMTAB)];
  // A hash table begins with the numbers of its buckets and of all symbols.
  const count = file.readUInt32LE(placed(DT_HASH) + 4);
  const symbols = Array.from({ length: count - 1 }, (_, i) => symbolAt(file, table + 24 * (i + 1), strings));
  const stack = segments.find(({ type }) => type === PT_GNU_STACK);
  return {
    needed: dynamic.filter(({ tag }) => tag === DT_NEEDED).length,
    undefinedSymbols: symbols.filter(({ section }) => section === 0).map(({ name }) => name),
    executableStack: !stack || (stack.flags & EXECUTABLE) !== 0,
    exports: symbols.filter(({ section }) => section !== 0).map(({ name }) => name),
  };
}

function segmentsOf(file: Buffer): Segment[] {
  const [start, size, count] = [wordAt(file, 32), file.readUInt16LE(54), file.readUInt16LE(56)];
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * size;
    return {
      type: file.readUInt32LE(at),
      flags: file.readUInt32LE(at + 4),
      offset: wordAt(file, at + 8),
      address: wordAt(file, at + 16),
      size: wordAt(file, at + 32),
    };
  });
}

function entriesOf(file: Buffer, { offset, size }: Segment): { tag: number; value: number }[] {
  return Array.from({ length: size / 16 }, (_, i) => ({
    tag: wordAt(file, offset + 16 * i),
    value: wordAt(file, offset + 16 * i + 8),
  }));
}

function symbolAt(file: Buffer, at: number, strings: number): { name: string; section: number } {
  const start = strings + file.readUInt32LE(at);
  return { name: file.toString("latin1", start, file.indexOf(0, start)), section: file.readUInt16LE(at + 6) };
}

/** Where in the file lies what is loaded at this address. */
function offsetOf(segments: readonly Segment[], address: number): number {
  const segment = segments.find(
    (each) => each.type === PT_LOAD && address >= each.address && address < each.address + each.size,
  )!;
  return address - segment.address + segment.offset;
}

function wordAt(file: Buffer, at: number): number {
  return Number(file.readBigUInt64LE(at));
}
