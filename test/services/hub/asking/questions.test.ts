import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Answer } from "../../../../shared/record/hub-api.ts";
import { hubOfRun, linesOf } from "../../../support/processes/hub-of-run.ts";
import { ask } from "../../../support/processes/hub-process.ts";

const hub = hubOfRun();

function post(body: unknown, headers: object = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask(hub.port, "/api/ask", { method: "POST", headers, body: text });
}

const about = ({ worker, beliefs, refusal }: Answer) => ({ worker, beliefs, refusal });

describe("a question", () => {
  it("goes to the source, and what each worker makes of it comes back a line each", async () => {
    const source = await hub.introduced("source", { questions: true });
    const [layer1, layer2] = [await hub.introduced("layer1"), await hub.introduced("layer2")];
    const answer = post({ example: 5 });
    const { question, example } = await source.hears("question");
    expect(example).toBe(5);
    source.say({ kind: "answer", question, batch: 9, input: [1, 2], labels: [0, 1] });
    layer1.say({ kind: "answer", question, batch: 8, beliefs: [0.25, 0.75] });
    // Nobody is told twice, and nobody is told what another question came to.
    layer1.say({ kind: "answer", question, batch: 8, beliefs: [1, 0] });
    layer1.say({ kind: "answer", question: question + 1, batch: 8, beliefs: [1, 0] });
    layer2.say({ kind: "answer", question, batch: 7, beliefs: [0.1, 0.9] });
    const lines = linesOf<Answer>((await answer).body);
    expect(lines).toMatchObject([
      { worker: "source", batch: 9, input: [1, 2], labels: [0, 1] },
      { worker: "layer1", batch: 8, beliefs: [0.25, 0.75] },
      { worker: "layer2", batch: 7, beliefs: [0.1, 0.9] },
    ]);
    for (const { ms } of lines) expect(ms).toBeGreaterThanOrEqual(0);
  });

  it("that is a text goes to the source as the last characters that the network takes", async () => {
    const config =
      "data: {set: text, characters: ab, window: 2}\nlayers: [{outputs: 2}]\nrun: {batches: 1}\n";
    writeFileSync(join(hub.folder, "config.yaml"), config);
    await hub.kill();
    await hub.start();
    const source = await hub.introduced("source", { questions: true });
    const answer = post({ text: "bba" });
    const { question, input } = await source.hears("question");
    expect(input).toEqual([0, 1, 1, 0]);
    source.say({ kind: "answer", question, batch: 9 });
    expect(linesOf<Answer>((await answer).body).map(about)).toMatchObject([{ worker: "source" }]);
    expect(await post({ text: "c" })).toMatchObject({ status: 400 });

    // A text that is being written: ids come after it.
    const goesOn = post({ text: "bb", ids: [0, 1] });
    const next = await source.hears("question");
    expect(next.input).toEqual([1, 0, 0, 1]);
    source.say({ kind: "answer", question: next.question, batch: 9 });
    await goesOn;
    const unknown = await post({ text: "b", ids: [2] });
    expect(unknown).toMatchObject({ status: 400 });
    expect(unknown.body).toContain("id 2 comes after it, there are 2");
  });

  it("is over as soon as the layers before one that is away have answered", async () => {
    const source = await hub.introduced("source", { questions: true });
    const layer1 = await hub.introduced("layer1");
    const began = performance.now();
    const answer = post({ input: [0.5, -0.5] });
    const { question, input } = await source.hears("question");
    expect(input).toEqual([0.5, -0.5]);
    source.say({ kind: "answer", question, batch: 9 });
    layer1.say({ kind: "answer", question, batch: 8, beliefs: [1, 0] });
    expect(linesOf<Answer>((await answer).body).map(about)).toMatchObject([
      { worker: "source" },
      { worker: "layer1" },
    ]);
    expect(performance.now() - began).toBeLessThan(900);
  });

  it("is over after a second where a worker that is connected says nothing", async () => {
    const source = await hub.introduced("source", { questions: true });
    await hub.introduced("layer1");
    const answer = post({ example: 0 });
    const { question } = await source.hears("question");
    source.say({ kind: "answer", question, batch: 9 });
    expect(linesOf<Answer>((await answer).body)).toHaveLength(1);
  });

  it("that the source refuses says why, in one line", async () => {
    const source = await hub.introduced("source", { questions: true });
    const answer = post({ input: [1] });
    const { question } = await source.hears("question");
    source.say({ kind: "answer", question, batch: 9, refusal: "the input has 1 numbers, expected 2" });
    expect(linesOf<Answer>((await answer).body).map(({ refusal }) => refusal)).toEqual([
      "the input has 1 numbers, expected 2",
    ]);
  });
});

describe("nobody is asked", () => {
  it("where the source is away, or does not say that it takes questions", async () => {
    expect(await post({ example: 1 })).toMatchObject({
      status: 200,
      body: expect.stringContaining('"refusal":"the source is not connected"'),
    });
    const source = await hub.introduced("source");
    expect(await post({ example: 1 })).toMatchObject({
      status: 200,
      body: expect.stringContaining('"refusal":"the source takes no questions"'),
    });
    expect(source.heard.filter(({ kind }) => kind === "question")).toEqual([]);
  });

  it.each([
    ["no JSON", "{", 400],
    ["a list", "[]", 400],
    ["nothing", "{}", 400],
    ["an example below 0", '{"example":-1}', 400],
    ["half an example", '{"example":0.5}', 400],
    ["both", '{"example":1,"input":[1]}', 400],
    ["a number too large for any", '{"input":[1e999]}', 400],
    ["a text", '{"input":["1"]}', 400],
    ["an unknown field", '{"example":1,"worker":"layer1"}', 400],
    ["more than 60,000 bytes", `{"input":[${"1,".repeat(40_000)}1]}`, 413],
  ])("with %s", async (_, body, status) => {
    await hub.introduced("source", { questions: true });
    expect((await post(body)).status).toBe(status);
  });

  it("by a page of another site", async () => {
    const source = await hub.introduced("source", { questions: true });
    expect((await post({ example: 1 }, { origin: "http://elsewhere.example" })).status).toBe(403);
    expect(source.heard.filter(({ kind }) => kind === "question")).toEqual([]);
  });

  it("more than 50 times a second", async () => {
    const source = await hub.introduced("source", { questions: true });
    const answers = await Promise.all(Array.from({ length: 80 }, () => post({ example: 1 })));
    const passed = answers.filter(({ status }) => status === 200).length;
    expect(answers.every(({ status }) => status === 200 || status === 429)).toBe(true);
    expect(passed).toBeGreaterThanOrEqual(50);
    expect(passed).toBeLessThan(80);
    expect(source.heard.filter(({ kind }) => kind === "question")).toHaveLength(passed);
  });
});
