import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Kernels } from "../../shared/math/kernels.ts";
import { AnswerSheet } from "./answers.ts";
import { Evaluation, rowsAtOnce } from "./evaluation.ts";
import { type Asked, BadRequest, inferAnswer, metadataOf, readInfer, readRows } from "./inference.ts";
import { requireRows } from "./inputs.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import type { Model } from "./model.ts";
import { ServerMetrics } from "./server-metrics.ts";

/** Examples computed at once, at most. */
const MOST_ROWS = 64;

class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/**
 * A saved network over HTTP: version 2 of the Open Inference Protocol, POST /predict for rows in plain JSON, and /metrics.
 * It does not listen yet. Throws a Refusal for a model that takes no rows.
 */
export class ModelServer {
  readonly server: Server;
  readonly #model: Model;
  readonly #limits: Limits;
  readonly #evaluation: Evaluation;
  readonly #rows: number;
  readonly #sheet: AnswerSheet;
  readonly #metrics = new ServerMetrics();
  readonly #routes: ReadonlyMap<string, Route>;
  #open = 0;

  constructor(model: Model, kernels: Kernels, limits: Partial<Limits> = {}) {
    requireRows(model);
    this.#model = model;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#rows = rowsAtOnce(model, MOST_ROWS);
    this.#evaluation = new Evaluation(kernels, model, this.#rows);
    this.#sheet = new AnswerSheet(model.facts);
    this.#routes = this.#routeTable();
    const { requestMs, connections } = this.#limits;
    this.server = createServer(
      { requestTimeout: requestMs, headersTimeout: requestMs, connectionsCheckingInterval: 1000 },
      (request, response) => void this.#serve(request, response),
    );
    this.server.maxConnections = connections;
  }

  #routeTable(): ReadonlyMap<string, Route> {
    const model = `/v2/models/${encodeURIComponent(this.#model.run)}`;
    const says =
      (value: object): Route =>
      (_, response) =>
        answer(response, 200, value);
    return new Map<string, Route>([
      ["GET /v2", says({ name: "unlocked", version: "2", extensions: [] })],
      ["GET /v2/health/live", says({ live: true })],
      ["GET /v2/health/ready", says({ ready: true })],
      [`GET ${model}`, says(metadataOf(this.#model))],
      [`GET ${model}/ready`, says({ name: this.#model.run, ready: true })],
      [`POST ${model}/infer`, (request, response) => this.#infer(request, response)],
      ["POST /predict", (request, response) => this.#predict(request, response)],
      ["GET /metrics", (_, response) => this.#tell(response)],
    ]);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    const [path = "/"] = (request.url ?? "/").split("?");
    const name = `${request.method} ${path.replace(/(?<=.)\/$/, "")}`;
    const route = this.#routes.get(name);
    // Only names from the table: strangers' paths would grow the metrics.
    const label = route ? name : "none";
    this.#metrics.open.set(++this.#open);
    response.once("close", () => {
      this.#metrics.open.set(--this.#open);
      this.#metrics.requests.inc({ route: label, status: response.statusCode });
      this.#metrics.seconds.observe({ route: label }, (performance.now() - began) / 1000);
    });
    try {
      this.#admit(request);
      if (!route) throw new HttpError(404, `there is no ${name}`);
      await route(request, response);
    } catch (error) {
      refuse(request, response, error);
    }
  }

  #admit({ headers }: IncomingMessage): void {
    if (this.#open > this.#limits.requests)
      throw new HttpError(503, `${this.#limits.requests} requests are under way, try again`);
    // A page of another site that had its name lead here gives itself away by these.
    const host = (headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
    if (!["localhost", "127.0.0.1", "[::1]"].includes(host) || headers.origin !== undefined)
      throw new HttpError(403, "requests come from this machine, and from no page of another site");
  }

  async #infer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await this.#json(request);
    const asked = readInfer(body, this.#model.facts, this.#limits.rows);
    answer(response, 200, inferAnswer(this.#model, asked, this.#evaluate(asked)));
  }

  async #predict(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = readRows(await this.#json(request), this.#model.facts, this.#limits.rows);
    const outputs = this.#evaluate(asked);
    const width = this.#evaluation.outputs;
    const predictions = asked.inputs.map((_, row) =>
      this.#sheet.read(outputs.subarray(row * width, (row + 1) * width)),
    );
    answer(response, 200, { predictions });
  }

  #evaluate({ inputs }: Asked): Float32Array {
    const { inputs: wide, outputs } = this.#evaluation;
    const all = new Float32Array(inputs.length * outputs);
    const some = new Float32Array(this.#rows * wide);
    for (let from = 0; from < inputs.length; from += this.#rows) {
      const group = inputs.slice(from, from + this.#rows);
      for (const [row, input] of group.entries()) some.set(input, row * wide);
      all.set(this.#evaluation.answers(some, group.length), from * outputs);
    }
    this.#metrics.examples.inc(inputs.length);
    return all;
  }

  async #tell(response: ServerResponse): Promise<void> {
    const text = await this.#metrics.text();
    response.writeHead(200, { "content-type": this.#metrics.type }).end(text);
  }

  async #json(request: IncomingMessage): Promise<unknown> {
    const most = this.#limits.bodyBytes;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > most) throw new HttpError(413, `the body has more than ${most} bytes`);
      chunks.push(chunk);
    }
    try {
      return JSON.parse(Buffer.concat(chunks).toString("utf8"));
    } catch {
      throw new HttpError(400, "the body is not JSON");
    }
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  // The peer has gone.
  if (request.destroyed && !request.complete && !(error instanceof HttpError)) return void response.destroy();
  const status = error instanceof HttpError ? error.status : error instanceof BadRequest ? 400 : 500;
  if (!request.complete) response.setHeader("connection", "close");
  if (status === 503) response.setHeader("retry-after", "1");
  answer(response, status, { error: (error as Error).message });
}

function answer(response: ServerResponse, status: number, value: object): void {
  const text = JSON.stringify(value);
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  };
  response.writeHead(status, headers).end(text);
}
