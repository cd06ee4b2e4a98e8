import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runProgram } from "../../../services/cli/program.ts";
import { put } from "../../support/data-files.ts";
import { testEdges } from "../../support/edges.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

export type Case = readonly [what: string, data: string, files: Files, message: string | RegExp];

/** `sound`: data and files of which nothing is wrong, the control. */
export function refused(
  what: string,
  cases: readonly Case[],
  sound: readonly [data: string, files: Files],
): void {
  describe(`training on ${what} is refused with its place, and writes nothing,`, () => {
    it.each(cases)("for %s", async (_, data, files, message) => {
      const { code, err, written } = await train(data, files);
      if (typeof message === "string") expect(err).toContain(message);
      else expect(err).toMatch(message);
      expect([code, written]).toEqual([78, []]);
    });
  });

  it(`training on ${what} begins where nothing is wrong with it`, async () => {
    const { err, written } = await train(...sound);
    expect(err).not.toContain("Cannot use my.yaml");
    expect(written).toContain("runs");
  });
}

const root = mkdtempSync(join(tmpdir(), "bad-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let cases = 0;

/** Trains on data in a folder of its own, which is `HERE` in the config; what was said, and what was written. */
async function train(data: string, files: Files) {
  const folder = join(root, String(cases++));
  mkdirSync(folder);
  for (const name of Object.keys(files)) put(join(folder, name), files[name]!);
  const config = put(
    join(folder, "my.yaml"),
    `data: ${data.replaceAll("HERE", folder)}\nlayers: [{ outputs: 8 }, { outputs: 2 }]\nrun: { batches: 3, batchSize: 4 }\n`,
  );
  const list = () => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const before = list();
  const said = { out: "", err: "" };
  const argv = ["train", config, "--runs", join(folder, "runs"), "--no-dashboard"];
  const code = await runProgram(argv, testEdges(said, "process.exit(78)"));
  return {
    code,
    err: said.err.replaceAll(`${folder}/`, ""),
    written: list().filter((file) => !before.includes(file)),
  };
}
