import { check, fromRanges } from "../../shared/checkpoint/ledger.ts";
import type { Summary } from "../../shared/record/summary.ts";

/** What speaks against "every layer learnt every batch of the run once, in order"; empty if nothing does. */
export function violations({ layers, batches, config }: Summary): string[] {
  const missing = config.layers.flatMap((_, index) =>
    layers[index]?.layer === index + 1 ? [] : [`layer ${index + 1} is not in the record`],
  );
  const found = layers.flatMap(({ layer, applied }) =>
    check(fromRanges(applied), batches).map((violation) => `layer ${layer}: ${violation}`),
  );
  return [...missing, ...found];
}
