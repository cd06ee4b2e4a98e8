import { pack } from "msgpackr";
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../shared/wire/codec.ts";
import { FrameError } from "../../shared/wire/frame-error.ts";
import { activation } from "../support/frames.ts";
import { hostileFrames, inMap } from "../support/hostile/hostile-frames.ts";

const limits = { maxFrameBytes: 64 << 20 };

describe("the hostile corpus:", () => {
  test.each(hostileFrames)("%s is refused", (_, frame, reason) => {
    expect(() => decode(frame, limits)).toThrow(FrameError);
    expect(() => decode(frame, limits)).toThrow(reason);
  });

  test("every truncation of a valid frame is refused", () => {
    const whole = encode(activation(5));
    expect(decode(whole, limits).kind).toBe("activation");
    for (let length = 0; length < whole.length; length++) {
      expect(() => decode(whole.subarray(0, length), limits), `${length} bytes`).toThrow(FrameError);
    }
  });

  test("the limits of the scan themselves are allowed", () => {
    const longest = pack({ kind: "finished", reports: Array.from({ length: 64 }, () => null) });
    expect(() => decode(longest, limits)).toThrow("finished.reports[0]: it is null");
    const deepest = inMap("9191919191c0");
    expect(() => decode(deepest, limits)).toThrow("kind is [a list]");
    expect(() => decode(inMap("919191919191c0"), limits)).toThrow("nests deeper");
  });
});
