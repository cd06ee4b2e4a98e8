import { readFileSync } from "node:fs";
import type * as z from "zod";
import { completeConfig, type SoundParts } from "./complete-config.ts";
import type { Config } from "./config.ts";
import { type ConfigPath, type Mistake, mistake } from "./mistake.ts";
import { nearest } from "./nearest.ts";
import { type OwnModules, readModules } from "./own-modules.ts";
import { configShape } from "./schema.ts";
import { lookedUp } from "./sections/data.ts";
import { type ConfigSource, readSource } from "./source.ts";

/** A config that can be used, and what is doubtful in it: "configs/x.yaml:12:5: …". */
interface ReadConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
}

/** Every mistake in a config, each with its place; the message lists them all. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly mistakes: readonly string[];

  constructor(file: string, mistakes: readonly string[]) {
    super(`Cannot use ${file}:\n${mistakes.map((each) => `  ${each}`).join("\n")}`);
    this.mistakes = mistakes;
  }
}

/**
 * Reads a config from disk. Throws a ConfigError, also when there is no such file. Where a run begins, `prepareConfig`
 * stands instead.
 */
export function loadConfig(file: string, overrides: readonly string[] = []): ReadConfig {
  return readConfig(readText(file), file, overrides);
}

/**
 * The same, once what the config leaves open of its data was looked up in their files (see DataSetKind.look). The Config
 * that comes of it has it all: who reads that one, in a run's folder, needs no files.
 */
export async function prepareConfig(file: string, overrides: readonly string[] = []): Promise<ReadConfig> {
  const { source, own } = openConfig(readText(file), file, overrides);
  try {
    return complete(source, await lookedUp(source.value, own.data), own, file);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const says = `Cannot look at the data: ${(cause as Error).message}`;
    throw new ConfigError(file, placed([{ path: ["data"], says }], source));
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new ConfigError(file, [code === "ENOENT" ? "no such file" : String(code ?? cause)]);
  }
}

/**
 * A complete Config from the YAML `text` of `file`. Overrides are "learning.layer.rate=0.01" or
 * "layers.0.outputs=128", the value in YAML; a later one wins. Throws one ConfigError that lists every mistake.
 */
export function readConfig(text: string, file: string, overrides: readonly string[] = []): ReadConfig {
  const { source, own } = openConfig(text, file, overrides);
  return complete(source, source.value, own, file);
}

function openConfig(text: string, file: string, overrides: readonly string[]) {
  const source = readSource(text, file, overrides);
  if (source.value === undefined) throw new ConfigError(file, source.mistakes);
  return { source, own: readModules(source.value, file) };
}

/** `value`: what the source says, or more. */
function complete(source: ConfigSource, value: unknown, own: OwnModules, file: string): ReadConfig {
  const { parts, mistakes } = readSections(value, own);
  // A module that cannot be used is told of once, not also as a kind that is unknown.
  const others = mistakes.filter(({ path }) => !own.failed.has(valueAt(value, path)));
  const completed = completeConfig(parts, own, file);
  const all = [...placed([...own.mistakes, ...others, ...completed.mistakes], source), ...source.mistakes];
  if (completed.config === undefined || all.length > 0) throw new ConfigError(file, all);
  return { config: completed.config, warnings: placed(completed.warnings, source) };
}

// Section by section, so that a slip in one does not hide what is wrong between the others.
function readSections(value: unknown, own: OwnModules): { parts: SoundParts; mistakes: Mistake[] } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { parts: {}, mistakes: [mistake([], value, "expected a map")] };
  }
  const mistakes: Mistake[] = [];
  const shape = configShape(own);
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(shape, key)) mistakes.push(unknownKey([key], Object.keys(shape)));
  }
  const sections = Object.entries(shape).map(([key, schema]) => {
    const written = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    const result = schema.safeParse(written);
    if (!result.success) mistakes.push(...issuesToMistakes(result.error.issues, [key], { [key]: written }));
    return [key, result.data];
  });
  return { parts: Object.fromEntries(sections), mistakes };
}

type Issue = z.core.$ZodIssue;

/** `prefix`: where the value that was parsed stands in `root`. */
function issuesToMistakes(issues: readonly Issue[], prefix: ConfigPath, root: unknown): Mistake[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...(issue.path as ConfigPath)];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => unknownKey([...path, key], issue.message.split(" ")));
    }
    const meant = issue.code === "invalid_union" ? meantOption(issue.errors) : undefined;
    return meant ? issuesToMistakes(meant, path, root) : [mistake(path, valueAt(root, path), issue.message)];
  });
}

/** Of a union's options the one whose outside fits, so that only something within it is wrong. */
function meantOption(options: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return options.find((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code === "unrecognized_keys"),
  );
}

function unknownKey(path: ConfigPath, known: readonly string[]): Mistake {
  const guess = nearest(String(path.at(-1)), known);
  const hint = guess === undefined ? `known here: ${known.join(", ")}` : `did you mean ${guess}?`;
  return { path, says: `${path.join(".")} is unknown: ${hint}` };
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<string | number, unknown> | undefined)?.[key],
    root,
  );
}

function placed(mistakes: readonly Mistake[], source: ConfigSource): string[] {
  return mistakes
    .map(({ path, says }) => ({ place: source.placeOf(path), says }))
    .sort((one, other) => one.place.order - other.place.order)
    .map(({ place, says }) => `${place.text}: ${says}`);
}
