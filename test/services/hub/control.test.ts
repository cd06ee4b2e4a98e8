import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { COMMANDS } from "../../../shared/telemetry/messages.ts";
import { hubOfRun } from "../../support/processes/hub-of-run.ts";
import { ask } from "../../support/processes/hub-process.ts";
import { HubWorker } from "../../support/processes/hub-worker.ts";

const hub = hubOfRun("--control");
let token: string;
beforeEach(() => {
  token = readFileSync(join(hub.folder, "control-token"), "utf8").trim();
});

const layer1 = { run: "r1", worker: "layer1", control: true };

function post(command: string, headers: object, worker = "layer1") {
  const body = JSON.stringify({ worker, command });
  return ask(hub.port, "/api/control", { method: "POST", headers, body });
}

const bearer = () => ({ authorization: `Bearer ${token}` });

describe("a command", () => {
  it("from whoever has the token reaches the worker, and is in the record", async () => {
    const worker = await HubWorker.dial(hub.port, layer1);
    await worker.hears("ack");
    for (const command of COMMANDS.filter((each) => each !== "start")) {
      expect(
        (
          await post(command, {
            ...bearer(),
            origin: `http://127.0.0.1:${hub.port}`,
            host: `127.0.0.1:${hub.port}`,
          })
        ).body,
      ).toBe('{"sent":true}');
      expect(await worker.hears("command")).toEqual({ kind: "command", command });
    }
    expect(await hub.get("/api/runs/r1/events")).toContainEqual(
      expect.objectContaining({ name: "command", about: "layer1", text: "kill" }),
    );
  });

  it("to stop or start one worker goes to who started it, and so does the restart of one that is away", async () => {
    const worker = await HubWorker.dial(hub.port, layer1);
    const train = await HubWorker.dial(hub.port, { ...layer1, worker: "train", incarnation: 0 });
    await Promise.all([worker.hears("ack"), train.hears("ack")]);
    const told: [string, string][] = [
      ["stop", "layer1"],
      ["start", "layer1"],
      ["restart", "layer2"],
    ];
    for (const [command, name] of told) {
      expect((await post(command, bearer(), name)).body).toBe('{"sent":true}');
      expect(await train.hears("command")).toEqual({ kind: "command", command, worker: name });
    }
    await post("restart", bearer());
    // Nothing came before it.
    expect(await worker.hears("command")).toEqual({ kind: "command", command: "restart" });
    expect(await hub.get("/api/runs/r1/events")).toContainEqual(
      expect.objectContaining({ name: "command", about: "layer2", text: "restart" }),
    );
  });

  it("to start is refused where nobody is there who could", async () => {
    const worker = await HubWorker.dial(hub.port, layer1);
    await worker.hears("ack");
    expect(await post("start", bearer())).toMatchObject({ status: 409 });
    expect(worker.heard).toEqual([]);
  });

  it.each<[string, () => object]>([
    ["from another site's page", () => ({ ...bearer(), origin: "http://evil.example" })],
    ["from a page without an origin to tell", () => ({ ...bearer(), origin: "null" })],
    ["under another host's name", () => ({ ...bearer(), host: "evil.example" })],
    ["without the token", () => ({})],
    ["with a wrong token", () => ({ authorization: `Bearer ${"0".repeat(64)}` })],
    ["with half of the token", () => ({ authorization: `Bearer ${token.slice(0, 32)}` })],
  ])("is refused %s, whatever it is", async (_, headers) => {
    const worker = await HubWorker.dial(hub.port, layer1);
    await worker.hears("ack");
    for (const command of COMMANDS) expect((await post(command, headers())).status).toBe(403);
    await post("pause", bearer());
    // The one that was allowed is the first that comes.
    expect(await worker.hears("command")).toEqual({ kind: "command", command: "pause" });
    expect(worker.heard).toEqual([]);
  });

  it.each([
    ["to nobody", "layer9", 404],
    ["to who is not there", "layer2", 409],
    ["to who would not obey", "layer1", 409],
  ])("%s is answered so", async (_, name, status) => {
    const worker = await HubWorker.dial(hub.port, { ...layer1, control: false });
    await worker.hears("ack");
    expect((await post("kill", bearer(), name)).status).toBe(status);
    expect(worker.heard).toEqual([]);
  });

  it("to a hub that gives none is refused, whoever asks", async () => {
    await hub.kill();
    await hub.start();
    expect((await post("stop", bearer())).status).toBe(403);
  });
});

describe("the token", () => {
  it("is the user's alone, stays the same when a killed hub is started again, and ends with the hub", async () => {
    const path = join(hub.folder, "control-token");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await hub.kill();
    await hub.start("--control");
    expect(readFileSync(path, "utf8").trim()).toBe(token);
    await hub.kill("SIGTERM");
    expect(() => statSync(path)).toThrow("ENOENT");
  });
});

describe("every route", () => {
  it.each(["/", "/api/runs", "/api/runs/latest", "/api/stream", "/healthz", "/metrics", "/api/control"])(
    "is refused to another site and to another host's name: %s",
    async (path) => {
      expect((await ask(hub.port, path, { headers: { host: "evil.example" } })).status).toBe(403);
      expect((await ask(hub.port, path, { headers: { origin: "http://evil.example" } })).status).toBe(403);
    },
  );

  it("lets nothing run that the hub does not serve", async () => {
    const { headers } = await ask(hub.port, "/healthz");
    expect(headers["content-security-policy"]).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self'",
    );
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
  });

  it("gives no file but those of the record", async () => {
    for (const name of ["control-token", "secret", "..%2f..%2fpackage.json", "logs/..%2fcontrol-token"]) {
      expect((await ask(hub.port, `/api/runs/r1/files/${name}`)).status).toBe(404);
    }
  });
});
