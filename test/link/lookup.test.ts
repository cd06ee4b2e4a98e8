import type { LookupFunction } from "node:net";
import { expect, it } from "vitest";
import { sharedLookups } from "../../shared/link/lookup.ts";

/** Lookups that a test answers. */
function scene() {
  const asked: string[] = [];
  const answers: Parameters<LookupFunction>[2][] = [];
  const lookup = sharedLookups((hostname, _, callback) => {
    asked.push(hostname);
    answers.push(callback);
  });
  const heard: unknown[] = [];
  const ask = (hostname: string, all = true) =>
    lookup(hostname, { all }, (error, address) => heard.push(error?.message ?? address));
  return { asked, answers, heard, ask };
}

const HERE = [{ address: "10.0.0.7", family: 4 }];

it("asks once for a name, however often it is wanted meanwhile, and tells all of them", () => {
  const { asked, answers, heard, ask } = scene();
  for (let time = 0; time < 20; time++) ask("layer2");
  expect(asked).toEqual(["layer2"]);
  answers[0]!(null, HERE);
  expect(heard).toEqual(Array(20).fill(HERE));
});

it("asks again once it was answered, also if that was an error", () => {
  const { asked, answers, heard, ask } = scene();
  ask("layer2");
  answers[0]!(new Error("no such name"), []);
  ask("layer2");
  answers[1]!(null, HERE);
  expect(asked).toEqual(["layer2", "layer2"]);
  expect(heard).toEqual(["no such name", HERE]);
});

it("takes other names and other ways to ask for what they are", () => {
  const { asked, ask } = scene();
  ask("layer2");
  ask("layer3");
  ask("layer2", false);
  expect(asked).toEqual(["layer2", "layer3", "layer2"]);
});

it("finds this machine", async () => {
  const found = await new Promise((resolve) => {
    sharedLookups()("localhost", { all: true }, (_, addresses) => resolve(addresses));
  });
  expect(found).toContainEqual({
    address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
    family: expect.any(Number),
  });
});
