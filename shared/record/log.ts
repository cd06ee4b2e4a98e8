import { type DestinationStream, type Logger, pino } from "pino";

/** Who speaks, on every line. */
interface Speaker {
  /** "source", "layer1", "layer2", … */
  readonly worker: string;
  readonly layer?: number;
  readonly incarnation?: number;
  readonly run: string;
}

interface LogOptions {
  /** One JSON object a line for machines, or short lines for people. */
  readonly format: "json" | "pretty";
  /** Gets one whole line at a time; standard output if not given. */
  readonly destination?: DestinationStream;
  readonly level?: "debug" | "info" | "warn" | "error";
  /** Hears every line as well, as JSON, without its end. */
  readonly hear?: ((line: string) => void) | undefined;
}

/** Characters of lines that could not be written yet. */
const MOST_WAITING = 64 * 1024;

/**
 * A log of events: short lower-case phrases ("lost successor"), with what there is to say about them as fields.
 * Lines are written before the call returns, so that those just before an exit are not lost.
 */
export function createLog(speaker: Speaker, options: LogOptions): Logger {
  const destination = options.destination ?? linesTo(1);
  return pino(
    {
      base: { ...speaker },
      level: options.level ?? "info",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    heardBy(options.hear, options.format === "json" ? destination : prettyTo(destination)),
  );
}

function heardBy(hear: LogOptions["hear"], destination: DestinationStream): DestinationStream {
  if (hear === undefined) return destination;
  return {
    write: (line) => {
      destination.write(line);
      hear(line.trimEnd());
    },
  };
}

/** A full disk behind a log is no reason to stop: the last lines wait for room, later ones are dropped. */
export function linesTo(fileDescriptor: number): DestinationStream {
  const lines = pino.destination({ dest: fileDescriptor, sync: true, maxLength: MOST_WAITING });
  // What was not written is tried again with the next line.
  lines.on("error", () => {});
  return lines;
}

function prettyTo(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(`${formatEvent(JSON.parse(line))}\n`) };
}

// The worker's name says the layer, all lines on one screen are of one run, and what a hub notes beside a line is its own.
const UNSPOKEN = new Set(["level", "time", "worker", "layer", "incarnation", "run", "msg", "err", "said"]);

/** One JSON record as a line, without its end: time of day (UTC), worker, message, fields; below it the stack of an error. */
export function formatEvent(record: Readonly<Record<string, unknown>>): string {
  const words = [
    String(record.time ?? "").slice(11, 23),
    printable(String(record.worker ?? "")),
    ...loudness(record.level),
    printable(String(record.msg ?? "")),
    ...Object.entries(record)
      .filter(([key]) => !UNSPOKEN.has(key))
      .map(([key, value]) => `${printable(key)}=${formatValue(value)}`),
  ];
  return words.filter((word) => word !== "").join(" ") + formatFault(record.err);
}

function loudness(level: unknown): string[] {
  return level === "info" || typeof level !== "string" ? [] : [level.toUpperCase()];
}

function formatValue(value: unknown): string {
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(4)));
  if (typeof value === "string" && /^[\w./:@+-]+$/.test(value)) return value;
  return printable(JSON.stringify(value) ?? "");
}

function formatFault(fault: unknown): string {
  if (typeof fault !== "object" || fault === null) return "";
  const { stack, message } = fault as { readonly stack?: unknown; readonly message?: unknown };
  const lines = String(stack ?? message ?? "").split("\n");
  return lines.map((line) => `\n    ${printable(line.trim())}`).join("");
}

/** What a peer wrote must not move the cursor or begin a line of its own. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
