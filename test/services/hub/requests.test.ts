import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { get, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Hub } from "../../../services/hub/hub.ts";
import { readHubOptions } from "../../../services/hub/hub-options.ts";
import { createLog } from "../../../shared/record/log.ts";
import { ask, newRun, Stream } from "../../support/processes/hub-process.ts";
import { HubWorker } from "../../support/processes/hub-worker.ts";

let run: ReturnType<typeof newRun>;
let hub: Hub;
let logged: string[];
let aheadMs: number;

async function start(): Promise<void> {
  const destination = { write: (line: string) => void logged.push(line) };
  const flags = ["--record", run.folder, "--runs", run.runs, "--listen", "127.0.0.1:0"];
  hub = await Hub.start(readHubOptions(flags), {
    log: createLog({ worker: "hub", run: "r1" }, { format: "json", destination }),
    now: () => Date.now() + aheadMs,
    steadyMs: () => performance.now(),
    node: process.execPath,
  });
}

beforeEach(() => {
  run = newRun();
  logged = [];
  aheadMs = 0;
});

afterEach(async () => {
  await hub.stop();
  run.remove();
});

/** The status line of what comes back for these bytes. */
async function answerTo(target: string): Promise<string> {
  const socket = connect(hub.port, "127.0.0.1");
  socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  let said = "";
  for await (const bytes of socket as AsyncIterable<Buffer>) said += bytes;
  return said.slice(0, said.indexOf("\r\n"));
}

describe("what a stranger asks for", () => {
  it.each([
    ["//", 400],
    ["http://", 400],
    ["http://[", 400],
    ["/api/runs/%", 400],
    ["/api/runs/latest/files/%zz", 400],
    ["/api/runs/latest/files/logs/%0a%0d", 404],
    ["/api/runs/latest/files/logs/..%2fconfig", 404],
    ["/api/runs/latest/logs/%00", 404],
    ["/api/runs/%00", 404],
  ])("is answered quietly: %s", async (target, status) => {
    await start();
    const before = logged.length;
    expect(await answerTo(target)).toMatch(`HTTP/1.1 ${status} `);
    expect(logged.slice(before)).toEqual([]);
  });

  it("may be called as something that every object has, and is no file all the same", async () => {
    await start();
    const { status, body } = await ask(hub.port, "/api/runs/latest/files/constructor");
    expect([status, body]).toEqual([404, '{"error":"there is no file constructor"}']);
  });
});

describe("a file of the record", () => {
  it("that cannot be read is refused, and the hub goes on", async () => {
    mkdirSync(join(run.folder, "summary.json"));
    await start();
    expect((await ask(hub.port, "/api/runs/latest/files/summary.json")).status).toBe(404);
    expect((await ask(hub.port, "/api/runs")).status).toBe(200);
  });

  it("is closed again where its reader leaves early", async () => {
    mkdirSync(join(run.folder, "logs"));
    writeFileSync(join(run.folder, "logs/layer1.log"), Buffer.alloc(32 * 1024 * 1024, "x"));
    await start();
    const before = openLogs();
    const leave = () =>
      new Promise<void>((left) => {
        const reader = get({ port: hub.port, path: "/api/runs/latest/files/logs/layer1" }, (response) => {
          response.once("data", () => reader.destroy());
          response.once("close", left);
        });
        reader.on("error", () => {});
      });
    for (let reader = 0; reader < 10; reader++) await leave();
    await vi.waitFor(() => expect(openLogs()).toBe(before), 60_000);
  });

  it("is not opened for good by who asks for its head alone", async () => {
    await start();
    const status = await new Promise((done) =>
      request(
        { port: hub.port, path: "/api/runs/latest/files/config.yaml", method: "HEAD" },
        ({ statusCode }) => done(statusCode),
      ).end(),
    );
    expect(status).toBe(200);
  });
});

function openLogs(): number {
  const open = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return [];
    }
  });
  return open.filter((path) => path.endsWith("/layer1.log")).length;
}

describe("a clock that is set back by an hour", () => {
  it("does not keep from the page how the workers stand, nor that one of them is silent", async () => {
    await start();
    const stream = new Stream(hub.port);
    const worker = await HubWorker.dial(hub.port, { run: "r1", worker: "layer1" });
    worker.stand(9, {});
    await stream.worker("layer1", ({ batch }) => batch === 9);
    aheadMs = -3_600_000;
    worker.stand(10, {});
    await stream.worker("layer1", ({ batch }) => batch === 10);
    aheadMs = -7_200_000;
    const { why } = await stream.worker("layer1", ({ contact }) => contact === "unreachable");
    expect(why).toBe("silent");
    stream.close();
    worker.socket.close();
  }, 10_000);
});
