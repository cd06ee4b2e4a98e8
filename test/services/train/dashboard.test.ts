import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Dashboard, hubCommand } from "../../../services/train/dashboard.ts";
import { createRun, makeSecret } from "../../../services/train/run-folder.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import { TWO_RINGS } from "../../support/processes/train-process.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "unlocked-dashboard-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What the dashboard of a run says, and how often its hub was started. */
function dashboardAt(port: number) {
  const run = createRun(folder, loadConfig(TWO_RINGS, []).config, new Date());
  makeSecret(run);
  const lines: string[] = [];
  const progress = new EventEmitter();
  let starts = 0;
  const dashboard = new Dashboard({
    run,
    plan: { folder: run.path, runs: folder, port, control: false },
    command: (args) => {
      starts++;
      progress.emit("made");
      return hubCommand(process.execPath)(args);
    },
    pid: process.pid,
    nodeVersion: process.version,
    say: (line) => {
      lines.push(line);
      progress.emit("made");
    },
    stop: () => undefined,
    ask: () => undefined,
  });
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await once(progress, "made");
  };
  const said = (count: number) => until(() => lines.length >= count).then(() => lines);
  return { dashboard, said, started: (count: number) => until(() => starts >= count) };
}

describe("the dashboard of a run", () => {
  it("says once why it is not there while its port is taken, and where it is as soon as the port is free", async () => {
    const thief = createServer().listen(0, "127.0.0.1");
    await once(thief, "listening");
    const { port } = thief.address() as AddressInfo;
    const { dashboard, said, started } = dashboardAt(port);
    try {
      dashboard.begin();
      await started(3);
      thief.close();
      expect(await said(2)).toEqual([
        expect.stringMatching(/^the dashboard died with code 78 \(.*EADDRINUSE.*\); it is started again/),
        `dashboard: http://127.0.0.1:${port}`,
      ]);
    } finally {
      thief.close();
      await dashboard.close();
    }
  });

  it("says nothing of its end when that was asked for", async () => {
    const { dashboard, said } = dashboardAt(0);
    dashboard.begin();
    await said(1);
    await dashboard.close();
    expect(await said(1)).toEqual([expect.stringMatching(/^dashboard: http/)]);
  });
});
