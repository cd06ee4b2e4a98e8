import type { NetworkLayer } from "../dni/build-layer.ts";
import { generatorOf } from "../dni/generators/generator-of.ts";
import type { LayerParts, LayerSpec } from "../dni/layer-options.ts";
import { block } from "./block.ts";
import { conv } from "./conv.ts";
import { dense } from "./dense.ts";
import { embedding } from "./embedding.ts";
import type { LayerKind } from "./layer-kind.ts";
import { readout } from "./readout.ts";

/** Every kind of layer that a config can name: one line each. */
export const layerKinds = { dense, conv, embedding, block, readout } satisfies Readonly<
  Record<string, LayerKind>
>;

/** Kinds of the user's own, by the digest of their module: the same digest is the same kind. */
const ownKinds = new Map<string, LayerKind>();

/** From now on layers may be of this kind. `digest`: of its module. */
export function addLayerKind(digest: string, kind: LayerKind): void {
  ownKinds.set(digest, kind);
}

/** Throws an Error where there is none: the config that names it was not read by this process. */
export function kindOf({ kind, module, conv }: LayerSpec): LayerKind {
  const name = kindName({ kind, conv });
  const table: Readonly<Record<string, LayerKind>> = layerKinds;
  const found = module === undefined ? table[name] : ownKinds.get(module);
  if (!found) throw new Error(`Cannot build a layer of kind ${name}: it is not known here`);
  return found;
}

/** Configs older than `kind` say nothing of the two that there were then; their hash must stay what it is. */
export function kindName({
  kind,
  conv,
}: {
  readonly kind?: string | undefined;
  readonly conv?: object | undefined;
}): string {
  return kind ?? (conv ? "conv" : "dense");
}

/** What a config says of it, besides `kind` and `method`, with nothing left to default. */
export function entriesOf(layer: NetworkLayer): Readonly<Record<string, unknown>> {
  const kind = kindOf(layer);
  if (kind.entries) return kind.entries(layer);
  const known: Readonly<Record<string, unknown>> = { ...layer, ...layer.own };
  const names = Object.keys(kind.fields).filter((name) => known[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, known[name]]));
}

/** What builds a layer of this kind. */
export function partsOf(kind: LayerKind): LayerParts {
  return {
    transform: (kernels, options) => kind.transform(kernels, options),
    generator: (kernels, options, widths) =>
      kind.generator ? kind.generator(kernels, options, widths) : generatorOf(kernels, options, widths),
  };
}
