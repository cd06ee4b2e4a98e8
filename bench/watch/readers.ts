/**
 * `readers.ts PORT COUNT`: so many browsers as the hub knows them: each reads the stream and asks for what the page asks for,
 * as often, and parses it; nothing is drawn. Tells its parent when all of them have everything.
 */
import { Agent, get, type IncomingMessage } from "node:http";

/** As services/page/logs.tsx and watcher.ts do. */
const LOG_MS = 1_500;
const RUNS_MS = 10_000;

const [port, count] = process.argv.slice(2).map(Number);
const all: Promise<unknown>[] = [];
for (let n = 0; n < count!; n++) {
  all.push(read(new Agent({ keepAlive: true, maxSockets: 6 })));
  // People do not open a page in the same instant.
  await new Promise((resolve) => setTimeout(resolve, LOG_MS / count!));
}
await Promise.all(all);
process.send!("reading");

/** Resolves when it has what a page shows first. */
function read(agent: Agent): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const hello = async () => {
      const paths = ["", "/latest", "/latest/metrics", "/latest/events"];
      resolve(await Promise.all(paths.map((path) => ask(agent, `/api/runs${path}`))));
    };
    request(agent, "/api/stream", (response) => {
      let text = "";
      response.on("error", reject);
      response.on("data", (chunk: string) => {
        text += chunk;
        const whole = text.split("\n\n");
        text = whole.pop()!;
        for (const each of whole) if (isHello(each)) hello().catch(reject);
      });
    });
    setInterval(() => ask(agent, "/api/runs/latest/logs/source?tail=500&level=info").catch(reject), LOG_MS);
    setInterval(() => ask(agent, "/api/runs").catch(reject), RUNS_MS);
  });
}

function isHello(event: string): boolean {
  const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
  JSON.parse(data!);
  return name === "hello";
}

function ask(agent: Agent, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request(agent, path, (response) => {
      let text = "";
      response.on("error", reject);
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(JSON.parse(text)));
    });
  });
}

function request(agent: Agent, path: string, heard: (response: IncomingMessage) => void): void {
  const asked = get({ host: "127.0.0.1", port, path, agent }, (response) => {
    response.setEncoding("utf8");
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
    heard(response);
  });
  asked.on("error", (error) => {
    // The hub had closed an idle connection: any browser asks again on another.
    if (!asked.reusedSocket) throw error;
    request(agent, path, heard);
  });
}
