import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

it.each(["layer", "source", "hub"])("the program of a %s prints help, and does nothing else", (role) => {
  const args = ["--import", "tsx", `services/${role}/main.ts`, "--help"];
  // Throws unless it exits with 0.
  const said = execFileSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  expect(said).toMatch(/^ {2}--listen +HOST:PORT/m);
  expect(said).not.toContain('"level"');
});
