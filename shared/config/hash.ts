import { createHash } from "node:crypto";
import type { Config } from "./config.ts";

/**
 * SHA-256 (hex) of all that neighbours must agree on: everything in a Config but its name, the timings of its links,
 * how often it saves and what computes it. Two configs that differ only there can share a run.
 */
export function configHash(config: Config): string {
  const { name: _name, link: _link, compute: _compute, modules: _modules, run, ...agreed } = config;
  const { checkpointEvery: _checkpointEvery, ...length } = run;
  return createHash("sha256")
    .update(canonicalJson({ ...agreed, run: length }))
    .digest("hex");
}

/** JSON without blanks and with every map's keys in order, so that equal values have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
