import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { expect, test } from "vitest";
import { createLog, formatEvent, linesTo } from "../../shared/record/log.ts";

function listen(format: "json" | "pretty") {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ worker: "layer2", layer: 2, incarnation: 3, run: "r1" }, { format, destination });
  return { log, lines };
}

test("JSON says who, when, what and nothing of the machine", () => {
  const { log, lines } = listen("json");
  log.info({ batch: 400 }, "checkpoint");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]*\n$/);
  const { time, ...rest } = JSON.parse(lines[0]!);
  expect(rest).toEqual({
    level: "info",
    worker: "layer2",
    layer: 2,
    incarnation: 3,
    run: "r1",
    batch: 400,
    msg: "checkpoint",
  });
  expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
});

test("pretty is one short line an event", () => {
  const { log, lines } = listen("pretty");
  log.info({ batch: 400 }, "checkpoint");
  log.child({ neighbour: "layer3" }).warn({ awayMs: 12.3456 }, "lost successor");
  log.debug("not at this level");
  expect(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3}/, "<time>"))).toEqual([
    "<time> layer2 checkpoint batch=400\n",
    "<time> layer2 WARN lost successor neighbour=layer3 awayMs=12.35\n",
  ]);
});

test("an event is formatted from its record alone", () => {
  const record = {
    level: "info",
    time: "2026-11-23T10:11:12.345Z",
    worker: "source",
    run: "r1",
    msg: "done",
  };
  expect(formatEvent(record)).toBe("10:11:12.345 source done");
  expect(formatEvent({ ...record, reason: "too wide", at: { row: 1 } })).toBe(
    '10:11:12.345 source done reason="too wide" at={"row":1}',
  );
});

test("an error shows where it came from, below its line", () => {
  const { log, lines } = listen("pretty");
  log.error({ err: new RangeError("arena is full") }, "crashed");
  const [first, second, third] = lines[0]!.split("\n");
  expect(first).toMatch(/ layer2 ERROR crashed$/);
  expect(second).toBe("    RangeError: arena is full");
  expect(third).toMatch(/^ {4}at .*log\.test\.ts/);
});

test("no field can begin a line of its own or speak to the terminal", () => {
  const { log, lines } = listen("pretty");
  log.info(
    { reason: "x\n00:00:00.000 layer9 done", "k\u009b": "\u009b2J\u001b[2J\u2028" },
    "refused\r\u001b[1A",
  );
  expect(lines[0]).toMatch(/^[^\p{Cc}\u2028]*\n$/u);
});

test("nothing is lost, not even by a kill right after the last line", () => {
  const program = `
    import { createLog } from ${JSON.stringify(new URL("../../shared/record/log.ts", import.meta.url).href)};
    const log = createLog({ worker: "source", run: "r1" }, { format: process.argv[1] });
    for (let batch = 0; batch < 3000; batch++) log.info({ batch }, "training");
    process.kill(process.pid, "SIGKILL");`;
  for (const format of ["json", "pretty"]) {
    const args = ["--import", "tsx", "--input-type=module", "--eval", program, format];
    const { stdout: written, signal } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      maxBuffer: 1e8,
    });
    expect(signal).toBe("SIGKILL");
    expect(written.split("\n").length - 1).toBe(3000);
    expect(written).toContain("2999");
  }
});

test("a full disk behind a log stops nobody, however much there is to say", () => {
  const full = openSync("/dev/full", "a");
  const log = createLog({ worker: "layer2", run: "r1" }, { format: "json", destination: linesTo(full) });
  for (let line = 0; line < 2000; line++) log.error({ line }, "checkpoint failed");
  closeSync(full);
});

test("a process whose log's disk is full still ends as it wants to", () => {
  const program = `
    import { createLog } from "./shared/record/log.ts";
    createLog({ worker: "layer2", run: "r1" }, { format: "json" }).info("unheard");
    process.exit(5);
  `;
  const full = openSync("/dev/full", "a");
  const arguments_ = ["--import", "tsx", "--input-type=module", "-e", program];
  const { status } = spawnSync(process.execPath, arguments_, { stdio: ["ignore", full, "inherit"] });
  closeSync(full);
  expect(status).toBe(5);
});
