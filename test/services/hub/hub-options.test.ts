import fc from "fast-check";
import { expect, it } from "vitest";
import { type HubOptions, hubArgumentsOf, readHubOptions } from "../../../services/hub/hub-options.ts";

const text = fc.string({ minLength: 1 });
const maybe = fc.option(text, { nil: undefined });
const folder = text.filter((path) => !path.startsWith("s3:"));
const url = fc.option(fc.stringMatching(/^s3:\/\/[a-z]{3,9}\/[a-z/]+$/), { nil: undefined });
const options: fc.Arbitrary<HubOptions> = fc.record({
  ...{
    record: folder,
    recordUrl: url,
    run: maybe,
    config: maybe,
    set: fc.array(text),
    runs: maybe,
    address: maybe,
  },
  ...{ host: fc.stringMatching(/^[^\n]+$/), port: fc.integer({ min: 0, max: 65535 }) },
  hostNames: fc.array(fc.stringMatching(/^[a-z0-9.-]+$/)),
  ...{ secretFile: maybe, control: fc.boolean(), logsElsewhere: fc.boolean() },
  questionsPerSecond: fc.integer({ min: 0, max: 9999 }),
  logFormat: fc.constantFrom("json" as const, "pretty" as const),
});

it("a hub reads from its flags what they were written from", () => {
  fc.assert(
    fc.property(options, (given) => {
      expect(readHubOptions(hubArgumentsOf(given))).toEqual(given);
    }),
  );
});
