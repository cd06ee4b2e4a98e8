import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";

type Callback = Parameters<LookupFunction>[2];
type Found = [error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number];

/**
 * As `lookup`, but one at a time for each name: who asks meanwhile gets the same answer. Node looks names up in two threads, and a
 * lookup goes on when whoever asked has given up. Where each takes ten seconds, as for a name that is away for a moment, those
 * given up would queue, and the name would be found half a minute after it is back.
 */
export function sharedLookups(lookup: LookupFunction = systemLookup as LookupFunction): LookupFunction {
  const waiting = new Map<string, Callback[]>();
  return (hostname: string, options: LookupOptions, callback: Callback) => {
    const key = JSON.stringify([hostname, options]);
    const others = waiting.get(key);
    if (others) return void others.push(callback);
    const all = [callback];
    waiting.set(key, all);
    lookup(hostname, options, (...found: Found) => {
      waiting.delete(key);
      for (const each of all) each(...found);
    });
  };
}
