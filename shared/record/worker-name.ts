/** The source feeds the layers, which count from 1. */
export type WorkerName = "source" | `layer${number}`;

/** Everybody who has something to say in a record; "train" starts and ends local workers. */
export type Speaker = WorkerName | "train" | "hub";

const LAYER = /^layer([1-9]\d{0,3})$/;

export function layerName(layer: number): WorkerName {
  return `layer${layer}`;
}

/** The source and the layers, in their order. */
export function workerNames({ layers }: { readonly layers: readonly unknown[] }): WorkerName[] {
  return ["source", ...layers.map((_, index) => layerName(index + 1))];
}

export function isWorkerName(name: string): name is WorkerName {
  return name === "source" || LAYER.test(name);
}

export function isSpeaker(name: string): name is Speaker {
  return name === "train" || name === "hub" || isWorkerName(name);
}

/** Undefined for the source, and for what is no worker. */
export function layerOf(name: string): number | undefined {
  const number = LAYER.exec(name)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** As people read it: "source", "layer 2", "layer 4 · head". */
export function spokenName(worker: string, isHead = false): string {
  const spoken = worker.replace(/^layer/, "layer ");
  return isHead ? `${spoken} · head` : spoken;
}

/** "source" before "layer1" before "layer10"; others after them. */
export function byPlace(a: string, b: string): number {
  return placeOf(a) - placeOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function placeOf(name: string): number {
  return name === "source" ? 0 : (layerOf(name) ?? Number.POSITIVE_INFINITY);
}
