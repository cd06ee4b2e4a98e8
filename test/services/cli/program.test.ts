import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import { canonicalYaml } from "../../../shared/config/canonical-yaml.ts";
import { readConfig } from "../../../shared/config/read-config.ts";
import { testEdges } from "../../support/edges.ts";
import { TWO_RINGS } from "../../support/processes/train-process.ts";

let runs: string;

beforeEach(() => {
  runs = join(mkdtempSync(join(tmpdir(), "unlocked-program-")), "runs");
});

afterEach(() => rmSync(join(runs, ".."), { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(...args: string[]): Promise<Ran> {
  return runWith("process.exit(78)", ...args);
}

/** `worker`: the code of each worker. */
async function runWith(worker: string, ...args: string[]): Promise<Ran> {
  const said = { out: "", err: "" };
  const code = await runProgram(args, testEdges(said, worker));
  return { code, ...said };
}

/** A run that was stopped, as far as a folder tells. */
function stoppedRun(id: string): string {
  const folder = join(runs, id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.yaml"), readFileSync(TWO_RINGS));
  return folder;
}

describe("what train refuses with code 78, creating nothing", () => {
  it("to resume a run whose text is gone, starting nobody", async () => {
    const text = join(runs, "..", "text.txt");
    writeFileSync(text, "abab".repeat(100));
    const { config } = readConfig(
      `
data: {set: text, path: ${text}, context: 4}
layers: [{kind: embedding, width: 4}, {kind: readout, outputs: 2}]
run: {batches: 4}
`,
      "text.yaml",
      [],
    );
    writeFileSync(join(stoppedRun("text-1"), "config.yaml"), canonicalYaml(config));
    rmSync(text);
    const { code, err } = await run("train", "--resume", "text-1", "--runs", runs);
    expect(code).toBe(78);
    expect(err).toMatch(/^Cannot read .*text\.txt: /);
    expect(readdirSync(join(runs, "text-1"))).toEqual(["config.yaml"]);
  });

  it.each([
    ["no config there", ["no-such.yaml"], /^Cannot use no-such.yaml:\n {2}no such file\n$/],
    ["a value that is none", [TWO_RINGS, "--set", "run.batches=none"], /run\.batches/],
    ["a key that is none", [TWO_RINGS, "--set", "lerning.method=dni"], /did you mean learning\?/],
    ["a seed that is none", [TWO_RINGS, "--seed", "half"], /seed/],
    ["an option that is none", [TWO_RINGS, "--sed", "1"], /unknown option '--sed'/],
    ["two configs", [TWO_RINGS, "another.yaml"], /too many arguments/],
    ["nothing to resume", ["--resume"], /Cannot resume: there is no run in .*runs yet/],
    ["a run that is not there", ["--resume", "two-rings-1"], /Cannot resume two-rings-1: no run there/],
    ["a config mistaken for a run", ["--resume", TWO_RINGS], /no run there/],
    ["--seed beside --resume", ["--resume", "--seed", "1"], /Cannot resume with --set seed=1/],
    [
      "files for TensorBoard without a record",
      [TWO_RINGS, "--tensorboard", "--no-dashboard"],
      /without a dashboard: its hub keeps the record/,
    ],
    ["--from-snapshot without --resume", [TWO_RINGS, "--from-snapshot"], /goes with --resume/],
    [
      "a snapshot of no batch",
      ["--resume", "--from-snapshot", "last"],
      /go back to "last": expected a batch/,
    ],
    ["a config beside --resume", [TWO_RINGS, "--resume"], /Cannot resume with .*two-rings\.yaml/],
  ])("%s", async (_, args, message) => {
    const { code, out, err } = await run("train", "--runs", runs, ...args);
    expect(err).toMatch(message);
    expect(code).toBe(78);
    expect(out).toBe("");
    expect(existsSync(runs)).toBe(false);
  });

  it("lists every mistake at once", async () => {
    const { err } = await run("train", TWO_RINGS, "--set", "layers.2.outputs=3", "--set", "wire.dtype=f7");
    expect(err).toMatch(/layers\.2\.outputs/);
    expect(err).toMatch(/wire\.dtype/);
  });

  it("a place for runs that is a file", async () => {
    writeFileSync(runs, "");
    const { code, err } = await run("train", "--runs", runs, TWO_RINGS);
    expect(err).toMatch(/^Cannot create a run in .*runs: /);
    expect(code).toBe(78);
  });
});

describe("what resume refuses", () => {
  it("a run that has finished", async () => {
    const folder = stoppedRun("two-rings-1");
    writeFileSync(join(folder, "summary.json"), "{}");
    const { code, err } = await run("train", "--runs", runs, "--resume", "two-rings-1");
    expect(err).toMatch(/^Cannot resume two-rings-1: it has finished, see .*summary\.json\n$/);
    expect(code).toBe(78);
  });

  it("a run whose config.yaml somebody broke", async () => {
    writeFileSync(join(stoppedRun("two-rings-1"), "config.yaml"), "layers: 3");
    const { code, err } = await run("train", "--runs", runs, "--resume", "two-rings-1");
    expect(err).toMatch(/^Cannot use .*two-rings-1.config\.yaml:\n/);
    expect(code).toBe(78);
  });

  it("nothing else: the same run without them is begun, and given free again", async () => {
    stoppedRun("two-rings-1");
    const { code, err } = await run("train", "--runs", runs, "--resume", join(runs, "two-rings-1"));
    expect(err).toMatch(/^(source|layer\d) cannot start \(code 78\):/);
    expect(code).toBe(78);
    expect(readdirSync(join(runs, "two-rings-1"))).not.toContainEqual(expect.stringMatching(/lock$/));
  });
});

describe("the rest", () => {
  it("does not call a run a success whose record is not there", async () => {
    const worker = `process.send({ kind: "finished" }, () => process.exit(0))`;
    const { code, err } = await runWith(worker, "train", "--runs", runs, TWO_RINGS);
    expect(err).toMatch(/^the run has finished, but: Cannot read .*summary\.json: ENOENT/);
    expect(code).toBe(1);
  });

  it("shows help where it is asked for", async () => {
    const { code, out } = await run("train", "--help");
    expect(out).toMatch(/--resume \[run\]/);
    expect(code).toBe(0);
  });

  it("prints a compose file for a config of the project", async () => {
    const { code, out } = await run("compose", TWO_RINGS, "--set", "run.batches=100");
    expect(code).toBe(0);
    expect(out).toMatch(/^ {2}layer3:/m);
    expect(out).not.toMatch(/^ {2}layer4:/m);
    expect(out).toContain("run.batches=100");
  });

  it("refuses one for a config that the image would not hold", async () => {
    const folder = stoppedRun("two-rings-1");
    const { code, err } = await run("compose", join(folder, "config.yaml"));
    expect(err).toMatch(/^Cannot make a compose file: /);
    expect(code).toBe(78);
  });
});
