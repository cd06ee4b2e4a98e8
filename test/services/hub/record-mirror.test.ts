import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HubOptions } from "../../../services/hub/hub-options.ts";
import { openMirror, type RecordMirror } from "../../../services/hub/record-mirror.ts";
import { BUCKET, ObjectServer } from "../../support/engines/object-server.ts";

let server: ObjectServer;
const folders: string[] = [];

beforeEach(async () => {
  server = await ObjectServer.start();
  for (const [name, value] of Object.entries(server.environment())) vi.stubEnv(name, value);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A hub's folder on a node of its own, with the same store as the others. */
async function node(): Promise<{ readonly folder: string; readonly mirror: RecordMirror }> {
  const folder = mkdtempSync(join(tmpdir(), "unlocked-record-"));
  folders.push(folder);
  const options = { record: folder, recordUrl: `s3://${BUCKET}/record` } as HubOptions;
  const mirror = (await openMirror(options, {}, pino({ level: "silent" })))!;
  return { folder, mirror };
}

describe("a hub's record with a store", () => {
  it("is there for a hub on another node, logs and all, but not what only this machine is to know", async () => {
    const one = await node();
    mkdirSync(join(one.folder, "logs"));
    writeFileSync(join(one.folder, "metrics.ndjson"), "first\n");
    writeFileSync(join(one.folder, "logs/layer1.log"), "a line\n");
    writeFileSync(join(one.folder, "control-token"), "a token");
    appendFileSync(join(one.folder, "metrics.ndjson"), "second\n");
    await one.mirror.close();

    const other = await node();
    expect(readFileSync(join(other.folder, "metrics.ndjson"), "utf8")).toBe("first\nsecond\n");
    expect(readFileSync(join(other.folder, "logs/layer1.log"), "utf8")).toBe("a line\n");
    expect(existsSync(join(other.folder, "control-token"))).toBe(false);
    await other.mirror.close();
  });

  it("gets what the source put there, and never overwrites what is here", async () => {
    const one = await node();
    writeFileSync(join(one.folder, "metrics.ndjson"), "of this life\n");
    await one.mirror.close();
    writeFileSync(join(one.folder, "metrics.ndjson"), "newer\n");
    const { mirror } = one;
    await server.write("record/summary.json", "{}");
    await mirror.close();
    expect(readFileSync(join(one.folder, "summary.json"), "utf8")).toBe("{}");
    expect(readFileSync(join(one.folder, "metrics.ndjson"), "utf8")).toBe("newer\n");
  });

  it("is not waited for where the store is away, and gets there later", async () => {
    const { folder, mirror } = await node();
    writeFileSync(join(folder, "events.ndjson"), "event\n");
    server.trouble = "down";
    await mirror.close();
    server.trouble = "none";
    await mirror.close();
    expect((await server.read("record/events.ndjson")).toString()).toBe("event\n");
  });
});
