import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import { runStatus, statusFromFiles } from "../../../services/cli/run-status.ts";
import { statusView } from "../../../services/cli/status-view.ts";
import { lockRun } from "../../../services/train/run-lock.ts";
import { dataFacts } from "../../../shared/config/data-facts.ts";
import type { RunView, WorkerView } from "../../../shared/record/hub-api.ts";
import { RunRecord } from "../../../shared/record/run-record.ts";
import { testEdges } from "../../support/edges.ts";
import { BEGAN_AT, killedRun, runOnFile } from "../../support/processes/run-on-file.ts";

let runs: string;
let server: Server | undefined;

beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), "unlocked-stand-"));
});

afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(runs, { recursive: true, force: true });
});

/** As `killedRun` was when 7 s had passed: layer 2 is dead. */
function atSevenSeconds() {
  const { metrics, events } = killedRun();
  const isSaid = ({ at }: { readonly at: number }) => at <= BEGAN_AT + 7_000;
  return { metrics: metrics.filter(isSaid), events: events.filter(isSaid) };
}

describe("read from the files", () => {
  it("a run that is trained says who works and who is down, and that nobody answers", () => {
    const folder = runOnFile(runs, "killed", atSevenSeconds());
    const lock = lockRun(folder, process.pid);
    const lines = statusView(statusFromFiles(RunRecord.read(folder), BEGAN_AT + 8_000), BEGAN_AT + 8_000);
    lock.release();
    expect(lines).toEqual([
      "run killed  cdni  batch 70/100  test accuracy 70.00 %  (training)",
      "source                        ##############......  batch 69  10.0/s  up 0:08",
      "layer1  2>8 batch norm, relu  ##############......  batch 69  10.0/s  stale 3.0  gen-err 0.700  cos 0.600  up 0:08",
      "layer2  8>8 batch norm, relu  ____________........  batch 59  DOWN 0:02 (SIGKILL)",
      "layer3  8>2 identity          ##############......  batch 69  10.0/s  loss 0.016  up 0:08",
      "# at work  _ dead",
      "from the files: no dashboard answers; the newest line is 0:01 old",
    ]);
  });

  it("says on which node each worker lives, where its checkpoints go, and when a node was last heard", () => {
    const folder = runOnFile(runs, "killed", atSevenSeconds());
    const now = BEGAN_AT + 20_000;
    const status = statusFromFiles(RunRecord.read(folder), now);
    const store = "s3://bucket/prefix/layer2";
    const placed = status.workers.map((worker, index) => ({
      ...worker,
      node: `node${(index % 2) + 1}`,
      heardAt: index % 2 === 0 ? now - 12_000 : now,
      ...(worker.name === "layer2" && { contact: "dead" as const, durable: 59, store }),
    }));
    const lines = statusView({ ...status, workers: placed }, now);
    expect(lines).toContain("on node1: source layer2  (heard 0:12 ago)");
    expect(lines).toContain("on node2: layer1 layer3  (heard 0:00 ago)");
    expect(lines.find((line) => line.startsWith("layer2"))).toContain(`saved 59 in ${store}`);
  });

  it("a worker that nothing was written of lately is not said to be up", () => {
    const folder = runOnFile(runs, "silent", atSevenSeconds());
    const lock = lockRun(folder, process.pid);
    const stand = statusFromFiles(RunRecord.read(folder), BEGAN_AT + 60_000);
    lock.release();
    expect(stand.workers.map(({ contact }) => contact)).toEqual([
      "unreachable",
      "unreachable",
      "dead",
      "unreachable",
    ]);
  });

  it("of a run that nobody trains, nobody is said to be up", () => {
    const stand = statusFromFiles(RunRecord.read(runOnFile(runs, "stopped")), BEGAN_AT + 60_000);
    expect(stand.state).toBe("stopped");
    expect(stand.workers.map(({ contact }) => contact)).toEqual(["gone", "gone", "gone", "gone"]);
  });

  it("a worker that never said anything is not known", () => {
    const folder = runOnFile(runs, "young", { metrics: [], events: [] });
    expect(statusFromFiles(RunRecord.read(folder), BEGAN_AT).workers[1]).toMatchObject({
      contact: "absent",
      batch: -1,
    });
  });
});

describe("where a hub answers", () => {
  const worker: WorkerView = {
    ...{ name: "layer1", layer: 1, contact: "unreachable", why: "silent", since: BEGAN_AT, incarnation: 3 },
    ...{ batch: 40, perSecond: 9, dropped: 0, deaths: 0, heardAt: BEGAN_AT + 500, durable: 24 },
  };

  async function hubOf(folder: string, code = 200, path = "watched", startedAt = ""): Promise<void> {
    const { config } = RunRecord.read(folder);
    const row = {
      id: "watched",
      name: "rings",
      startedAt,
      state: "watched",
      batch: 40,
      batches: 100,
    } as const;
    const view: Omit<RunView, "control"> = { row, config, data: dataFacts(config.data), workers: [worker] };
    server = createServer((request, response) => {
      const isKnown = request.url === `/api/runs/${path}`;
      response.writeHead(isKnown ? code : 404).end(isKnown ? JSON.stringify(view) : "");
    });
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    writeFileSync(join(folder, "dashboard"), `http://127.0.0.1:${port}/#token=secret\n`);
  }

  it("it is believed, and not the files", async () => {
    const folder = runOnFile(runs, "watched");
    await hubOf(folder);
    const stand = await runStatus(folder, BEGAN_AT);
    expect(stand).toMatchObject({ state: "training", workers: [{ contact: "unreachable", batch: 40 }] });
    const lines = statusView(stand, BEGAN_AT + 3_000);
    expect(lines[1]).toBe("layer1    ????????............  batch 40  UNREACHABLE 0:03 (silent)  saved 24");
    expect(lines.at(-1)).toMatch(/^from http:\/\/127\.0\.0\.1:\d+$/);
  });

  it.each([
    ["began in the same instant, it is the same run", BEGAN_AT, "training"],
    ["began at another time, it is another run", BEGAN_AT + 1, "stopped"],
  ])("of a run that was started by hand under another name, and %s", async (_, startedAt, state) => {
    const folder = runOnFile(runs, "watched");
    await hubOf(folder, 200, "latest", new Date(startedAt).toISOString());
    expect((await runStatus(folder, BEGAN_AT + 60_000)).state).toBe(state);
  });

  it.each([
    ["answers with a fault", (folder: string) => hubOf(folder, 500)],
    ["has gone", async (folder: string) => writeFileSync(join(folder, "dashboard"), "http://127.0.0.1:9/\n")],
    ["wrote nonsense", async (folder: string) => writeFileSync(join(folder, "dashboard"), "nowhere")],
  ])("one that %s is passed over", async (_, make) => {
    const folder = runOnFile(runs, "watched");
    await make(folder);
    expect((await runStatus(folder, BEGAN_AT)).hub).toBeUndefined();
  });
});

describe("the commands", () => {
  async function run(...args: string[]) {
    const said = { out: "", err: "" };
    const code = await runProgram([...args, "--runs", runs], testEdges(said));
    return { code, ...said };
  }

  it("list the runs", async () => {
    runOnFile(runs, "killed");
    runOnFile(runs, "strange", { config: "layers: 3", startedAt: BEGAN_AT - 1 });
    const { code, out } = await run("runs");
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      "run      state       learning  batches  test     time",
      "killed   stopped     cdni      100/100  90.00 %  0:13",
      "strange  unreadable  –         –        –        –",
      "",
    ]);
    expect(JSON.parse((await run("runs", "--json")).out)[0]).toMatchObject({ run: "killed", done: 100 });
  });

  it("say where there is none", async () => {
    expect((await run("runs")).out).toMatch(/^There is no run in .* yet; npm start trains one\.\n$/);
    expect(await run("status")).toMatchObject({
      code: 78,
      err: expect.stringMatching(/^Cannot find a run: /),
    });
  });

  it("say how a run stands, for people and for programs", async () => {
    runOnFile(runs, "killed");
    expect((await run("status")).out).toMatch(/^run killed .*\nsource .*\nlayer1 /);
    expect(JSON.parse((await run("status", "kil", "--json")).out)).toMatchObject({
      run: "killed",
      batch: 99,
    });
    expect(await run("status", "other")).toMatchObject({
      code: 78,
      err: expect.stringMatching(/newest are killed/),
    });
  });
});
