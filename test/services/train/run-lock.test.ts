import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockRun } from "../../../services/train/run-lock.ts";
import { startOfProcess } from "../../../shared/record/trainer.ts";

let folder: string;
let other: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "unlocked-lock-"));
  other = spawn(process.execPath, ["--eval", "setInterval(() => 0, 1000)"], { stdio: "ignore" });
  await once(other, "spawn");
});

afterEach(() => {
  other.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

describe("the lock of a run", () => {
  it("is refused while another process lives that holds it, with its number", () => {
    lockRun(folder, other.pid!);
    expect(() => lockRun(folder, process.pid)).toThrow(`process ${other.pid} is training it`);
    // Who was refused leaves nothing that would stand in somebody's way.
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("is taken over from a process that was killed", async () => {
    lockRun(folder, other.pid!);
    other.kill("SIGKILL");
    await once(other, "exit");
    lockRun(folder, process.pid).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is taken over when its number belongs to another process by now", () => {
    writeFileSync(join(folder, `train.${other.pid}.1.lock`), "");
    lockRun(folder, process.pid);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(`^train\\.${process.pid}\\.`)]);
  });

  it("is free once released", () => {
    lockRun(folder, other.pid!).release();
    expect(() => lockRun(folder, process.pid)).not.toThrow();
  });
});

describe("the start of a process", () => {
  it("is the same each time, and another for another process", () => {
    expect(startOfProcess(process.pid)).toBe(startOfProcess(process.pid));
    expect(startOfProcess(process.pid)).not.toBe(startOfProcess(other.pid!));
  });

  it("is unknown for one that has ended, even before its parent has looked", async () => {
    // The shell's child outlives the shell, which becomes a program that never asks about its children.
    const shell = spawn("sh", ["-c", "sleep 1 & echo $!; exec sleep 60"]);
    try {
      const [text] = await once(shell.stdout, "data");
      const pid = Number(String(text));
      while (startOfProcess(pid) !== undefined) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(() => process.kill(pid, 0)).not.toThrow();
    } finally {
      shell.kill("SIGKILL");
    }
  });
});
