import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { hubOfRun } from "../../support/processes/hub-of-run.ts";
import { ask } from "../../support/processes/hub-process.ts";
import { HubWorker } from "../../support/processes/hub-worker.ts";

const hub = hubOfRun();

const layer1 = { run: "r1", worker: "layer1" };

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

/** Listened a moment ago, and nobody does now. */
async function leftPort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  await new Promise((done) => server.close(done));
  return port;
}

describe("a worker that was placed on a node", () => {
  it("is shown there, with where its checkpoints go, and on the next one once it was moved", async () => {
    const stream = await hub.stream();
    const store = "s3://bucket/prefix/layer1";
    await HubWorker.dial(hub.port, { ...layer1, node: "node1", store });
    expect(await stream.worker("layer1", ({ contact }) => contact === "connected")).toMatchObject({
      node: "node1",
      store,
    });
    await HubWorker.dial(hub.port, { ...layer1, incarnation: 2, node: "node2", store });
    expect((await stream.worker("layer1", ({ incarnation }) => incarnation === 2)).node).toBe("node2");
    stream.close();
  });
});

describe("a worker whose connection breaks", () => {
  it("is dead where nobody is at its port, and back when its next life is heard", async () => {
    const stream = await hub.stream();
    const worker = await HubWorker.dial(hub.port, { ...layer1, port: await leftPort() });
    await stream.worker("layer1", ({ contact }) => contact === "connected");
    worker.socket.terminate();
    await stream.worker("layer1", ({ contact }) => contact === "dead");
    await HubWorker.dial(hub.port, { ...layer1, incarnation: 2 });
    const back = await stream.worker("layer1", ({ contact }) => contact === "connected");
    expect(back.incarnation).toBe(2);
    const events = await hub.get<{ name: string; about?: string }[]>("/api/runs/r1/events");
    const told = events.filter(({ about }) => about === "layer1").map(({ name }) => name);
    expect(told).toEqual(["dead", "back"]);
    stream.close();
  });

  it("is shown as dead though its next life begins at once", async () => {
    const [events, stream] = [await hub.stream(), await hub.stream()];
    const first = await HubWorker.dial(hub.port, { ...layer1, port: await leftPort() });
    await events.worker("layer1", ({ contact }) => contact === "connected");
    await stream.worker("layer1", ({ contact }) => contact === "connected");
    first.socket.terminate();
    await events.next("events", (told) => told.some(({ name }) => name === "dead"));
    await HubWorker.dial(hub.port, { ...layer1, incarnation: 2 });
    const next = await stream.worker(
      "layer1",
      ({ contact, incarnation }) => contact !== "connected" || incarnation === 2,
    );
    expect(next.contact).toBe("dead");
    events.close();
    stream.close();
  });

  it("is unreachable, not dead, where somebody answers at its port", async () => {
    const server = createServer((_, response) => response.end("ok\n"));
    const stream = await hub.stream();
    const worker = await HubWorker.dial(hub.port, { ...layer1, port: await portOf(server) });
    await stream.worker("layer1", ({ contact }) => contact === "connected");
    worker.socket.terminate();
    const { contact } = await stream.worker("layer1", (view) => view.contact !== "connected");
    expect(contact).toBe("unreachable");
    stream.close();
    server.close();
  });

  it("is gone where it said goodbye, and neither dead nor unreachable after", async () => {
    const stream = await hub.stream();
    const worker = await HubWorker.dial(hub.port, { ...layer1, port: await leftPort() });
    worker.say({ kind: "goodbye", why: "finished" });
    worker.socket.close();
    await worker.closed;
    const { why } = await stream.worker("layer1", ({ contact }) => contact === "gone");
    expect(why).toBe("finished");
    stream.close();
  });
});

describe("who is no worker of the run", () => {
  it.each<[string, object, string]>([
    ["of another run", { run: "r2" }, "run is r2, expected r1"],
    ["of a layer that it has not", { worker: "layer99" }, "layer99 is not of this run"],
  ])("is turned away: %s", async (_, says, reason) => {
    const stranger = await HubWorker.dial(hub.port, { ...layer1, ...says });
    const closed = await stranger.closed;
    expect(closed.code).toBe(1008);
    expect(closed.reason).toContain(reason);
  });
});

describe("a browser that never reads", () => {
  it("is cut off and counted, while others are served", async () => {
    const deaf = connect(hub.port, "127.0.0.1");
    deaf.pause();
    deaf.on("error", () => {});
    deaf.write("GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    const stream = await hub.stream();
    const worker = await HubWorker.dial(hub.port, layer1);
    // Some 20 MB of events: more than the system holds for a socket, and the hub for a reader.
    const text = "x".repeat(2_000);
    for (let seq = 0; seq < 10_000; seq++) {
      worker.line(seq, worker.event("held", text));
      if (seq % 500 === 499) await Promise.all([worker.acknowledged(seq), stream.next("events")]);
    }
    await vi.waitFor(async () => {
      const { body } = await ask(hub.port, "/metrics");
      expect(body).toMatch(/^unlocked_hub_streams_cut_total 1$/m);
      expect(body).toMatch(/^unlocked_hub_streams 1$/m);
    }, 60_000);
    stream.close();
    deaf.destroy();
  });
});
