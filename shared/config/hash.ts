import { createHash } from "node:crypto";
import type { Config } from "./config.ts";

/** SHA-256, hex, of the text that `hashedJson` gives, in UTF-8. Two configs with one hash can share a run. */
export function configHash(config: Config): string {
  return createHash("sha256").update(hashedJson(config)).digest("hex");
}

/**
 * All that neighbours must agree on, as one JSON text:
 *
 * - the complete config, as a run's config.yaml has it, with these differences. Left out: `name`, `link`, `compute`,
 *   `run.checkpointEvery` and `modules`. `learning.*.schedule` is a map, {"kind":"cosine"}, and `momentum` is there, 0
 *   for adam. A convolution is {"inputs", "outputs", "conv": {"shape": {"height", "width", "channels", "kernel",
 *   "stride", "padding"}, "channels"}, …} in place of its entries; of the kinds of layers only those newer than these two
 *   have a `kind`, and their own entries lie in the map `own`. Where a kind or data set is a module of the user's own there
 *   is a `module` beside it: the SHA-256, hex, of its text in `modules`.
 * - no blanks; the keys of each map in order of their UTF-16 code units; lists in their own order.
 * - strings as JSON.stringify writes them: UTF-8, and escaped are only ", \ and U+0000 to U+001F (\b \t \n \f \r, else
 *   \u and four small hex digits).
 * - numbers as ECMAScript writes them: the shortest decimal that reads back as the same double. 0.003, 1e-7, 1e+21; no
 *   point in whole numbers below 1e21. (Python's repr agrees between 1e-4 and 1e16.)
 *
 * `unlocked config <config> --json --hash` prints both.
 */
export function hashedJson(config: Config): string {
  const { name: _name, link: _link, compute: _compute, modules: _modules, run, ...agreed } = config;
  const { checkpointEvery: _checkpointEvery, ...length } = run;
  return canonicalJson({ ...agreed, run: length });
}

/** JSON without blanks and with every map's keys in order, so that equal values have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
