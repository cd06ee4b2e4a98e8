import { randomUUID } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunRow, RunView } from "../../../shared/record/hub-api.ts";
import { hubOfRun } from "../../support/processes/hub-of-run.ts";
import { linesIn } from "../../support/processes/hub-process.ts";
import { HubWorker } from "../../support/processes/hub-worker.ts";

const hub = hubOfRun();

const layer1 = { run: "r1", worker: "layer1", instance: randomUUID() };

describe("a hub", () => {
  it("has in its files what it acknowledged, and answers with it", async () => {
    const worker = await HubWorker.dial(hub.port, layer1);
    worker.line(0, worker.event("began", "from nothing"));
    worker.line(1, worker.segment(0, 9, 2));
    worker.line(2, { kind: "log", text: '{"level":"warn","time":"2026-01-01T00:00:00.000Z","msg":"hot"}' });
    await worker.acknowledged(2);
    expect(linesIn(join(hub.folder, "metrics.ndjson"))).toMatchObject([
      { worker: "layer1", first: 0, last: 9 },
    ]);
    expect(linesIn(join(hub.folder, "logs/layer1.log"))).toMatchObject([{ msg: "hot" }]);
    expect(await hub.get("/api/runs/latest/metrics")).toEqual(
      [worker.segment(0, 9, 2)].map((line) => ({ ...line, at: expect.any(Number) })),
    );
    expect(await hub.get("/api/runs/r1/logs/layer1")).toEqual([
      { at: Date.UTC(2026, 0), level: "warn", incarnation: 0, text: "00:00:00.000 WARN hot" },
    ]);
    worker.stand(9, { loss: 0.5 });
    const stream = await hub.stream();
    await stream.worker("layer1", ({ batch }) => batch === 9);
    const view = await hub.get<RunView>("/api/runs/r1");
    expect(view.workers.map(({ name, contact }) => [name, contact])).toContainEqual(["layer1", "connected"]);
    expect((await hub.get<RunRow[]>("/api/runs")).map(({ id, state }) => [id, state])).toEqual([
      ["r1", "watched"],
    ]);
  });

  it("that is killed and started again has every line once, also one it was torn from", async () => {
    const first = await HubWorker.dial(hub.port, layer1);
    for (let seq = 0; seq < 20; seq++)
      first.line(seq, seq % 3 === 0 ? first.event("held", `${seq}`) : first.segment(seq, seq));
    await first.acknowledged(10);
    await hub.kill();
    appendFileSync(join(hub.folder, "metrics.ndjson"), '{"kind":"segment","worker":"lay');
    await hub.start();
    const again = await HubWorker.dial(hub.port, layer1);
    for (let seq = 0; seq < 25; seq++)
      again.line(seq, seq % 3 === 0 ? again.event("held", `${seq}`) : again.segment(seq, seq));
    await again.acknowledged(24);
    const said = linesIn(join(hub.folder, "metrics.ndjson")).map(({ first }) => first);
    expect(said).toEqual([...Array(25).keys()].filter((seq) => seq % 3 !== 0));
    const held = linesIn(join(hub.folder, "events.ndjson")).filter(({ name }) => name === "held");
    expect(held.map(({ text }) => text)).toEqual(["0", "3", "6", "9", "12", "15", "18", "21", "24"]);
  });

  it("leaves a table when it ends", async () => {
    const worker = await HubWorker.dial(hub.port, layer1);
    worker.line(0, worker.segment(0, 9));
    await worker.acknowledged(0);
    await hub.kill("SIGTERM");
    expect(readFileSync(join(hub.folder, "metrics.csv"), "utf8").split("\r\n")).toHaveLength(3);
  });
});
