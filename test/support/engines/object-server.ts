import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What is wrong with the server, for now. */
export type Trouble =
  | "none"
  /** Nobody answers: connections are cut at once. */
  | "down"
  /** Connections stay open, and nothing comes. */
  | "silent"
  /** 500 and 503, for every second request. */
  | "errors"
  /** Uploads are cut in the middle, every second one. */
  | "cuts";

interface Rver {
  readonly store: {
    existsObject(bucket: string, key: string): Promise<boolean>;
    getObject(bucket: string, key: string): Promise<unknown>;
  };
  configureBuckets(): Promise<void>;
  callback(): (request: IncomingMessage, response: ServerResponse) => void;
}

const S3rver = createRequire(import.meta.url)("@20minutes/s3rver") as new (options: object) => Rver;

export const BUCKET = "kept";

/**
 * A real server that speaks S3, of a package, on a port of its own; troubles are made in front of it. The package replaces an
 * object that must not be there yet; `isConditional`: what is in front keeps it from that, as AWS does.
 */
export class ObjectServer {
  readonly #server: Server;
  readonly #folder: string;
  trouble: Trouble = "none";
  /** Added to every answer. */
  delayMs = 0;
  /** Answered, by method. */
  readonly counts = new Map<string, number>();
  #count = 0;

  private constructor(server: Server, folder: string) {
    this.#server = server;
    this.#folder = folder;
  }

  static async start({ host = "127.0.0.1", isConditional = true } = {}): Promise<ObjectServer> {
    const folder = mkdtempSync(join(tmpdir(), "unlocked-objects-"));
    // It reckons the signature of a listing otherwise than the SDK does.
    const rver = new S3rver({
      directory: folder,
      silent: true,
      allowMismatchedSignatures: true,
      configureBuckets: [{ name: BUCKET }],
    });
    await rver.configureBuckets();
    const answer = rver.callback();
    const taken = new Set<string>();
    const started = new ObjectServer(createServer({ keepAliveTimeout: 1000 }), folder);
    started.#server.on("request", async (request: IncomingMessage, response: ServerResponse) => {
      if (!(await started.#letsThrough(request, response))) return;
      const wants = isConditional && request.method === "PUT" && request.headers["if-none-match"] === "*";
      if (wants) {
        const key = decodeURIComponent(request.url!.split("?")[0]!.slice(BUCKET.length + 2));
        const isTaken = taken.has(key) || (await rver.store.existsObject(BUCKET, key));
        taken.add(key);
        if (isTaken) return refuse(response, 412, "PreconditionFailed");
        response.on("close", () => taken.delete(key));
      }
      started.counts.set(request.method!, (started.counts.get(request.method!) ?? 0) + 1);
      answer(request, response);
    });
    started.#server.listen(0, host);
    await once(started.#server, "listening");
    return started;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The variables that lead AWS's own programs here. */
  environment(host = "127.0.0.1"): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: `http://${host}:${this.port}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "S3RVER",
      AWS_SECRET_ACCESS_KEY: "S3RVER",
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  /** What an object holds; rejects if there is none. */
  async read(key: string): Promise<Buffer> {
    return Buffer.from(await (await this.#fetch(key, "GET")).arrayBuffer());
  }

  async write(key: string, text: string): Promise<void> {
    await this.#fetch(key, "PUT", text);
  }

  async #fetch(key: string, method: "GET" | "PUT", body?: string): Promise<Response> {
    const { address, port } = this.#server.address() as AddressInfo;
    const response = await fetch(`http://${address}:${port}/${BUCKET}/${key}`, {
      method,
      ...(body && { body }),
    });
    if (response.status !== 200) throw new Error(`Cannot ${method} ${key}: ${response.status}`);
    return response;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #letsThrough(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const isSecond = this.#count++ % 2 === 1;
    switch (this.trouble) {
      case "down":
        request.socket.destroy();
        return false;
      case "silent":
        return false;
      case "errors":
        if (isSecond) refuse(response, this.#count % 4 === 0 ? 500 : 503, "SlowDown");
        return !isSecond;
      case "cuts":
        if (request.method === "PUT" && isSecond) request.once("data", () => request.socket.destroy());
        return true;
      case "none":
        return true;
    }
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml" }).end(body);
}
