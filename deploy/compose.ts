import type { Config } from "../shared/config/config.ts";
import {
  BIND,
  commandOf,
  commented,
  dataPlace,
  dockerDialect,
  escaped,
  healthCheck,
  insideImage,
  PUBLISHED,
  secretFiles,
  secretsOf,
} from "./docker.ts";
import { type DeployRequest, environmentOf, PORT, type Worker, workersOf } from "./network.ts";

/**
 * docker-compose.yml for a network: its source, each of its layers and the hub a container of one image; and Prometheus and
 * Grafana in a profile. Says only what compose 1.29 and compose 2 both understand. Throws an Error when the image would not hold the config.
 */
export function composeFile(config: Config, request: DeployRequest): string {
  const path = insideImage(request.configPath, "a compose file");
  const dialect = dockerDialect(path, [...(request.set ?? []), ...dataPlace(config).set]);
  const workers = workersOf(config, request, dialect);
  const secrets = secretFiles(request, workers).map(
    ([name, file]) => `  ${name}:\n    file: ${json(escaped(file))}\n`,
  );
  const volumes = ["record", "metrics", ...workers.filter(isLayer).map(({ name }) => name)];
  return [
    heading(path, request),
    workerAnchor(request, environmentOf(request, dialect)),
    "services:",
    ...workers.map((worker) => service(worker, dataPlace(config).volumes, secretsOf(request, worker))),
    OBSERVE,
    NETWORKS,
    `volumes:\n${volumes.map((name) => `  ${name}: {}\n`).join("")}`,
    ...(secrets.length === 0 ? [] : [`secrets:\n${secrets.join("")}`]),
  ].join("\n");
}

function workerAnchor(request: DeployRequest, variables: Readonly<Record<string, string>>): string {
  const check = healthCheck(request, { name: "source" });
  const environment = { UNLOCKED_CONTROL: `\${UNLOCKED_CONTROL:-}`, ...variables };
  const pairs = Object.entries(environment).map(([name, value]) => `${name}: ${json(value)}`);
  return `x-worker: &worker
  image: \${UNLOCKED_IMAGE:-${request.image ?? "unlocked"}}
  # It is built here and in no registry.
  pull_policy: never
  init: true
  read_only: true
  tmpfs: ["/tmp:size=64m,noexec,nosuid,nodev"]
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  pids_limit: 256
  networks: [mesh]
  # Who crashed comes back; who finished, was stopped or was killed by hand stays down.
  restart: on-failure
  # More than a checkpoint takes.
  stop_grace_period: 15s
  healthcheck:
    test: [${check.map((word, at) => (at < 3 ? json(word) : singleQuoted(word))).join(", ")}]
    interval: 10s
    timeout: 5s
    retries: 3
    start_period: 30s
  logging:
    driver: json-file
    options: { max-size: "10m", max-file: "3" }
  environment: { ${pairs.join(", ")} }
`;
}

/** Only where asked for; the images are others', and so is what they write. */
const OBSERVE = `  # docker compose --profile observe up: see docs/observe.md
  prometheus:
    profiles: [observe]
    image: prom/prometheus:v2.55.1
    init: true
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    networks: [mesh]
    mem_limit: 512m
    volumes:
      - ./deploy/observability/prometheus.yml:/etc/prometheus/prometheus.yml:ro
      - metrics:/prometheus

  grafana:
    profiles: [observe]
    image: grafana/grafana:11.3.0
    init: true
    read_only: true
    # All it needs to know is provisioned.
    tmpfs: ["/tmp", "/var/lib/grafana:uid=472,mode=755"]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    networks: [mesh, outside]
    ports: ["${BIND}:\${UNLOCKED_GRAFANA_PORT:-3000}:3000"]
    mem_limit: 512m
    environment:
      # Everybody may look, and nobody log in.
      GF_AUTH_ANONYMOUS_ENABLED: "true"
      GF_AUTH_ANONYMOUS_ORG_ROLE: Viewer
      GF_AUTH_DISABLE_LOGIN_FORM: "true"
      GF_AUTH_BASIC_ENABLED: "false"
      GF_ANALYTICS_REPORTING_ENABLED: "false"
      GF_ANALYTICS_CHECK_FOR_UPDATES: "false"
      GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: /etc/grafana/provisioning/dashboards/unlocked.json
    volumes:
      - ./deploy/observability/grafana/datasources:/etc/grafana/provisioning/datasources:ro
      - ./deploy/observability/grafana/dashboards:/etc/grafana/provisioning/dashboards:ro
`;

const NETWORKS = `networks:
  mesh:
    # No way out, and none in.
    internal: true
  # For the hub's port: what is internal publishes none.
  outside: {}
`;

function heading(path: string, request: DeployRequest): string {
  const lines = [
    `The network of ${path}, a container for each worker: docker compose up --build (see docs/docker.md).`,
    "Made from the config, and made again by",
    `  ${commandOf("compose", path, request)} > docker-compose.yml`,
  ];
  return commented(lines);
}

type Secrets = ReturnType<typeof secretsOf>;

function service(
  { name, args, memoryMiB, folder }: Worker,
  data: readonly string[],
  secrets: Secrets,
): string {
  const volume = folder === "/record" ? "record" : name;
  return `  ${name}:
    <<: *worker
${name === "source" ? BUILD : ""}    command:
${words(args)}
    mem_limit: ${memoryMiB}m
${name === "hub" ? HUB_NETWORK : ""}${
  secrets.length === 0 ? "" : `    secrets: ${json(secrets)}\n`
}    volumes: ${json([`${volume}:${folder}`, ...data])}
`;
}

const BUILD = `    # The one image of all. Were every service to build it, compose 2 would do so at once and stumble over its tag.
    build:
      context: .
      args: { NODE_VERSION: "\${NODE_VERSION:-20}" }
`;

const HUB_NETWORK = `    networks: [mesh, outside]
    ports: [${json(`${BIND}:${PUBLISHED}:${PORT}`)}]
`;

/** A flag and its values a line, for people who read it. */
function words(args: readonly string[]): string {
  const lines: string[][] = [];
  for (const word of args) {
    if (word.startsWith("--") || lines.length === 0) lines.push([word]);
    else lines.at(-1)!.push(word);
  }
  return `      [${lines.map((line) => line.map(json).join(", ")).join(",\n       ")}]`;
}

function isLayer({ name }: Worker): boolean {
  return name.startsWith("layer");
}

/** As JSON, which YAML reads too. */
function json(text: unknown): string {
  return JSON.stringify(text);
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
