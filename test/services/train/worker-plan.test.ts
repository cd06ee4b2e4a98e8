import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeCommand, planWorkers, workerArguments } from "../../../services/train/worker-plan.ts";

const [source, first, head] = planWorkers("r-1", "runs/r-1", [41000, 41001, 41002]);

describe("what a worker is told", () => {
  it("is its number, its state, its port and where its successor listens", () => {
    expect(workerArguments(first!).join(" ")).toBe(
      "--config runs/r-1/config.yaml --run r-1 --layer 1 --state runs/r-1/checkpoints/layer1 " +
        "--listen 127.0.0.1:41001 --successor ws://127.0.0.1:41002 --secret-file runs/r-1/secret --log-format json",
    );
  });

  it("is no successor for the head", () => {
    expect(workerArguments(head!).join(" ")).toBe(
      "--config runs/r-1/config.yaml --run r-1 --layer 2 --state runs/r-1/checkpoints/layer2 " +
        "--listen 127.0.0.1:41002 --secret-file runs/r-1/secret --log-format json",
    );
  });

  it("is no layer but the record's place for the source", () => {
    expect(workerArguments(source!).join(" ")).toBe(
      "--config runs/r-1/config.yaml --run r-1 --record runs/r-1 --state runs/r-1/checkpoints/source " +
        "--listen 127.0.0.1:41000 --successor ws://127.0.0.1:41001 --secret-file runs/r-1/secret --log-format json",
    );
  });
});

describe("a worker's command", () => {
  it("names a runner that is there, whatever the working directory", () => {
    const [program, runner, script] = nodeCommand("/opt/node")(source!);
    expect([program, script]).toEqual(["/opt/node", "services/source/main.ts"]);
    expect(isAbsolute(runner!) && existsSync(runner!)).toBe(true);
    expect(nodeCommand("/opt/node")(head!)[2]).toBe("services/layer/main.ts");
  });
});
