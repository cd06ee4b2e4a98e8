import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Asked } from "../harness/bench.ts";
import type { Table } from "../harness/report.ts";
import { CONFIG, savedModel } from "./saved-model.ts";

const A_SECOND = 200;
const CONNECTIONS = 16;
const RUNNER = "services/start/run.cjs";
const PROGRAM = "services/cli/main.ts";

/** How long requests wait while a run trains beside them. */
export async function measureServing({ isQuick, say }: Asked): Promise<Table> {
  const runs = mkdtempSync(join(tmpdir(), "unlocked-bench-"));
  const started: ChildProcess[] = [];
  // Each in a session of its own, as from another terminal: Linux shares the cores out among sessions.
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [RUNNER, PROGRAM, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    started.push(child);
    return child;
  };
  try {
    await savedModel(runs);
    const server = start("serve", "bench-1", "--runs", runs, "--port", "0");
    const url = /http:\S+/.exec(await said(server, /http:\S+\n/))![0];
    const training = join(runs, "beside");
    const trainer = start("train", CONFIG, "--runs", training, "--set", "run.epochs=50");
    await said(trainer, /batch|layer/);
    await pause(5000);
    const times = await askAt(url, (isQuick ? 5 : 60) * A_SECOND);
    if (trainer.exitCode !== null) throw new Error("Cannot measure: the run beside it has ended");
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
    say(`requests: p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms`);
    return {
      title: `${A_SECOND} requests a second beside a training run`,
      columns: ["requests", "p50 ms", "p90 ms", "p99 ms", "longest ms"],
      rows: [[times.length, at(0.5), at(0.9), at(0.99), times.at(-1)!]],
      bars: [{ of: "p99 of a request beside a training run", measured: at(0.99), unit: "ms", most: 20 }],
    };
  } finally {
    for (const child of started) {
      if (child.exitCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "close");
    }
    rmSync(runs, { recursive: true });
  }
}

/** What it says on standard output, once that fits. */
async function said(child: ChildProcess, expected: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    child.stdout!.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      if (expected.test(text)) resolve(text);
    });
    child.once("close", (code) => reject(new Error(`Cannot measure: a program ended with ${code}: ${text}`)));
  });
}

/** Milliseconds of each request, the shortest first. */
async function askAt(url: string, count: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const data = Array.from({ length: 784 }, (_, at) => at % 256);
  const body = JSON.stringify({ inputs: [{ name: "input", shape: [1, 784], datatype: "UINT8", data }] });
  const began = performance.now();
  const asked: Promise<number>[] = [];
  for (let n = 0; n < count; n++) {
    const due = began + (n * 1000) / A_SECOND;
    const wait = due - performance.now();
    if (wait > 0) await pause(wait);
    asked.push(answered(`${url}/v2/models/bench-1/infer`, body, agent).then(() => performance.now() - due));
  }
  const times = await Promise.all(asked);
  agent.destroy();
  return times.sort((one, other) => one - other);
}

async function answered(url: string, body: string, agent: Agent): Promise<void> {
  const asked = request(url, { method: "POST", agent });
  asked.end(body);
  const [response] = await once(asked, "response");
  response.resume();
  await once(response, "end");
  if (response.statusCode !== 200) throw new Error(`Cannot measure: a request got ${response.statusCode}`);
}
