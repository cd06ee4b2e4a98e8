import { expect, it } from "vitest";
import type { SeenBy } from "../../../../shared/record/seen.ts";
import { hubOfRun, linesOf } from "../../../support/processes/hub-of-run.ts";
import { ask } from "../../../support/processes/hub-process.ts";

const hub = hubOfRun();

const introduced = (worker: string) => hub.introduced(worker, { looks: true });

const post = () => ask(hub.port, "/api/look", { method: "POST" });

it("every worker that tells what it sees is told of the same batch; of others it is said that they do not", async () => {
  const [source, layer1] = [await introduced("source"), await introduced("layer1")];
  const foreign = await hub.introduced("layer2");
  const answer = post();
  const [told, toldToo] = [await source.hears("look"), await layer1.hears("look")];
  expect(told).toEqual(toldToo);
  expect(told.batch).toBeGreaterThan(0);
  const { look, batch } = told;
  source.say({ kind: "seen", look, batch, moments: { sent: 1.5, answered: 2.25 } });
  // Of another look, and twice.
  layer1.say({ kind: "seen", look: look + 1, batch, moments: { received: 9 } });
  const picture = { of: [2, 2], rows: 1, columns: 2, values: [0.5, -0.5] };
  layer1.say({
    kind: "seen",
    look,
    batch,
    learns: "decoupled",
    moments: { received: 1.75 },
    pictures: { guess: picture },
  });
  const lines = linesOf<SeenBy>((await answer).body);
  expect(lines).toContainEqual({ worker: "source", batch, moments: { sent: 1.5, answered: 2.25 } });
  expect(lines).toContainEqual({
    ...{ worker: "layer1", batch, learns: "decoupled", moments: { received: 1.75 } },
    pictures: { guess: picture },
  });
  expect(lines.find(({ worker }) => worker === "layer2")?.refusal).toBe("it does not tell what it sees");
  expect(lines.filter(({ worker }) => worker === "layer1")).toHaveLength(1);
  expect(foreign.heard.some(({ kind }) => kind === "look")).toBe(false);
});

it("of a worker that dies meanwhile it is said at once; of one that had not told when the hub ends, that it ends", async () => {
  const source = await introduced("source");
  const layer1 = await introduced("layer1");
  for (const other of ["layer2", "layer3"]) await introduced(other);
  const answer = post();
  const { look, batch } = await source.hears("look");
  // Nobody listens at the port that it has told.
  layer1.socket.terminate();
  source.say({ kind: "seen", look, batch, moments: { sent: 1.5 } });
  const stream = await hub.stream();
  await stream.worker("layer1", ({ contact }) => contact === "dead");
  stream.close();
  await hub.kill("SIGTERM");
  expect(linesOf<SeenBy>((await answer).body)).toEqual([
    { worker: "source", batch, moments: { sent: 1.5 } },
    { worker: "layer1", batch, moments: {}, refusal: "it ended meanwhile" },
    { worker: "layer2", batch, moments: {}, refusal: "the hub ends" },
    { worker: "layer3", batch, moments: {}, refusal: "the hub ends" },
  ]);
});

it("one is looked at at a time, and a reader that goes away makes room for the next", async () => {
  const source = await introduced("source");
  const gone = new AbortController();
  const first = fetch(`http://127.0.0.1:${hub.port}/api/look`, { method: "POST", signal: gone.signal });
  await source.hears("look");
  expect((await post()).status).toBe(429);
  gone.abort();
  await first.then((answer) => answer.text()).catch(() => {});
  await expect
    .poll(async () => {
      const again = fetch(`http://127.0.0.1:${hub.port}/api/look`, { method: "POST" });
      const { status, body } = await again;
      void body?.cancel();
      return status;
    })
    .toBe(200);
});

it.each([
  ["a picture that lacks values", { pictures: { input: { of: [2, 2], rows: 2, columns: 2, values: [1] } } }],
  [
    "more than fits",
    { pictures: { input: { of: [99, 99], rows: 99, columns: 99, values: Array(9801).fill(0) } } },
  ],
  ["a moment that nobody knows", { moments: { dreamt: 1 } }],
])("a worker that tells %s is cut off", async (_, more) => {
  const layer1 = await introduced("layer1");
  layer1.say({ kind: "seen", look: 1, batch: 1, moments: {}, ...more });
  expect((await layer1.closed).code).toBe(1008);
});
