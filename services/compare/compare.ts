import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import type { Config } from "../../shared/config/config.ts";
import { dataFacts } from "../../shared/config/data-facts.ts";
import { prepareConfig } from "../../shared/config/read-config.ts";
import { openDataSet } from "../../shared/data/kinds.ts";
import { textUnit } from "../../shared/record/text-loss.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import {
  type Comparison,
  placeSection,
  renderMarkdown,
  renderPlain,
  renderSvg,
  rightOf,
} from "./compare-report.ts";
import { trainInProcess } from "./train-in-process.ts";
import { trainServices } from "./train-services.ts";
import type { System, Trial } from "./trial.ts";

export interface CompareRequest {
  readonly files: readonly string[];
  readonly seeds: number;
  readonly overrides: readonly string[];
  /** Every layer its own process. */
  readonly services: boolean;
  /** Guesses are also held against the gradient of the whole network. */
  readonly trueGradient: boolean;
  readonly bar: number;
  /** A Markdown page that gets a section; JSON and SVG are written to a folder beside it. */
  readonly report: string | undefined;
  /** Of the section. Default the folder of the configs, or the config where there is one. */
  readonly name: string | undefined;
  readonly runs: string;
}

interface Entrant {
  readonly file: string;
  readonly config: Config;
}

/** Trains every config with every seed, one after another, and says how they did; the exit code. Throws a Refusal or ConfigError before it begins. */
export async function compare(request: CompareRequest, edges: Edges): Promise<number> {
  const entrants: Entrant[] = [];
  for (const file of request.files) entrants.push(await entrantOf(file, request, edges));
  const [first] = entrants as [Entrant];
  requireSameData(entrants);
  if (request.report !== undefined) requireFolder(request.report);
  const systems: System[] = [];
  for (const entrant of entrants) systems.push(await systemOf(entrant, request, edges));
  const facts = dataFacts(first.config.data);
  const text = textUnit(first.config);
  const comparison: Comparison = {
    name: request.name ?? nameOf(request.files, first),
    command: commandOf(request),
    date: edges.date().toISOString(),
    versions: versionsOf(systems, edges),
    data: first.config.data.set,
    judged: facts.judged,
    ...(facts.sequence && { isSequence: true }),
    ...(text && { text }),
    bar: request.bar,
    manner: request.services ? "services" : "in process",
    systems,
  };
  edges.out.write(`${renderPlain(comparison)}\n`);
  if (request.report !== undefined) writeReport(request.report, comparison, edges);
  return 0;
}

async function entrantOf(file: string, { overrides }: CompareRequest, edges: Edges): Promise<Entrant> {
  const { config, warnings } = await prepareConfig(file, overrides);
  for (const warning of warnings) edges.err.write(`${warning}\n`);
  return { file, config };
}

/** Systems are compared by one thing at a time, and never by what they learn from. */
function requireSameData(entrants: readonly Entrant[]): void {
  const [first, ...others] = entrants as [Entrant, ...Entrant[]];
  const other = others.find(
    ({ config }) => JSON.stringify(config.data) !== JSON.stringify(first.config.data),
  );
  if (!other) return;
  const [one, two] = [first, other].map(
    ({ file, config }) => `${file} learns from ${JSON.stringify(config.data)}`,
  );
  throw new Refusal(`Cannot compare: ${one}, ${two}`);
}

/** Before hours of training, not after. */
function requireFolder(report: string): void {
  try {
    mkdirSync(besides(report), { recursive: true });
  } catch (error) {
    throw new Refusal(`Cannot write ${report}: ${(error as Error).message}`, { cause: error });
  }
}

async function systemOf({ file, config }: Entrant, request: CompareRequest, edges: Edges): Promise<System> {
  const trials: Trial[] = [];
  for (let seed = 1; seed <= request.seeds; seed++) {
    const trial = await trialOf(file, { ...config, seed }, request, edges);
    const right = rightOf(trial.curve.at(-1)!);
    edges.err.write(
      `${config.name}, seed ${seed}: ${(100 * right).toFixed(2)} % in ${trial.wallSeconds.toFixed(1)} s\n`,
    );
    trials.push(trial);
  }
  return { name: config.name, batches: config.run.batches, trials };
}

async function trialOf(file: string, config: Config, request: CompareRequest, edges: Edges): Promise<Trial> {
  if (request.services) {
    const overrides = [...request.overrides, `seed=${config.seed}`];
    return trainServices({ file, overrides, runs: request.runs }, edges);
  }
  const kernels = () => edges.kernels(config.compute.kernels);
  const { trueGradient } = request;
  return trainInProcess(config, { data: await dataOf(config), kernels, now: edges.now, trueGradient });
}

async function dataOf({ data, loss }: Config) {
  try {
    return await openDataSet(data, loss);
  } catch (error) {
    throw new Refusal((error as Error).message, { cause: error });
  }
}

function nameOf(files: readonly string[], { config }: Entrant): string {
  const folders = [...new Set(files.map((file) => basename(dirname(file))))];
  return files.length === 1 || folders.length > 1 ? config.name : folders[0]!;
}

/** What to type to get it again; a whole folder by its pattern. */
function commandOf({ files, seeds, overrides, services, trueGradient, bar }: CompareRequest): string {
  const options = [
    ...overrides.flatMap((each) => ["--set", /^[\w.=,-]+$/.test(each) ? each : `'${each}'`]),
    ...["--seeds", String(seeds)],
    ...(bar === DEFAULT_BAR ? [] : ["--bar", String(bar)]),
    ...(services ? ["--services"] : []),
    ...(trueGradient ? ["--true-gradient"] : []),
  ];
  return ["npm run unlocked -- compare", ...patternsOf(files), ...options].join(" ");
}

export const DEFAULT_BAR = 0.95;

function patternsOf(files: readonly string[]): string[] {
  const folders = [...new Set(files.map((file) => dirname(file)))];
  return folders.flatMap((folder) => {
    const named = files.filter((file) => dirname(file) === folder);
    const all = readdirSync(folder).filter((file) => extname(file) === ".yaml");
    return named.length > 1 && named.length === all.length ? [join(folder, "*.yaml")] : named;
  });
}

function versionsOf(systems: readonly System[], { nodeVersion }: Edges): string[] {
  const kernels = new Set(systems.flatMap(({ trials }) => trials.map((trial) => trial.kernels)));
  return [`node ${nodeVersion}`, `kernels ${[...kernels].join(" or ")}`];
}

/** docs/results.md → docs/results */
function besides(report: string): string {
  return join(dirname(report), basename(report, extname(report)));
}

function writeReport(report: string, comparison: Comparison, edges: Edges): void {
  const folder = besides(report);
  const svg = join(folder, `${comparison.name}.svg`);
  writeFileSync(svg, renderSvg(comparison));
  writeFileSync(join(folder, `${comparison.name}.json`), `${JSON.stringify(comparison, null, 1)}\n`);
  const section = renderMarkdown(comparison, relative(dirname(report), svg));
  writeFileSync(report, placeSection(readIfThere(report), comparison.name, section));
  edges.err.write(`report: ${report}, ${folder}\n`);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
