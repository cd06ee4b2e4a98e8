import { describe, expect, it } from "vitest";
import {
  alarmNews,
  closingNews,
  failureNews,
  noteNews,
  stopNews,
  testNews,
} from "../../../services/train/news.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import { stopwatch } from "../../../shared/record/numbers.ts";

const mnist = loadConfig("configs/mnist.yaml").config;
const text = loadConfig("configs/gpt/tiny.yaml").config;

describe("news", () => {
  it("tell a test by its accuracy; where labels are bits, also how many were right as a whole", () => {
    expect(testNews(mnist, 938, { error: 0.0231, loss: 0.0812 })).toBe(
      "after 938 batches: test accuracy 97.69 %, loss 0.081",
    );
    expect(testNews(mnist, 400, { error: 0.0004, exact: 0.9975, loss: 0.01 })).toBe(
      "after 400 batches: test accuracy 99.96 % of bits, 99.75 % exact, loss 0.010",
    );
  });

  it("close with accuracy, time, speed and place", () => {
    const run = { run: "r-1", config: mnist, wallSeconds: 83.2, batches: 4690 };
    const closing = { ...run, test: { error: 0.0171, loss: 0.06 } };
    expect(closingNews(closing, "runs/r-1")).toEqual([
      "r-1 has finished: 4690 batches in 1:23, 56.4 batches/s",
      "test accuracy 98.29 %, loss 0.060",
      "record: runs/r-1",
    ]);
    expect(closingNews(closing, "runs/r-1", "17 deaths, no trace")).toContain("17 deaths, no trace");
  });

  it("tell the loss of a text in the words of language models, too", () => {
    const test = { error: 0.44, loss: 1.88 };
    const words = "test accuracy 56.00 %, loss 1.88, perplexity 6.55, 2.71 bits a character";
    expect(testNews(text, 2000, test)).toBe(`after 2000 batches: ${words}`);
    const closing = { run: "r-1", config: text, wallSeconds: 1, batches: 1, test };
    expect(closingNews(closing, "runs/r-1")).toContain(words);
  });

  it("raise an alarm, and call it off", () => {
    const alarm = "Cannot write checkpoint-000001-000000199.safetensors in runs/r/x: ENOSPC";
    expect(alarmNews("layer2", alarm)).toBe(`layer2 goes on, but: ${alarm}`);
    expect(alarmNews("layer2", undefined)).toBe("layer2 can save again");
  });

  it("say how to go on", () => {
    expect(stopNews(41, "npm start -- --resume")).toBe(
      "stopped at batch 41; go on with: npm start -- --resume",
    );
    expect(stopNews(-1, "x")).toBe("stopped before the first batch; go on with: x");
    expect(stopNews(undefined, "x")).toBe("stopped before the first batch; go on with: x");
  });

  it("say how a worker ended and what comes next", () => {
    const died = { kind: "died", worker: "layer2", restart: 4, afterMs: 812 } as const;
    expect(noteNews({ ...died, ending: { code: 1 } }, ["Error: x"])).toBe(
      "layer2 died with code 1 (Error: x); again in 0.8 s (restart 4)",
    );
    expect(noteNews({ ...died, ending: { fault: "spawn EAGAIN" } }, [])).toBe(
      "layer2 could not be started (spawn EAGAIN); again in 0.8 s (restart 4)",
    );
  });

  it("say why a run was given up", () => {
    const failure = { kind: "failed", worker: "layer2", code: 70, deaths: 21 } as const;
    expect(failureNews(failure, ["Error: x"], "runs/r/logs/layer2.log")).toEqual([
      "layer2 died 21 times without getting any further (code 70):",
      "  Error: x",
      "the whole log: runs/r/logs/layer2.log",
    ]);
  });

  it("give times as people read them", () => {
    expect([0, 7.4, 59.6, 3599, 3600, 36_061].map(stopwatch)).toEqual([
      "0:00",
      "0:07",
      "1:00",
      "59:59",
      "1:00:00",
      "10:01:01",
    ]);
    expect(stopwatch(undefined)).toBe("–");
  });
});
