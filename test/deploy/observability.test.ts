import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { hubMetrics } from "../../services/hub/hub-metrics.ts";
import { type WorkerFigures, workerMetrics } from "../../services/worker/metrics.ts";

const FOLDER = "deploy/observability";

interface Service {
  readonly volumes?: readonly string[];
  readonly command?: readonly string[];
  readonly profiles?: readonly string[];
}

const compose = parse(readFileSync("docker-compose.yml", "utf8"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};
const dashboard = JSON.parse(readFileSync(`${FOLDER}/grafana/dashboards/unlocked.json`, "utf8"));
const prometheus = parse(readFileSync(`${FOLDER}/prometheus.yml`, "utf8"));

const figures: WorkerFigures = {
  run: "mnist",
  progress: {
    ...{ kind: "progress", worker: "layer1", incarnation: 1, state: "training", batch: 7, batches: 10 },
    ...{ perSecond: 5, loss: 1, generatorError: 1, cosine: 0, staleness: 1, alarm: "no room" },
    ...{ inFlight: 1, window: 4, durable: 3 },
  },
  traffic: { sent: 1, received: 1 },
};

it("every file that the profile lends to a container is there", () => {
  const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
  const lent = mounts.map((mount) => mount.split(":")[0]!).filter((from) => from.startsWith("./"));
  expect(lent).toHaveLength(3);
  for (const from of lent) expect(existsSync(from), from).toBe(true);
});

it("Prometheus looks for everybody of the network, by name, at the port where they listen", () => {
  const [{ dns_sd_configs, relabel_configs }] = prometheus.scrape_configs;
  const [{ names, port }] = dns_sd_configs;
  const watched = Object.entries(compose.services).filter(([, { profiles }]) => profiles === undefined);
  expect(watched).toHaveLength(6);
  for (const [name, { command }] of watched) {
    expect(names).toContain(name);
    expect(command![command!.indexOf("--listen") + 1]).toBe(`0.0.0.0:${port}`);
  }
  expect(relabel_configs[0]).toMatchObject({ target_label: "__address__", replacement: `$1:${port}` });
  // The hub answers only to a name that it was told is its own.
  const { command: hub } = compose.services.hub!;
  expect(hub![hub!.indexOf("--host-name") + 1]).toBe("hub");
});

it("Grafana's dashboard asks the provisioned source, for nothing but what workers and Prometheus say", async () => {
  const { datasources } = parse(readFileSync(`${FOLDER}/grafana/datasources/prometheus.yml`, "utf8"));
  const asked = dashboard.panels.flatMap(({ datasource, targets }: Panel) => [
    datasource.uid,
    ...targets.map((target) => target.datasource.uid),
  ]);
  expect(new Set(asked)).toEqual(new Set([datasources[0].uid]));
  expect(datasources[0].url).toBe("http://prometheus:9090");

  const views = [{ name: "layer1", contact: "connected" }] as never;
  const counts = { connections: 1, streams: 0, cut: 0, nonsense: 0, refused: 0 };
  const said = [(await workerMetrics(figures)).body, (await hubMetrics({ ...counts, views })).text].join(
    "\n",
  );
  const known = new Set(["up", ...[...said.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name!)]);
  const expressions: string[] = dashboard.panels.flatMap(({ targets }: Panel) =>
    targets.map(({ expr }) => expr),
  );
  const named = expressions.flatMap((text) => [...text.matchAll(/(\w+)\{/g)].map(([, name]) => name!));
  expect(named.length).toBeGreaterThanOrEqual(expressions.length);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

interface Panel {
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}
