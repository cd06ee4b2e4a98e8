import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newBoard, onForeign, onHub, onTelemetry, slowestCursor } from "../../../services/train/board.ts";
import {
  foreignNews,
  foreignOf,
  parseForeign,
  refuseMissing,
  withForeign,
} from "../../../services/train/foreign.ts";
import { planWorkers, workerArguments } from "../../../services/train/worker-plan.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";

const PORTS = [41000, 41001, 41002, 41003];
const plans = planWorkers("r-1", "/runs/r 1", PORTS);

function argument(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
}

describe("--foreign", () => {
  it("names a layer and where it listens", () => {
    expect([...parseForeign(["2=ws://127.0.0.1:7000", "3=ws://gpu.example.org:81/"])]).toEqual([
      [2, "ws://127.0.0.1:7000"],
      [3, "ws://gpu.example.org:81"],
    ]);
  });

  it.each([
    "2",
    "0=ws://a:1",
    "2=wss://a:1",
    "2=ws://a",
    "2=ws://a:0",
    "2=ws://a:65536",
    "2=ws://a:1/x",
    "x=ws://a:1",
  ])("refuses %s", (text) =>
    expect(() => parseForeign([text])).toThrow(`Cannot leave "${text}" to someone else`),
  );

  it("refuses a layer that the network does not have", () => {
    const { config } = loadConfig("configs/two-rings.yaml");
    expect(() => refuseMissing(parseForeign(["4=ws://a:1"]), config)).toThrow("the network has 3");
    expect(() => refuseMissing(parseForeign(["3=ws://a:1"]), config)).not.toThrow();
  });

  it("is remembered by the run until it is given anew", () => {
    const path = mkdtempSync(join(tmpdir(), "unlocked-foreign-"));
    try {
      expect(foreignOf({ path }, new Map()).size).toBe(0);
      const given = parseForeign(["2=ws://a:1"]);
      expect(foreignOf({ path }, given)).toEqual(given);
      expect(foreignOf({ path }, new Map())).toEqual(given);
      const moved = parseForeign(["2=ws://b:1"]);
      foreignOf({ path }, moved);
      expect(foreignOf({ path }, new Map())).toEqual(moved);
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});

describe("a run with a layer of someone else's", () => {
  it("has its predecessor dial there, and it its successor, on this machine", () => {
    const [source, first, second, head] = withForeign(plans, parseForeign(["2=ws://127.0.0.1:7000"])).map(
      workerArguments,
    );
    expect(argument(source!, "--successor")).toBe("ws://127.0.0.1:41001");
    expect(argument(first!, "--successor")).toBe("ws://127.0.0.1:7000");
    expect(argument(second!, "--listen")).toBe("127.0.0.1:7000");
    expect(argument(second!, "--successor")).toBe("ws://127.0.0.1:41003");
    expect(argument(head!, "--listen")).toBe("127.0.0.1:41003");
  });

  it("listens to other machines where one comes from there, and nowhere else", () => {
    const [source, first, second, head] = withForeign(
      plans,
      parseForeign(["2=ws://gpu.example.org:7000"]),
    ).map(workerArguments);
    expect([source, first].map((each) => argument(each!, "--listen")!.split(":")[0])).toEqual(
      Array(2).fill("127.0.0.1"),
    );
    expect(argument(second!, "--successor")).toMatch(/^ws:\/\/(?!127\.0\.0\.1)[^:]+:41003$/);
    expect(argument(head!, "--listen")).toBe("0.0.0.0:41003");
  });

  it("prints a command that a shell takes as it is", () => {
    const lines = foreignNews(plans[2]!, "ws://127.0.0.1:7000", (plan) => ["node", ...workerArguments(plan)]);
    expect(lines[0]).toBe(
      "layer2 is yours to start, so that it listens at ws://127.0.0.1:7000; one of ours would be",
    );
    expect(lines[1]).toContain("--config '/runs/r 1/config.yaml' --run r-1 --layer 2");
    expect(lines[1]).toContain("--secret-file '/runs/r 1/secret'");
  });

  it("is as far as the slowest layer that says anything, and shows the other as soon as it does", () => {
    const names = ["source", "layer1", "layer2"] as const;
    let board = onForeign(newBoard("r", 100, names, 0), "layer1");
    expect(board.workers[1]).toMatchObject({ contact: "absent", isAway: true });
    const progress = {
      kind: "progress",
      incarnation: 1,
      state: "training",
      batches: 100,
      perSecond: 1,
    } as const;
    board = onTelemetry(board, "layer2", { ...progress, worker: "layer2", batch: 40 });
    expect(slowestCursor(board)).toBe(40);
    const view = {
      contact: "connected",
      state: "training",
      since: 0,
      incarnation: 1,
      batch: 30,
      heardAt: 1,
    } as const;
    board = onHub(board, [{ ...view, name: "layer1", perSecond: 1, dropped: 0, deaths: 0 }]);
    expect(slowestCursor(board)).toBe(30);
  });
});
