import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { loadConfig } from "../../shared/config/read-config.ts";
import { ExitCode } from "../../shared/telemetry/telemetry.ts";
import { conform } from "../conform/conform.ts";
import { type Subject, subjectOf } from "../conform/subject.ts";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";
import { portNumber } from "./port-number.ts";

interface ConformOptions {
  readonly config: string;
  readonly set: readonly string[];
  readonly layer: string;
  readonly run: string;
  readonly secretFile?: string;
  readonly successorHost: string;
  readonly successorPort: number;
  readonly wait: string;
  readonly only?: string;
}

const BROKEN = 1;

/** `unlocked conform <url>`: the exit code says whether all held. */
export function addConform(program: Command, { out }: Edges, done: (code: number) => void): void {
  program
    .command("conform")
    .description("play the neighbours of a layer's process, and check that it keeps to PROTOCOL.md")
    .argument("<url>", "where the layer listens: ws://host:port")
    .requiredOption("--layer <n>", "which layer it is")
    .option("--config <file>", "the config it was started with", "configs/conform.yaml")
    .option("--set <path=value>", "change one value of the config; may be given many times", collect, [])
    .option("--run <name>", "the run it was started for", "conform")
    .option("--secret-file <file>", "the secret it was started with, if any")
    .option("--successor-host <host>", "the address on which it is to find its successor", "127.0.0.1")
    .option("--successor-port <port>", "and the port", portNumber, 7499)
    .option("--wait <seconds>", "how long it may take to come", "60")
    .option("--only <text>", "try only what has this text in it")
    .action(async (url: string, options: ConformOptions) => {
      const subject = readSubject(options);
      const { successorHost: host, successorPort: port, wait, only = "" } = options;
      const outcomes = await conform({
        ...{ url, subject, waitMs: 1000 * Number(wait) },
        successor: subject.isHead ? undefined : { host, port },
        only: ({ section, claim }) => `${section}: ${claim}`.includes(only),
        say: (line) => out.write(`${line}\n`),
        listening: (taken) => out.write(`waiting for layer ${subject.layer} at ${host}:${taken}\n`),
      }).catch((error: Error) => {
        throw new Refusal(error.message, { cause: error });
      });
      done(outcomes.every(({ broken }) => broken === undefined) ? ExitCode.done : BROKEN);
    });
}

/** Throws a Refusal or a ConfigError. */
function readSubject({ config, set, layer, run, secretFile }: ConformOptions): Subject {
  const read = loadConfig(config, set);
  try {
    const secret = secretFile === undefined ? undefined : trimmed(readFileSync(secretFile));
    return subjectOf(read.config, { layer: Number(layer), run, secret });
  } catch (error) {
    throw new Refusal((error as Error).message, { cause: error });
  }
}

/** Without blanks and newlines around it, as PROTOCOL.md has it. */
function trimmed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString("latin1").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""), "latin1");
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
