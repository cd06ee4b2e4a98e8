import { describe, expect, it } from "vitest";
import { Meter } from "../../../services/worker/meter.ts";

describe("a meter", () => {
  it("gives means since the last report, and forgets them with it", () => {
    const meter = new Meter(0);
    meter.batch(0, 2);
    meter.batch(1, 4);
    meter.target({ squaredError: 3, squaredTarget: 4, squaredGuess: 9, product: 3 }, 1);
    meter.target({ squaredError: 1, squaredTarget: 4, squaredGuess: 9, product: 9 }, 3);
    expect(meter.report(0)).toMatchObject({ loss: 3, generatorError: 0.5, staleness: 2 });
    expect(meter.report(1)).toMatchObject({
      loss: undefined,
      generatorError: undefined,
      staleness: undefined,
    });
  });

  it("counts batches a second over the last five seconds only", () => {
    const meter = new Meter(0);
    meter.report(0);
    for (let second = 1; second <= 20; second++) {
      for (let batch = 0; batch < (second <= 10 ? 100 : 7); batch++) meter.batch(0);
      meter.report(second * 1000);
    }
    expect(meter.report(20_001).perSecond).toBeCloseTo(7, 1);
  });

  it("has no rate before any time has passed", () => {
    const meter = new Meter(0);
    meter.batch(0);
    expect(meter.report(5).perSecond).toBe(0);
  });
});
