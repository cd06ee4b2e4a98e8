import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replay } from "./transcript.ts";

const FOLDER = join(import.meta.dirname, "transcripts");

/** A rule that changed shows as a diff here: read it, and if it is meant, `npx vitest run test/delivery --update`. */
describe("what happens, told", () => {
  const stories = readdirSync(FOLDER);

  it("is told of ten stories", () => expect(stories).toHaveLength(10));

  it.each(stories)("%s", async (story) => {
    const path = join(FOLDER, story);
    await expect(replay(readFileSync(path, "utf8"))).toMatchFileSnapshot(path);
  });
});
