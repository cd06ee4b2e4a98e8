import { Counter, Gauge, Registry } from "prom-client";
import type { WorkerView } from "../../shared/record/hub-api.ts";

interface HubFigures {
  readonly connections: number;
  readonly streams: number;
  readonly cut: number;
  readonly nonsense: number;
  readonly refused: number;
  readonly views: readonly WorkerView[];
}

/** For Prometheus: what only a hub knows. What a worker knows of itself is at its own port. */
export async function hubMetrics(
  figures: HubFigures,
): Promise<{ readonly text: string; readonly type: string }> {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  gauge("unlocked_hub_telemetry_connections", "Open telemetry connections from workers.").set(
    figures.connections,
  );
  gauge("unlocked_hub_streams", "Open server-sent event streams.").set(figures.streams);
  counter("unlocked_hub_streams_cut_total", "Streams closed because their reader was too slow.").inc(
    figures.cut,
  );
  counter("unlocked_hub_lines_refused_total", "Record lines dropped because the file was full.").inc(
    figures.refused,
  );
  counter("unlocked_hub_lines_nonsense_total", "Record lines that could not be parsed.").inc(
    figures.nonsense,
  );
  const connected = new Gauge({
    name: "unlocked_hub_worker_connected",
    help: "1 if the worker is connected, else 0.",
    labelNames: ["worker"],
    registers,
  });
  for (const { name, contact } of figures.views) {
    connected.set({ worker: name }, contact === "connected" ? 1 : 0);
  }
  return { text: await registry.metrics(), type: registry.contentType };
}
