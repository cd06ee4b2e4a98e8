import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createRun,
  isLatest,
  makeSecret,
  openRun,
  pointLatest,
  runId,
} from "../../../services/train/run-folder.ts";
import { loadConfig } from "../../../shared/config/read-config.ts";
import { TWO_RINGS } from "../../support/processes/train-process.ts";

const { config } = loadConfig(TWO_RINGS, ["seed=41"]);
const NOON = new Date(2026, 2, 1, 12, 4, 5);

let runs: string;

beforeEach(() => {
  runs = realpathSync(mkdtempSync(join(tmpdir(), "unlocked-runs-")));
});

afterEach(() => rmSync(runs, { recursive: true, force: true }));

describe("a new run", () => {
  it("is named for its experiment and its hour", () => {
    expect(runId("mnist", NOON)).toBe("mnist-20260301-120405");
  });

  it("gets another name when the first is taken, and touches nothing there", () => {
    const first = createRun(runs, config, NOON);
    writeFileSync(join(first.path, "summary.json"), "{}");
    expect(createRun(runs, config, NOON).id).toBe("two-rings-20260301-120405-2");
    expect(createRun(runs, config, NOON).id).toBe("two-rings-20260301-120405-3");
    expect(readFileSync(join(first.path, "summary.json"), "utf8")).toBe("{}");
  });

  it("holds its config as it will be read again", () => {
    const { id, path } = createRun(runs, config, NOON);
    expect(loadConfig(join(path, "config.yaml")).config).toEqual(config);
    expect(openRun(runs, id)).toEqual({ id, path, config });
  });
});

describe("a run's secret", () => {
  it("is new each time, for its user's eyes alone, and gone when it was removed", () => {
    const run = createRun(runs, config, NOON);
    const file = join(run.path, "secret");
    // Left by a run that was killed, and opened to others since.
    writeFileSync(file, "old", { mode: 0o666 });
    const secrets = [0, 1].map(() => {
      const remove = makeSecret(run);
      expect(lstatSync(file).mode & 0o777).toBe(0o600);
      const secret = readFileSync(file, "utf8");
      remove();
      expect(readdirSync(run.path)).not.toContain("secret");
      return secret;
    });
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}\n$/);
    expect(secrets[0]).not.toBe(secrets[1]);
  });
});

describe("a run that cannot be created", () => {
  it("leaves nothing, though part of its folder could be made", () => {
    // A path may have 4,095 bytes: too few here for the longest of the folders, enough for the others.
    const room = 4095 - "/two-rings-20260301-120405/checkpoints/source".length + 1;
    const part = `/${"x".repeat(200)}`;
    const long = runs + part.repeat(Math.floor((room - runs.length) / part.length));
    const deep = `${long}/${"y".repeat(room - long.length - 1)}`;
    expect(() => createRun(deep, { ...config, name: "two-rings" }, NOON)).toThrow(
      /^Cannot create a run in .*ENAMETOOLONG/s,
    );
    expect(readdirSync(deep)).toEqual([]);
  });
});

describe("runs/latest", () => {
  it("moves on to the newest, and leaves nothing else behind", () => {
    const [first, second] = [createRun(runs, config, NOON), createRun(runs, config, NOON)];
    pointLatest(runs, first.id);
    pointLatest(runs, second.id);
    expect(readlinkSync(join(runs, "latest"))).toBe(second.id);
    expect([isLatest(runs, first.id), isLatest(runs, second.id)]).toEqual([false, true]);
    expect(readdirSync(runs).sort()).toEqual(["latest", first.id, second.id].sort());
  });

  it("is what is resumed when no run is named", () => {
    const [first] = [createRun(runs, config, NOON), createRun(runs, config, NOON)];
    pointLatest(runs, first.id);
    expect(openRun(runs, undefined)).toMatchObject({ id: first.id, path: first.path });
  });

  it("is not put over a folder of that name, which somebody may need", () => {
    mkdirSync(join(runs, "latest"));
    expect(() => pointLatest(runs, "x")).toThrow(/^Cannot point .*latest at x: /);
    expect(lstatSync(join(runs, "latest")).isDirectory()).toBe(true);
    expect(readdirSync(runs)).toEqual(["latest"]);
  });
});

describe("a run to go on with", () => {
  it("may be named by its folder, or by what leads there", () => {
    const { id, path } = createRun(runs, config, NOON);
    pointLatest(runs, id);
    expect(openRun("elsewhere", path)).toMatchObject({ id, path });
    expect(openRun("elsewhere", `${path}/`)).toMatchObject({ id, path });
    expect(openRun("elsewhere", join(runs, "latest"))).toMatchObject({ id, path });
  });
});
