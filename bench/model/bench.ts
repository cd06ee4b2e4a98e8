import type { Bench } from "../harness/bench.ts";
import { measurePredictions } from "./predictions.ts";
import { measureServing } from "./serving.ts";

export const bench: Bench = {
  title: "A network outside its run: predictions beside onnxruntime, and requests beside a training run",
  async run(asked) {
    const predictions = await measurePredictions(asked);
    const serving = await measureServing(asked);
    return {
      tables: [predictions, serving],
      notes: [
        "Predictions: 60,000 MNIST images through configs/mnist.yaml, in batches of 256, from floats in memory to probabilities; by this program and by onnxruntime-node on one thread, in turns, the median of the rounds.",
        "Requests: POST /v2/models/<run>/infer with one image each, at fixed times whether or not others were answered, over 16 connections, while a run of configs/mnist.yaml trains over its processes on the same machine. A request that had to wait counts from the time at which it should have been sent.",
      ],
    };
  },
};
