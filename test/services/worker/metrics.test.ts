import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DirectRun } from "../../support/processes/direct-run.ts";

/** name{label="value",…} number, as Prometheus reads it; throws at any other line that is no comment. */
function parse(text: string): Map<string, number> {
  const found = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split("\n")) {
    const type = /^# TYPE ([a-z_]\w*) (counter|gauge|histogram|summary)$/.exec(line);
    if (type) {
      if (types.has(type[1]!)) throw new Error(`a second type of ${type[1]}`);
      types.set(type[1]!, type[2]!);
    }
    if (line === "" || line.startsWith("#")) continue;
    const sample =
      /^([a-z_]\w*)(\{(?:[a-z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?[\d.]+(?:e[+-]?\d+)?|NaN|[+-]Inf)$/i.exec(
        line,
      );
    if (!sample) throw new Error(`no sample: ${line}`);
    const [, name, labels = ""] = sample;
    const family = name!.replace(/_(bucket|sum|count)$/, "");
    if (!types.has(name!) && !types.has(family)) throw new Error(`${name} has no type`);
    if (found.has(name! + labels)) throw new Error(`a second sample of ${name}${labels}`);
    found.set(name! + labels, Number(sample[3]));
  }
  return found;
}

describe("what workers say at /metrics and /readyz", () => {
  const set = ["run.batches=1000000", "run.evaluateEvery=1000000"];
  let run: DirectRun;

  const ask = (name: string, path: string) => fetch(`http://127.0.0.1:${run.port(name)}${path}`);
  const label = (worker: string, more = "") => `{${more}run="a-run",worker="${worker}"}`;
  const isAt = (batch: number) => (told: { readonly kind: string; readonly batch?: number }) =>
    told.kind === "progress" && told.batch! >= batch;

  beforeAll(() => {
    run = new DirectRun("configs/two-rings.yaml", 3, set);
  });
  afterAll(() => run.close());

  it("a layer alone is alive and not ready, and says what it lacks", async () => {
    await run.start("layer3");
    const answer = await ask("layer3", "/readyz");
    expect(answer.status).toBe(503);
    expect(await answer.text()).toMatch(/^not ready: layer2 has not come yet/);
    expect((await ask("layer3", "/healthz")).status).toBe(200);
  });

  it("is ready with its neighbours, and every figure is one that Prometheus can read", async () => {
    await run.startAll();
    await run.worker("layer2").tells(isAt(50));
    expect((await ask("layer2", "/readyz")).status).toBe(200);
    const answer = await ask("layer2", "/metrics");
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const figures = parse(await answer.text());
    expect(figures.get(`unlocked_batch${label("layer2")}`)).toBeGreaterThanOrEqual(50);
    expect(figures.get(`unlocked_batches${label("layer2")}`)).toBe(1_000_000);
    expect(figures.get(`unlocked_generator_error${label("layer2")}`)).toBeGreaterThan(0);
    expect(figures.get(`unlocked_window${label("layer2")}`)).toBe(4);
    expect(
      figures.get(`unlocked_message_bytes_total${label("layer2", 'direction="sent",')}`),
    ).toBeGreaterThan(0);
    expect(figures.get(`unlocked_state${label("layer2", 'state="training",')}`)).toBe(1);
    expect(figures.get(`unlocked_state${label("layer2", 'state="holding",')}`)).toBe(0);
    expect(figures.get("process_resident_memory_bytes")).toBeGreaterThan(1e7);
    // Only the head has a loss.
    expect(figures.has(`unlocked_loss${label("layer2")}`)).toBe(false);
  });

  it("the cursor rises from one scrape to the next, and the source has one too", async () => {
    const at = async (worker: string) =>
      parse(await (await ask(worker, "/metrics")).text()).get(`unlocked_batch${label(worker)}`)!;
    for (const worker of ["source", "layer3"]) {
      const before = await at(worker);
      await run.worker(worker).tells(isAt(before + 1));
      expect(await at(worker)).toBeGreaterThan(before);
    }
  });

  it("this test's parser refuses what Prometheus would", () => {
    for (const bad of [
      "a 1",
      "# TYPE a gauge\na{b=c} 1",
      "# TYPE a gauge\na 1\na 2",
      "# TYPE a gauge\na one",
    ])
      expect(() => parse(bad)).toThrow();
  });
});
