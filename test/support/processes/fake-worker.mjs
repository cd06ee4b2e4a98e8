// A worker that trains nothing, and keeps what the command line is promised: telemetry, stop, exit codes, the end
// with its parent. usage: fake-worker.mjs <name> <behaviour> [flags of a worker]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [name, behaviour, ...flags] = process.argv.slice(2);
const flag = (wanted) => flags[flags.indexOf(wanted) + 1];
const folder = dirname(flag("--config"));
const summary = join(folder, "summary.json");
const BATCHES = 40;
const EVERY_MS = 10;

const lifeFile = join(flag("--state"), "lives");
const life = (existsSync(lifeFile) ? Number(readFileSync(lifeFile, "utf8")) : 0) + 1;
writeFileSync(lifeFile, String(life));

function log(level, msg) {
  process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), worker: name, msg })}\n`);
}

function tell(state, batch) {
  if (!process.connected) return;
  process.send({
    kind: "progress",
    worker: name,
    incarnation: life,
    state,
    batch,
    batches: BATCHES,
    perSecond: 100,
  });
}

function leave(code) {
  log("info", `leaves with ${code}`);
  process.disconnect();
  process.exit(code);
}

function finish() {
  const test = { loss: 0.25, error: 0.125 };
  process.send({ kind: "evaluated", batch: BATCHES, test });
  const startedAt = new Date().toISOString();
  const [layers, versions] = [[], { node: process.version }];
  const said = { run: flag("--run"), startedAt, wallSeconds: 2, batches: BATCHES, test, layers, versions };
  writeFileSync(summary, JSON.stringify(said));
  process.send({ kind: "finished" }, () => leave(0));
}

process.on("SIGINT", () => undefined);
process.on("disconnect", () => {
  if (behaviour !== "never lets go") process.exit(0);
});
process.on("message", ({ kind }) => {
  if (kind !== "stop" || behaviour === "ignores stop" || behaviour === "never lets go") return;
  if (behaviour !== "leaves when let") leave(0);
  setInterval(() => existsSync(join(folder, "let-leave")) && leave(0), EVERY_MS);
});

// Should the test that asks for it fail, it still goes.
setTimeout(() => process.exit(1), 60_000).unref();

log("info", `life ${life} begins`);
if (behaviour === "cannot start" || (behaviour === "cannot start again soon" && (life === 2 || life === 3))) {
  log("error", `Cannot listen on ${flag("--listen")}: taken`);
  process.exit(78);
}
if (behaviour === "always crashes" || (behaviour === "crashes once" && life === 1)) {
  throw new Error(`crash of life ${life}`);
}
if (behaviour === "leaves once" && life === 1) process.exit(0);

let batch = -1;
setInterval(() => {
  if (batch === 3) log("info", "well under way");
  if (batch < BATCHES - 1) tell("training", ++batch);
  else if (name === "source" && behaviour !== "never finishes") finish();
  else if (existsSync(summary)) leave(0);
}, EVERY_MS);
