import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join, resolve } from "node:path";
import type { Logger } from "pino";
import { canonicalYaml } from "../../shared/config/canonical-yaml.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { loadConfig } from "../../shared/config/read-config.ts";
import { httpOptions } from "../../shared/link/limits.ts";
import { readSecret, type Secret } from "../../shared/link/secret.ts";
import type { ControlView } from "../../shared/record/hub-api.ts";
import type { EventLine, MetricLine } from "../../shared/record/lines.ts";
import { answerJson, answerText, guardAnswer, HttpError } from "./answer.ts";
import { Looks } from "./asking/looks.ts";
import { Questions } from "./asking/questions.ts";
import { control, twins } from "./control.ts";
import { takeToken } from "./control-token.ts";
import { CsvTable } from "./csv-table.ts";
import { refuseRequest } from "./guard.ts";
import type { HubOptions } from "./hub-options.ts";
import { Page } from "./page.ts";
import { probe } from "./probe.ts";
import { answerRuns, isGet } from "./routes.ts";
import { Runs } from "./runs.ts";
import { Show } from "./show.ts";
import { Streams } from "./streams.ts";
import { Watch } from "./watch.ts";
import { writeWhole } from "./write-whole.ts";

interface HubEdges {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of a steady clock: setting the time does not change it. */
  readonly steadyMs: () => number;
  /** The program Node. */
  readonly node: string;
}

const HANDSHAKE_MS = 5_000;
/** Workers, browsers with their streams, and scrapers; the system refuses more. */
const MOST_CONNECTIONS = 1_500;
/** Listens to the workers of a run, keeps its record, and shows it. Training never waits for it. */
export class Hub {
  readonly #options: HubOptions;
  readonly #edges: HubEdges;
  readonly #http: Server;
  readonly #watch: Watch | undefined;
  readonly #runs: Runs;
  readonly #streams = new Streams();
  readonly #page: Page;
  readonly #instance = randomUUID();
  readonly #control: ControlView;
  readonly #token: string | undefined;
  readonly #show: Show | undefined;
  readonly #table: CsvTable | undefined;
  readonly #questions: Questions | undefined;
  readonly #looks: Looks | undefined;

  /** Rejects when the record cannot be used or the port not be had. */
  static async start(options: HubOptions, edges: HubEdges): Promise<Hub> {
    const secret = options.secretFile === undefined ? undefined : readSecret(options.secretFile);
    const hub = new Hub(options, edges, secret);
    try {
      await hub.#listen();
    } catch (error) {
      hub.#close();
      throw error;
    }
    hub.#begun();
    return hub;
  }

  private constructor(options: HubOptions, edges: HubEdges, secret: Secret | undefined) {
    this.#options = options;
    this.#edges = edges;
    this.#watch = this.#watchRun(secret);
    this.#show = this.#watch && new Show(this.#streams, this.#watch, edges);
    this.#table =
      this.#watch && new CsvTable(this.#watch.record, (about, text) => edges.log.warn(about, text));
    this.#questions = this.#watch && this.#passOn(this.#watch);
    this.#looks = this.#watch && new Looks(this.#watch);
    this.#runs = new Runs(options.runs, () => this.#watch?.record, edges.now);
    this.#page = new Page(edges.node);
    const isOn = options.control && this.#watch !== undefined;
    this.#token = isOn ? takeToken(this.#watch!.record.folder) : undefined;
    this.#control = { isOn, twins: twins(options.logsElsewhere) };
    this.#http = createServer(httpOptions(HANDSHAKE_MS), (request, response) => {
      void this.#answer(request, response);
    });
    this.#http.maxConnections = MOST_CONNECTIONS;
    this.#http.on("upgrade", (request, socket, head) => {
      const isTelemetry = request.url === "/telemetry" && this.#watch !== undefined;
      if (isTelemetry) this.#watch!.door.upgrade(request, socket, head);
      else socket.destroy();
    });
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** The last lines are in the files, and every socket closed, when it resolves. */
  async stop(): Promise<void> {
    const { record } = this.#options;
    if (record !== undefined) rmSync(join(record, "dashboard"), { force: true });
    if (this.#token !== undefined) rmSync(join(record!, "control-token"), { force: true });
    const isClosed = new Promise((done) => this.#http.close(done));
    this.#close();
    this.#http.closeIdleConnections();
    setTimeout(() => {
      this.#watch?.door.terminate();
      this.#http.closeAllConnections();
    }, 500).unref();
    await isClosed;
  }

  #close(): void {
    this.#show?.close();
    this.#streams.close();
    this.#questions?.close();
    this.#looks?.close();
    this.#watch?.close();
    this.#table?.write();
  }

  #watchRun(secret: Secret | undefined): Watch | undefined {
    const { record, run, logsElsewhere } = this.#options;
    if (record === undefined) return undefined;
    this.#layConfig(record);
    const { log, now, steadyMs } = this.#edges;
    return new Watch({
      run: run ?? basename(resolve(record)),
      folder: record,
      secret,
      keepsLogs: !logsElsewhere,
      handshakeMs: HANDSHAKE_MS,
      probe,
      now: () => ({ at: now(), steadyMs: steadyMs() }),
      onLines: (metrics, events) => this.#tell(metrics, events),
      onAnswer: (worker, answer) => this.#questions?.answered(worker, answer),
      onSeen: (worker, seen) => this.#looks?.seen(worker, seen),
      onChange: (isOfContact) => {
        if (!isOfContact) return this.#show?.soon();
        this.#show?.now();
        this.#looks?.contactsChanged();
      },
      warn: (about, message) => log.warn(about, message),
    });
  }

  #passOn(watch: Watch): Questions {
    const { layers, data } = watch.record.config;
    return new Questions({
      ...{ layers: layers.length, data: dataFacts(data), mostASecond: this.#options.questionsPerSecond },
      steadyMs: this.#edges.steadyMs,
      visitor: (worker) => watch.visitor(worker),
    });
  }

  #layConfig(record: string): void {
    const path = join(record, "config.yaml");
    if (existsSync(path)) return;
    const { config, set } = this.#options;
    if (config === undefined) throw new Error(`Cannot watch ${record}: no config.yaml there, nor a --config`);
    mkdirSync(record, { recursive: true });
    writeWhole(path, canonicalYaml(loadConfig(config, set).config));
  }

  #listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((done, reject) => {
      this.#http.once("error", (error: NodeJS.ErrnoException) => {
        const found = error.code === "EADDRINUSE" ? "the port is taken" : error.message;
        reject(new Error(`Cannot listen on ${host}:${port}: ${found}`, { cause: error }));
      });
      this.#http.listen({ host, port }, done);
    });
  }

  #begun(): void {
    const { record, host } = this.#options;
    const { log } = this.#edges;
    log.info({ host, port: this.port, record, control: this.#control.isOn }, "watching");
    if (record === undefined) return;
    try {
      writeWhole(join(record, "dashboard"), `${this.address}\n`);
    } catch (error) {
      log.warn({ err: error }, "cannot say in the record where the dashboard is");
    }
  }

  /** What a person opens in a browser, the token with it: not for a log that the page shows. */
  get invitation(): string {
    const { address = this.address } = this.#options;
    return this.#token === undefined ? address : `${address}/#token=${this.#token}`;
  }

  /** From this machine; without the token. */
  get address(): string {
    const { host } = this.#options;
    const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
    return `http://${shown}:${this.port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    guardAnswer(response);
    try {
      const refused = refuseRequest(request.headers, this.#options.hostNames);
      if (refused !== undefined) throw new HttpError(403, refused);
      await this.#route(request, response);
    } catch (error) {
      this.#fail(response, error as Error);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = targetOf(request);
    const { pathname } = url;
    if (pathname === "/api/control") {
      if (request.method !== "POST") throw new HttpError(405, "expected POST");
      return answerJson(response, await control(request, this.#token, this.#watch));
    }
    if (pathname === "/api/ask") return this.#ask(request, response);
    if (pathname === "/api/look") return this.#look(request, response);
    if (!isGet(request)) throw new HttpError(405, "expected GET");
    if (pathname === "/api/stream") return this.#stream(response);
    if (/^\/api\/runs(\/|$)/.test(pathname)) return answerRuns(url, response, this.#sources());
    if (pathname === "/healthz") return answerText(response, "ok\n", "text/plain; charset=utf-8");
    if (pathname === "/metrics") return this.#metrics(response);
    if (pathname.startsWith("/api/")) throw new HttpError(404, "there is nothing here");
    return this.#page.answer(pathname, response);
  }

  #ask(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "POST") throw new HttpError(405, "expected POST");
    if (this.#questions === undefined) throw new HttpError(409, "this hub watches no run");
    return this.#questions.ask(request, response);
  }

  #look(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== "POST") throw new HttpError(405, "expected POST");
    if (this.#looks === undefined) throw new HttpError(409, "this hub watches no run");
    request.resume();
    this.#looks.look(response);
  }

  #sources() {
    const { now } = this.#edges;
    return { runs: this.#runs, watch: this.#watch, control: this.#control, now };
  }

  #fail(response: ServerResponse, error: Error): void {
    const status = error instanceof HttpError ? error.status : 500;
    if (status === 500) this.#edges.log.error({ err: error }, "cannot answer");
    if (response.headersSent) return void response.destroy();
    response.removeHeader("content-disposition");
    answerJson(response, { error: error.message }, status);
  }

  async #metrics(response: ServerResponse): Promise<void> {
    const { hubMetrics } = await import("./hub-metrics.ts");
    const { text, type } = await hubMetrics({
      connections: this.#watch?.door.connections ?? 0,
      streams: this.#streams.size,
      cut: this.#streams.cut,
      ...(this.#watch?.counts ?? { nonsense: 0, refused: 0 }),
      views: this.#watch?.views() ?? [],
    });
    answerText(response, text, type);
  }

  #stream(response: ServerResponse): void {
    const run = this.#watch?.record.id ?? this.#runs.find("latest")?.id ?? "";
    const isIn = this.#streams.add(response, { instance: this.#instance, run, now: this.#edges.now() });
    if (!isIn) throw new HttpError(503, "too many are watching");
    this.#show?.soon();
  }

  #tell(metrics: readonly MetricLine[], events: readonly EventLine[]): void {
    if (metrics.length > 0) this.#streams.say("metrics", metrics);
    if (events.length > 0) this.#streams.say("events", events);
    if (metrics.length > 0) this.#table?.writeLater();
    if (events.some(({ name }) => name === "finished")) this.#table?.write();
    this.#show?.soon();
  }
}

/** Throws an HttpError where what a stranger asks for is no address. */
function targetOf({ url = "/" }: IncomingMessage): URL {
  const base = "http://hub";
  if (!URL.canParse(url, base)) throw new HttpError(400, "the address cannot be understood");
  return new URL(url, base);
}
