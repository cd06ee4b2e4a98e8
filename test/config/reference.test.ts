import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../../shared/config/read-config.ts";
import { configReference } from "../../shared/config/reference.ts";

describe("the reference of the config file", () => {
  it("is the page in docs: after a change of the schema run npm run docs:config", async () => {
    await expect(configReference()).toMatchFileSnapshot("../../docs/config.md");
  });

  it("says of every entry what is expected and what it is for", () => {
    const rows = configReference()
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(40);
    for (const row of rows) {
      const [key, expected, , about] = row.split(" | ").map((cell) => cell.replaceAll("|", "").trim());
      expect({ key, isTold: expected !== "" && about !== "" }).toEqual({ key, isTold: true });
    }
  });

  it("names every default that a config gets from it", () => {
    const { config } = readConfig(example(), "x.yaml");
    for (const [, path, written] of configReference().matchAll(/^\| `([\w.]+)` \|[^|]*\| `([^`]+)` \|/gm)) {
      if (path!.startsWith("layers.")) continue;
      if (path!.startsWith("data.") && path !== "data.noise" && path !== "data.set") continue;
      const found = path!
        .split(".")
        .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], config);
      expect({ path, value: plain(found) }).toEqual({ path, value: parse(written!) });
    }
  });
});

/** The smallest config that the page shows. */
function example(): string {
  return /```yaml\n([^`]+)```/.exec(configReference())![1]!;
}

function plain(value: unknown): unknown {
  return typeof value === "object" && value !== null && "kind" in value ? value.kind : value;
}
