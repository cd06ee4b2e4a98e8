import { posix } from "node:path";
import type { Config } from "../shared/config/config.ts";

export interface ComposeOptions {
  /** Of the config, from the project's folder: "configs/mnist.yaml". The image holds no other configs. */
  readonly configPath: string;
  /** Overrides that every worker gets, "run.batches=100"; those that made `config` what it is. */
  readonly set?: readonly string[];
  /** What the workers prove themselves by to each other, a file of the host. Without one nobody is asked to. */
  readonly secretFile?: string | undefined;
}

/**
 * docker-compose.yml for a network: its source, each of its layers and the hub a container of one image; and Prometheus and
 * Grafana in a profile. Says only what compose 1.29 and compose 2 both understand. Throws an Error when the image would not hold the config.
 */
export function composeFile(config: Config, options: ComposeOptions): string {
  const path = insideImage(options.configPath);
  const told = [...(options.set ?? []), ...dataPlace(config).set];
  const layers = config.layers.map((_, index) => index + 1);
  return [
    heading(path, options),
    `${WORKER}${environment(options.secretFile)}`,
    "services:",
    sourceService(config, path, told),
    ...layers.map((layer) => layerService(config, path, told, layer)),
    hubService(config, path, told),
    OBSERVE,
    NETWORKS,
    `volumes:\n  record: {}\n  metrics: {}\n${layers.map((layer) => `  layer${layer}: {}\n`).join("")}`,
    ...(options.secretFile === undefined ? [] : [secret(options.secretFile)]),
  ].join("\n");
}

const PORT = 7400;
const BIND = `\${UNLOCKED_BIND:-127.0.0.1}`;
const PUBLISHED = `\${UNLOCKED_PORT:-${PORT}}`;

// bash is in every Debian image and asks in a tenth of the time that a second node takes to start: six of those every
// 10 seconds took a twelfth of two cores, and on a slow machine none was in time.
const HEALTH_CHECK = [
  `exec 3<>/dev/tcp/127.0.0.1/${PORT}`,
  // The hub refuses who does not name it.
  String.raw`printf "GET /healthz HTTP/1.0\r\nHost: 127.0.0.1:${PORT}\r\n\r\n" >&3`,
  "read -r _ status _ <&3",
  // Compose takes one of two dollars away.
  '[ "$$status" = 200 ]',
].join(" && ");

const WORKER = `x-worker: &worker
  image: \${UNLOCKED_IMAGE:-unlocked}
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
    test: ["CMD", "bash", "-c", ${singleQuoted(HEALTH_CHECK)}]
    interval: 10s
    timeout: 5s
    retries: 3
    start_period: 30s
  logging:
    driver: json-file
    options: { max-size: "10m", max-file: "3" }
`;

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

function environment(secretFile: string | undefined): string {
  const secrets =
    secretFile === undefined
      ? ""
      : "  # What workers prove themselves by to each other.\n  secrets: [unlocked]\n";
  const variables = {
    UNLOCKED_CONTROL: `\${UNLOCKED_CONTROL:-}`,
    ...(secretFile === undefined ? {} : { UNLOCKED_SECRET_FILE: "/run/secrets/unlocked" }),
  };
  const pairs = Object.entries(variables).map(([name, value]) => `${name}: ${json(value)}`);
  return `${secrets}  environment: { ${pairs.join(", ")} }\n`;
}

function secret(file: string): string {
  return `secrets:\n  unlocked:\n    file: ${quoted(posix.isAbsolute(file) ? file : `./${posix.normalize(file)}`)}\n`;
}

function heading(path: string, { set = [], secretFile }: ComposeOptions): string {
  const overrides = set.map((override) => ` --set ${shellQuoted(override)}`).join("");
  const file = secretFile === undefined ? "" : ` --secret-file ${shellQuoted(secretFile)}`;
  const lines = [
    `The network of ${path}, a container for each worker: docker compose up --build (see docs/docker.md).`,
    "Made from the config, and made again by",
    `  npm run --silent unlocked -- compose ${shellQuoted(path)}${overrides}${file} > docker-compose.yml`,
  ];
  // An override may have lines of its own.
  return `${lines.join("\n").replace(/^/gm, "# ")}\n`;
}

function sourceService(config: Config, path: string, set: readonly string[]): string {
  const flags = ["--record", "/record", "--state", "/record/state", "--successor", `ws://layer1:${PORT}`];
  return `  source:
    <<: *worker
    # The one image of all. Were every service to build it, compose 2 would do so at once and stumble over its tag.
    build:
      context: .
      args: { NODE_VERSION: "\${NODE_VERSION:-20}" }
    command:
${command("services/source/main.ts", flags, config, path, set)}
    mem_limit: ${SOURCE_MIB}m
    volumes: ${volumes(["record:/record", ...dataPlace(config).volumes])}
`;
}

function layerService(config: Config, path: string, set: readonly string[], layer: number): string {
  const isHead = layer === config.layers.length;
  const successor = isHead ? [] : ["--successor", `ws://layer${layer + 1}:${PORT}`];
  const flags = ["--layer", String(layer), "--state", "/state", ...successor];
  return `  layer${layer}:
    <<: *worker
    command:
${command("services/layer/main.ts", flags, config, path, set)}
    mem_limit: ${layerMiB(config, layer)}m
    volumes: ${volumes([`layer${layer}:/state`, ...dataPlace(config).volumes])}
`;
}

/** Watches the run, keeps its record beside the source's, and shows both, also after the end. */
function hubService(config: Config, path: string, set: readonly string[]): string {
  const flags = ["--record", "/record", "--host-name", "hub"];
  const names = ["--host-name", `\${UNLOCKED_HOST_NAME:-hub}`];
  const address = ["--address", `http://${BIND}:${PUBLISHED}`];
  return `  hub:
    <<: *worker
    command:
${command("services/hub/main.ts", flags, config, path, set, [...names, ...address])}
    mem_limit: ${HUB_MIB}m
    networks: [mesh, outside]
    ports: [${json(`${BIND}:${PUBLISHED}:${PORT}`)}]
    volumes: ${volumes(["record:/record", ...dataPlace(config).volumes])}
`;
}

function command(
  program: string,
  flags: readonly string[],
  config: Config,
  path: string,
  set: readonly string[],
  variable: readonly string[] = ["--hub", `ws://hub:${PORT}`],
): string {
  const own = [program, ...flags].map(quoted);
  const common = [
    ...variable.map(json),
    ...["--config", path].map(quoted),
    ...["--run", `\${UNLOCKED_RUN:-${config.name}}`].map(json),
    ...["--listen", `0.0.0.0:${PORT}`].map(quoted),
    ...["--log-format", `\${UNLOCKED_LOG:-pretty}`].map(json),
    ...set.flatMap((override) => ["--set", override]).map(quoted),
  ];
  return `      [${own.join(", ")},\n       ${common.join(", ")}]`;
}

// 60,000 images of MNIST are 47 MB, and an epoch's order comes on top.
const SOURCE_MIB = 512;

const HUB_MIB = 256;

/** Generous: a worker at its limit is killed, and restarted only to grow again. */
function layerMiB(config: Config, layer: number): number {
  const { inputs, outputs } = config.layers[layer - 1]!;
  const evidence = outputs + config.layers.at(-1)!.outputs + config.layers[0]!.inputs;
  const weights = outputs * (inputs + evidence);
  // Value, gradient, two moments, and two copies on their way to a checkpoint.
  const state = weights * 6;
  const inFlight = config.run.batchSize * (inputs + evidence) * (2 * config.delivery.window + 8);
  const bytes = 4 * (state + inFlight);
  return Math.ceil((256 + bytes / 2 ** 20) / 64) * 64;
}

/** A folder of data that is not in the image is lent to it; every worker is told the same, or their configs would differ. */
function dataPlace({ data }: Config): { readonly set: string[]; readonly volumes: string[] } {
  if (!("path" in data) || data.path === undefined) return { set: [], volumes: [] };
  // Without a leading "./" compose would take it for the name of a volume.
  const folder = posix.isAbsolute(data.path) ? data.path : `./${posix.normalize(data.path)}`;
  return { set: ["data.path=/data"], volumes: [`${folder}:/data:ro`] };
}

function insideImage(configPath: string): string {
  const path = posix.normalize(configPath);
  if (path.startsWith("configs/")) return path;
  throw new Error(`Cannot make a compose file: the image holds what is in configs/, not ${configPath}`);
}

function volumes(mounts: readonly string[]): string {
  return `[${mounts.map(quoted).join(", ")}]`;
}

/** As JSON, which YAML reads too. */
function json(text: string): string {
  return JSON.stringify(text);
}

/** The text as it is: compose would replace what follows a dollar. */
function quoted(text: string): string {
  return json(text.replaceAll("$", "$$$$"));
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function shellQuoted(text: string): string {
  return /^[\w.,:=@%/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
