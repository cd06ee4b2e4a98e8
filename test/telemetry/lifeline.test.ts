import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { attachLifeline, type WorkerHost } from "../../shared/telemetry/lifeline.ts";
import type { Telemetry } from "../../shared/telemetry/telemetry.ts";

/** A process as a worker sees it, with or without the channel to a parent. */
class Host extends EventEmitter implements WorkerHost {
  readonly told: Telemetry[] = [];
  connected = true;
  readonly send: WorkerHost["send"];

  constructor(hasParent: boolean) {
    super();
    this.send = hasParent
      ? (message, sent) => {
          this.told.push(message);
          sent(null);
        }
      : undefined;
  }
}

function attached(hasParent: boolean, connected = true) {
  const host = new Host(hasParent);
  host.connected = connected;
  const heard: string[] = [];
  const lifeline = attachLifeline(
    host,
    (why) => heard.push(why),
    () => heard.push("abort"),
  );
  return { host, heard, lifeline };
}

describe("a worker with a parent", () => {
  it("leaves Ctrl-C to its parent, who decides what stops when", () => {
    const { host, heard } = attached(true);
    host.emit("SIGINT");
    expect(heard).toEqual([]);
  });

  it("stops when asked, and only once", () => {
    const { host, heard } = attached(true);
    host.emit("message", { kind: "stop" });
    host.emit("message", { kind: "stop" });
    host.emit("disconnect");
    expect(heard).toEqual(["asked by the parent"]);
  });

  it("does not outlive its parent", () => {
    const { host, heard } = attached(true);
    host.emit("disconnect");
    expect(heard).toEqual(["the parent is gone"]);
  });

  it("does not outlive a parent that was gone before it could listen", () => {
    expect(attached(true, false).heard).toEqual(["the parent is gone"]);
  });

  it("does not take anything else for a request", () => {
    const { host, heard } = attached(true);
    for (const message of [null, "stop", { kind: "progress" }, {}, 7]) host.emit("message", message);
    expect(heard).toEqual([]);
  });

  it("tells it what there is to tell, while there is a channel", async () => {
    const { host, lifeline } = attached(true);
    await lifeline.tell({ kind: "finished" });
    host.connected = false;
    await lifeline.tell({ kind: "finished" });
    expect(host.told).toEqual([{ kind: "finished" }]);
  });
});

describe("a worker on its own", () => {
  it("stops at Ctrl-C, and ends at once at a second SIGTERM", () => {
    const { host, heard } = attached(false);
    host.emit("SIGINT");
    host.emit("SIGTERM");
    expect(heard).toEqual(["SIGINT", "abort"]);
  });

  it("has nobody to tell", async () => {
    await expect(attached(false).lifeline.tell({ kind: "finished" })).resolves.toBeUndefined();
  });
});
