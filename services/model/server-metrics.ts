import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What a served model counts, for Prometheus. */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #registers = [this.#registry];
  readonly requests = new Counter({
    name: "unlocked_serve_requests_total",
    help: "Requests answered, by route and HTTP status.",
    labelNames: ["route", "status"],
    registers: this.#registers,
  });
  readonly examples = new Counter({
    name: "unlocked_serve_examples_total",
    help: "Examples predicted.",
    registers: this.#registers,
  });
  readonly open = new Gauge({
    name: "unlocked_serve_requests_open",
    help: "Requests being read or answered.",
    registers: this.#registers,
  });
  readonly seconds = new Histogram({
    name: "unlocked_serve_request_seconds",
    help: "From a request's first byte to its answer.",
    labelNames: ["route"],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    registers: this.#registers,
  });

  get type(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
