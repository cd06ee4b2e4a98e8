import pino from "pino";
import { expect, it } from "vitest";
import { runCommand } from "../../../services/worker/commands.ts";
import { DELAY_MS } from "../../../shared/record/hub-api.ts";
import type { Command } from "../../../shared/telemetry/messages.ts";
import { ExitCode } from "../../../shared/telemetry/telemetry.ts";

/** What a worker did that was given these commands. */
function after(...commands: Command[]): string[] {
  return afterAs(true, commands);
}

function afterAs(hasSuccessor: boolean, commands: readonly Command[]): string[] {
  const done: string[] = [];
  let isPaused = false;
  let delayMs: number | undefined = hasSuccessor ? 0 : undefined;
  for (const command of commands)
    runCommand(
      {
        log: pino({ enabled: false }),
        batch: 7,
        isPaused,
        setPaused: (wish) => {
          isPaused = wish;
          done.push(wish ? "held" : "let go");
        },
        delayMs,
        setDelay: (ms) => {
          delayMs = ms;
          done.push(`delay of ${ms} ms`);
        },
        event: (name) => done.push(`said ${name}`),
        save: () => done.push("saved"),
        kill: () => done.push("killed"),
        stop: (_, code) => done.push(`stopped with ${code}`),
      },
      command,
    );
  return done;
}

it("a worker that is told to pause twice pauses once, and says so once", () => {
  expect(after("pause", "pause")).toEqual(["said paused", "held"]);
});

it("a worker that is not paused has nothing to resume", () => {
  expect(after("resume")).toEqual([]);
  expect(after("pause", "resume")).toEqual(["said paused", "held", "said resumed", "let go"]);
});

it("what a worker sends on is delayed once, however often it is told, and not at all where it has no successor", () => {
  expect(after("delay", "delay")).toEqual(["said delayed", `delay of ${DELAY_MS} ms`]);
  expect(after("undelay")).toEqual([]);
  expect(after("delay", "undelay").slice(2)).toEqual(["said undelayed", "delay of 0 ms"]);
  expect(afterAs(false, ["delay", "undelay"])).toEqual([]);
});

it("a restart asks whoever started the worker for another life, and a stop for none", () => {
  expect(after("restart")).toEqual([`stopped with ${ExitCode.startAgain}`]);
  expect(after("stop")).toEqual([`stopped with ${ExitCode.done}`]);
});

it("a kill saves nothing, a checkpoint ends nothing", () => {
  expect(after("kill")).toEqual(["killed"]);
  expect(after("checkpoint")).toEqual(["saved"]);
});
