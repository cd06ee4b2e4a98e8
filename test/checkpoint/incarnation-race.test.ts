import { mkdtemp, type readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { claimIncarnation } from "../../shared/checkpoint/incarnation.ts";

/** What happens between the moment somebody has looked into the folder and the moment they hear of it. */
const meanwhile = vi.hoisted(() => ({ once: undefined as (() => Promise<void>) | undefined }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<{ readdir: typeof readdir }>();
  const slowReaddir = async (folder: string) => {
    const names = await real.readdir(folder);
    const { once } = meanwhile;
    meanwhile.once = undefined;
    await once?.();
    return names;
  };
  return { ...real, readdir: slowReaddir };
});

test.each([1, 7, 8, 9, 20])(
  "one who dozes while %i others claim gets no number of theirs",
  async (others) => {
    const folder = await mkdtemp(join(tmpdir(), "incarnation-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const claimed: number[] = [];
    meanwhile.once = async () => {
      for (let other = 0; other < others; other++) claimed.push(await claimIncarnation(folder));
    };
    const late = await claimIncarnation(folder);
    expect(claimed).toHaveLength(others);
    expect(claimed).not.toContain(late);
    expect(await claimIncarnation(folder)).toBeGreaterThan(Math.max(late, ...claimed));
  },
);
