import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { Experiment } from "../support/processes/experiment.ts";
import { filesUnder } from "../support/secrets/leaks.ts";

const clearing: (() => unknown)[] = [];
afterEach(async () => {
  for (const clear of clearing.splice(0)) await clear();
});

it("a run's secret is in no log, file, argument, environment or output of the run, killed workers included", async () => {
  const set = ["run.batches=3000", "run.evaluateEvery=1000"];
  const run = new Experiment("configs/two-rings.yaml", { set });
  clearing.push(() => run.close());
  await run.until("layer3", ({ msg }) => msg === "training");
  const path = join(run.folder, "secret");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const secret = readFileSync(path, "utf8").trim();
  const forms = [secret, Buffer.from(secret).toString("hex"), Buffer.from(secret).toString("base64")];
  const holds = (text: string) => forms.some((form) => text.includes(form));
  // The control: this search would find it.
  expect(filesUnder(run.folder).filter((file) => holds(readFileSync(file, "latin1")))).toEqual([path]);

  const pids = ["source", "layer1", "layer2", "layer3"].map((worker) => run.pid(worker));
  for (const pid of pids) {
    const [line, environment] = ["cmdline", "environ"].map((file) =>
      readFileSync(`/proc/${pid}/${file}`, "latin1"),
    );
    expect(line).toContain("--secret-file");
    expect([holds(line!), holds(environment!)]).toEqual([false, false]);
  }
  execFileSync("kill", ["-9", String(pids[2])]);
  await run.summary();

  expect(holds((await run.ended).output)).toBe(false);
  const files = filesUnder(run.folder);
  expect(files.some((file) => file.endsWith(".safetensors"))).toBe(true);
  expect(files.filter((file) => holds(readFileSync(file, "latin1")))).toEqual([]);
  expect(files).not.toContain(path);
});
