import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runProgram } from "../../../services/cli/program.ts";
import { readConfig } from "../../../shared/config/read-config.ts";
import { testEdges } from "../../support/edges.ts";
import { TWO_RINGS } from "../../support/processes/train-process.ts";

async function print(...args: string[]) {
  const said = { out: "", err: "" };
  const code = await runProgram(["config", ...args], testEdges(said, "process.exit(78)"));
  return { code, ...said };
}

describe("unlocked config", () => {
  it("prints a config with nothing left to default, which means the same", async () => {
    const { code, out } = await print(TWO_RINGS, "--set", "seed=7");
    expect(code).toBe(0);
    expect(parse(out)).toMatchObject({ seed: 7, delivery: { window: 4 } });
    expect(readConfig(out, "x.yaml").config.seed).toBe(7);
  });

  it("prints the text that is hashed and its hash, as sha256sum would find it", async () => {
    const both = await print(TWO_RINGS, "--json", "--hash");
    const [json, hash, rest] = both.out.split("\n");
    expect(JSON.parse(json!)).toMatchObject({ data: { set: "two-rings" }, run: { batches: 1500 } });
    expect(createHash("sha256").update(json!).digest("hex")).toBe(hash);
    expect(rest).toBe("");
    expect((await print(TWO_RINGS, "--hash")).out).toBe(`${hash}\n`);
    expect((await print(TWO_RINGS, "--hash", "--set", "seed=7")).out).not.toBe(`${hash}\n`);
  });

  it("refuses what is no config, an alias of nothing too, with code 78", async () => {
    const { code, out, err } = await print(TWO_RINGS, "--set", "seed=*x");
    expect([code, out]).toEqual([78, ""]);
    expect(err).toContain("--set seed: not YAML: Unresolved alias");
  });
});
