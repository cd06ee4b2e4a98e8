import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type TlsCredentials, tlsOptions } from "../../../shared/link/tls.ts";
import { HubProcess, linesIn, newRun } from "../../support/processes/hub-process.ts";
import { Worker } from "../../support/processes/worker-process.ts";
import { Certificates } from "../../support/secrets/certificates.ts";

const missing = Certificates.missing();
if (missing !== undefined) console.warn(`The tests of telemetry over TLS are skipped: ${missing}.`);

/** What speaks TLS before a hub on another machine: asks for a certificate, and passes on what those with one say. */
class Door {
  readonly #server: Server;
  /** When somebody gave up the handshake. */
  readonly refused: Promise<unknown>;
  readonly names: string[] = [];

  static async open(tls: TlsCredentials, hub: number): Promise<Door> {
    const door = new Door(tls, hub);
    await new Promise<void>((done) => door.#server.listen(0, "127.0.0.1", done));
    return door;
  }

  private constructor(tls: TlsCredentials, hub: number) {
    this.#server = createServer(tlsOptions(tls), (socket) => this.#pass(socket, hub));
    this.refused = once(this.#server, "tlsClientError");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }

  #pass(socket: TLSSocket, hub: number): void {
    this.names.push(String(socket.getPeerCertificate().subject.CN));
    const inner = connect(hub, "127.0.0.1");
    for (const each of [socket, inner]) each.on("error", () => {});
    socket.pipe(inner).pipe(socket);
  }
}

describe.skipIf(missing !== undefined)("a worker that tells a hub over wss", () => {
  let files: Certificates;
  let run: ReturnType<typeof newRun>;
  let hub: HubProcess;
  let secret: string;
  const cleanups: (() => unknown)[] = [];

  beforeAll(() => {
    files = new Certificates();
    for (const authority of ["ours", "theirs"]) files.authority(authority);
    files.worker("layer3", "ours", "DNS:layer3");
  });
  afterAll(() => files.remove());
  beforeEach(async () => {
    run = newRun();
    secret = join(run.folder, "secret");
    writeFileSync(secret, "what the workers of this run know");
    hub = await HubProcess.start("--record", run.folder, "--secret-file", secret, "--control");
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
    await hub.kill();
    run.remove();
  });

  async function doorOf(authority: string): Promise<Door> {
    const shown = files.worker("hub", authority, "IP:127.0.0.1");
    // It believes the worker, whoever signed for the door.
    const door = await Door.open({ ...shown, authority: files.read("layer3", "ours").authority }, hub.port);
    cleanups.push(() => door.close());
    return door;
  }

  function head(door: Door): Worker {
    const state = join(run.folder, "state");
    mkdirSync(state);
    const worker = new Worker("layer3", [
      ...["--config", join(run.folder, "config.yaml"), "--run", "r1", "--layer", "3", "--state", state],
      ...["--listen", "127.0.0.1:0", "--secret-file", secret, "--control", "--log-format", "json"],
      ...["--tls-cert", files.path("layer3.pem"), "--tls-key", files.path("layer3.key")],
      ...["--tls-ca", files.path("ours.pem"), "--hub", `wss://127.0.0.1:${door.port}`],
    ]);
    cleanups.unshift(() => {
      worker.signal("SIGKILL");
      return worker.ended;
    });
    return worker;
  }

  it("shows its certificate, is heard and in the record, and obeys", async () => {
    const [stream, events] = [await hub.stream(), await hub.stream()];
    const door = await doorOf("ours");
    const worker = head(door);
    await stream.worker("layer3", ({ contact, state }) => contact === "connected" && state !== undefined);
    expect(door.names).toEqual(["layer3"]);
    await events.next("events", (told) =>
      told.some(({ name, worker: who }) => name === "began" && who === "layer3"),
    );
    expect(linesIn(join(run.folder, "events.ndjson"))).toContainEqual(
      expect.objectContaining({ name: "began", worker: "layer3" }),
    );
    const token = readFileSync(join(run.folder, "control-token"), "utf8").trim();
    const told = await fetch(`http://127.0.0.1:${hub.port}/api/control`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ worker: "layer3", command: "stop" }),
    });
    expect(told.status).toBe(200);
    expect(await worker.ended).toBe(0);
    await stream.worker("layer3", ({ contact, why }) => contact === "gone" && why === "stopped");
    for (const each of [stream, events]) each.close();
  });

  it("says nothing to a door that another authority signed for", async () => {
    const door = await doorOf("theirs");
    head(door);
    await door.refused;
    expect(door.names).toEqual([]);
  });
});
