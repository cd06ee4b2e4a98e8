import type { SourceMap } from "node:module";

/** A CPU profile as V8 writes it, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds between a sample and the one before. */
  readonly timeDeltas: readonly number[];
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** Of the function's beginning, from 0. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export type Place =
  | "kernels"
  | "sockets"
  | "native"
  | "garbage"
  | "wire"
  | "link"
  | "delivery"
  | "learning"
  | "service"
  | "records"
  | "other"
  | "idle";

/** By path of the file, first match; what is in no file belongs to whoever called it. */
const PLACES: readonly (readonly [RegExp, Place])[] = [
  [/^wasm:|\/shared\/math\/|\/koffi\//, "kernels"],
  [/\/node_modules\/ws\/|^node:(net|_http|http|internal\/(streams|stream_base|net|dgram)|stream)/, "sockets"],
  [/\/shared\/wire\/|\/msgpackr/, "wire"],
  [/\/shared\/link\//, "link"],
  [/\/shared\/delivery\//, "delivery"],
  [/\/shared\/dni\//, "learning"],
  // Checkpoints, log, telemetry.
  [
    /\/shared\/(config|checkpoint|record|telemetry)\/|\/node_modules\/|^node:(fs|internal\/(fs|child_process))/,
    "records",
  ],
  [/\/services\//, "service"],
];

// A map, as functions may have any name, "constructor" too.
const SPECIAL: ReadonlyMap<string, Place> = new Map([
  ["(idle)", "idle"],
  ["(garbage collector)", "garbage"],
  ["(program)", "native"],
]);

/**
 * The same with every function in the file that it was written in, where `mapOf` knows its bundle's map; other files
 * stay as they are.
 */
export function unbundled(
  profile: CpuProfile,
  mapOf: (url: string) => Pick<SourceMap, "findEntry"> | undefined,
): CpuProfile {
  const nodes = profile.nodes.map((node) => {
    const { url, lineNumber, columnNumber } = node.callFrame;
    const entry = mapOf(url)?.findEntry(lineNumber, columnNumber);
    if (!entry || !("originalSource" in entry)) return node;
    return { ...node, callFrame: { ...node.callFrame, url: new URL(entry.originalSource, url).href } };
  });
  return { ...profile, nodes };
}

/**
 * Microseconds of each place: the time in which one of its functions, or something it called that has no place of its
 * own, was running. Counted from the first sample in the kernels on, which leaves starting the process out.
 */
export function timeByPlace({ nodes, samples, timeDeltas }: CpuProfile): Map<Place, number> {
  const places = placesOf(nodes);
  const first = samples.findIndex((id) => places.get(id) === "kernels");
  const found = new Map<Place, number>();
  for (let n = Math.max(0, first); n < samples.length; n++) {
    const place = places.get(samples[n]!) ?? "other";
    found.set(place, (found.get(place) ?? 0) + timeDeltas[n]!);
  }
  return found;
}

function placesOf(nodes: CpuProfile["nodes"]): Map<number, Place> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const places = new Map<number, Place>();
  const pending: { readonly id: number; readonly inherited: Place }[] = nodes
    .slice(0, 1)
    .map(({ id }) => ({ id, inherited: "other" }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const node = byId.get(next.id)!;
    const place = placeOf(node.callFrame) ?? next.inherited;
    places.set(node.id, place);
    for (const id of node.children ?? []) pending.push({ id, inherited: place });
  }
  return places;
}

function placeOf({ functionName, url }: CallFrame): Place | undefined {
  return SPECIAL.get(functionName) ?? PLACES.find(([pattern]) => pattern.test(url))?.[1];
}
