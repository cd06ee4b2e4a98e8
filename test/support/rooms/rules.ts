/** What a room may import besides its own files. Types cost nothing at run time, so they may come from further away. */
interface Rule {
  readonly rooms: readonly string[];
  readonly types: readonly string[];
  /** Modules of Node and packages. */
  readonly outside: "any" | "node" | "none";
}

export const rules: Readonly<Record<string, Rule>> = {
  "shared/math": { rooms: [], types: [], outside: "none" },
  "shared/dni": { rooms: ["shared/math"], types: [], outside: "none" },
  "shared/schema": { rooms: [], types: [], outside: "any" },
  "shared/layers": { rooms: ["shared/math", "shared/dni", "shared/schema"], types: [], outside: "none" },
  "shared/data": { rooms: ["shared/schema"], types: [], outside: "node" },
  "shared/wire": { rooms: [], types: ["shared/math"], outside: "any" },
  "shared/delivery": { rooms: [], types: [], outside: "none" },
  "shared/checkpoint": { rooms: [], types: [], outside: "any" },
  "shared/link": { rooms: ["shared/wire"], types: [], outside: "any" },
  "shared/config": {
    rooms: ["shared/schema", "shared/layers", "shared/data", "shared/dni", "shared/wire"],
    types: ["shared/math", "shared/link"],
    outside: "any",
  },
  "shared/record": { rooms: ["shared/config", "shared/layers"], types: ["shared/wire"], outside: "any" },
  "shared/telemetry": {
    rooms: ["shared/wire", "shared/link", "shared/record"],
    types: ["shared/config"],
    outside: "any",
  },
  "services/worker": {
    rooms: [
      "shared/wire",
      "shared/link",
      "shared/config",
      "shared/checkpoint",
      "shared/record",
      "shared/telemetry",
    ],
    types: ["shared/dni"],
    outside: "any",
  },
  "services/layer": { rooms: ["services/worker", ...without("data", "schema")], types: [], outside: "any" },
  "services/source": {
    rooms: ["services/worker", ...without("dni", "math", "layers", "schema")],
    types: [],
    outside: "any",
  },
  "services/hub": {
    rooms: [
      "shared/data",
      "shared/layers",
      "shared/link",
      "shared/config",
      "shared/checkpoint",
      "shared/record",
      "shared/telemetry",
    ],
    types: [],
    outside: "any",
  },
  deploy: { rooms: [], types: ["shared/config", "shared/checkpoint"], outside: "any" },
  "services/train": {
    rooms: without("dni", "layers", "schema", "wire", "delivery"),
    types: ["shared/wire", "services/layer"],
    outside: "any",
  },
  "services/sample": {
    rooms: ["services/model", "services/train", "shared/config", "shared/data", "shared/math"],
    types: [],
    outside: "none",
  },
  "services/model": {
    rooms: ["services/train", ...without("wire", "delivery", "link", "telemetry", "record")],
    types: [],
    outside: "any",
  },
  "services/replay": {
    rooms: [
      "services/train",
      "shared/config",
      "shared/data",
      "shared/layers",
      "shared/dni",
      "shared/checkpoint",
      "shared/record",
    ],
    types: ["shared/math"],
    outside: "node",
  },
  "services/compare": { rooms: ["services/train", ...without()], types: [], outside: "any" },
  // It knows the config and nothing of our links: a mistake that both shared would not be found.
  "services/conform": { rooms: ["shared/config"], types: [], outside: "any" },
  "services/cli": {
    rooms: [
      "services/conform",
      "services/compare",
      "services/replay",
      "services/sample",
      "services/model",
      "services/train",
      "deploy",
      "shared/config",
      "shared/data",
      "shared/record",
      "shared/telemetry",
    ],
    types: ["shared/wire"],
    outside: "any",
  },
};

/** All rooms of `shared` but these. */
function without(...names: readonly string[]): string[] {
  const shared = [
    "math",
    "dni",
    "schema",
    "layers",
    "data",
    "wire",
    "link",
    "delivery",
    "config",
    "checkpoint",
    "record",
    "telemetry",
  ];
  return shared.filter((name) => !names.includes(name)).map((name) => `shared/${name}`);
}

/** The page runs in a browser: it takes types from anywhere, but of our code only what is pure, and a few small packages. */
export const page = {
  folder: "services/page",
  values: [
    "shared/data/decode-text.ts",
    "shared/math/draw.ts",
    "shared/math/random.ts",
    "shared/record/condition.ts",
    "shared/record/config-difference.ts",
    "shared/record/curves/curves.ts",
    "shared/record/curves/judged.ts",
    "shared/record/numbers.ts",
    "shared/record/outages/outages.ts",
    "shared/record/standing.ts",
    "shared/record/curves/segments.ts",
    "shared/record/pace.ts",
    "shared/record/outages/recovery.ts",
    "shared/record/text-loss.ts",
    "shared/record/worker-name.ts",
  ],
  packages: ["preact", "preact/hooks", "uplot"],
};

/** A room of numbers still has to fetch its module from somewhere, and Node 20 takes relaxed SIMD only when told to; a module
 of the user's own finds some of its arithmetic in one place. */
export const exceptions: Readonly<Record<string, readonly string[]>> = {
  // Flags are written where they are read.
  "services/train/worker-plan.ts": ["../worker/options.ts"],
  "deploy/network.ts": ["../services/worker/options.ts"],
  "services/train/dashboard.ts": ["../hub/hub-options.ts"],
  "shared/config/extension.ts": ["conv-layer", "dense-layer", "exactly", "learnt", "random"].map(
    (name) => `../math/${name}.ts`,
  ),
  "shared/data/pictures/image-file.ts": ["sharp"],
  "shared/data/table/read-table.ts": ["csv-parse/sync"],
  "shared/math/wasm/load.ts": ["node:fs", "node:v8"],
  "shared/math/native/library.ts": ["node:module", "node:url", "koffi"],
};
