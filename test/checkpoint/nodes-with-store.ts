import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { type Disk, realDisk } from "../../shared/checkpoint/disk.ts";
import { MirroredDisk } from "../../shared/checkpoint/mirrored-disk.ts";
import type { ObjectStore } from "../../shared/checkpoint/object-store.ts";
import { openS3 } from "../../shared/checkpoint/s3-store.ts";
import { CheckpointStore } from "../../shared/checkpoint/store.ts";
import { BUCKET, ObjectServer } from "../support/engines/object-server.ts";

interface Node {
  readonly state: string;
  readonly disk: Disk;
  readonly store: CheckpointStore;
}

/** Machines for the tests of a file that share one store, a real server that speaks S3; each test has a part of it to itself. */
export class NodesWithStore {
  server!: ObjectServer;
  objects!: ObjectStore;
  readonly #folders: string[] = [];

  constructor(isConditional: boolean) {
    beforeAll(async () => {
      this.server = await ObjectServer.start({ isConditional });
      for (const [name, value] of Object.entries(this.server.environment())) vi.stubEnv(name, value);
    });
    beforeEach(() => {
      this.objects = openS3(`s3://${BUCKET}/${randomUUID()}`);
    });
    afterEach(() => {
      Object.assign(this.server, { trouble: "none", delayMs: 0 });
      for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await this.server.close();
    });
  }

  /** A machine with an empty disk of its own. */
  node(): Node {
    const state = mkdtempSync(join(tmpdir(), "node-"));
    this.#folders.push(state);
    const disk = new MirroredDisk(realDisk, [{ folder: state, store: this.objects }]);
    return { state, disk, store: new CheckpointStore(state, disk) };
  }
}
