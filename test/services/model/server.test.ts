import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Evaluation } from "../../../services/model/evaluation.ts";
import type { Model } from "../../../services/model/model.ts";
import { ModelServer } from "../../../services/model/server.ts";
import { wasmKernels } from "../../../shared/math/wasm-kernels.ts";
import { modelOf } from "./model-of.ts";

const runs = mkdtempSync(join(tmpdir(), "unlocked-serve-"));
const BODY_BYTES = 100_000;
let model: Model;
let served: ModelServer;
let port: number;

beforeAll(async () => {
  ({ model } = await modelOf(runs, "rings-1", "configs/two-rings.yaml"));
  served = new ModelServer(model, wasmKernels({ megabytes: 8 }), {
    ...{ bodyBytes: BODY_BYTES, rows: 100, requests: 4, requestMs: 2000 },
  });
  served.server.listen(0, "127.0.0.1");
  await once(served.server, "listening");
  port = (served.server.address() as AddressInfo).port;
});

afterAll(() => {
  served.server.closeAllConnections();
  served.server.close();
  rmSync(runs, { recursive: true });
});

interface Said {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly error?: string };
}

async function ask(method: string, path: string, body?: unknown, headers = {}): Promise<Said> {
  const asked = request({ port, host: "127.0.0.1", method, path, headers });
  asked.end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode!, body: text.startsWith("{") ? JSON.parse(text) : { text } };
}

const infer = (body: unknown) => ask("POST", "/v2/models/rings-1/infer", body);
const input = (rows: number, data: unknown) => ({ name: "input", shape: [rows, 2], datatype: "FP32", data });

function ours(...rows: number[][]): number[] {
  const evaluation = new Evaluation(wasmKernels({ megabytes: 8 }), model, rows.length);
  return [...evaluation.answers(Float32Array.from(rows.flat()), rows.length)];
}

describe("the Open Inference Protocol, version 2", () => {
  it("says that it is alive, ready, and what the model takes and gives", async () => {
    expect(await ask("GET", "/v2")).toEqual({
      status: 200,
      body: { name: "unlocked", version: "2", extensions: [] },
    });
    expect((await ask("GET", "/v2/health/live")).status).toBe(200);
    expect((await ask("GET", "/v2/health/ready")).status).toBe(200);
    expect((await ask("GET", "/v2/models/rings-1/ready")).status).toBe(200);
    expect((await ask("GET", "/v2/models/rings-1")).body).toEqual({
      ...{ name: "rings-1", versions: ["4"], platform: "unlocked" },
      inputs: [{ name: "input", datatype: "FP32", shape: [-1, 2] }],
      outputs: [{ name: "probabilities", datatype: "FP32", shape: [-1, 2] }],
    });
  });

  it("infers what the run's own evaluation says, with the id of the request", async () => {
    const { status, body } = await infer({ id: "42", inputs: [input(2, [0.5, -0.5, 1, 2])] });
    expect(status).toBe(200);
    const [{ data }] = body.outputs as [{ data: number[] }];
    expect(body).toMatchObject({
      ...{ model_name: "rings-1", model_version: "4", id: "42" },
      outputs: [{ name: "probabilities", datatype: "FP32", shape: [2, 2] }],
    });
    expect(data).toEqual(ours([0.5, -0.5], [1, 2]));
  });

  it("takes nested data, and more rows than it computes at once", async () => {
    const rows = Array.from({ length: 100 }, (_, row) => [row / 100, 1 - row / 50]);
    const { body } = await infer({ inputs: [input(100, rows)] });
    expect((body.outputs as [{ data: number[] }])[0].data).toEqual(ours(...rows));
  });

  it.each<[string, unknown, string]>([
    ["no JSON", "{", "the body is not JSON"],
    ["an empty body", "", "the body is not JSON"],
    [
      "NaN",
      '{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,NaN]}]}',
      "the body is not JSON",
    ],
    [
      "infinity",
      '{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,1e999]}]}',
      "row 0: Cannot encode the numbers: number 1 is Infinity",
    ],
    ["null", { inputs: [input(1, [1, null])] }, "row 0: Cannot encode the numbers: number 1 is null"],
    ["no inputs", {}, "expected an object with inputs"],
    ["inputs that are none", { inputs: [7] }, "inputs[0] is no object"],
    [
      "another name",
      { inputs: [{ ...input(1, [1, 2]), name: "x" }] },
      "expected one input, called input, got x",
    ],
    [
      "another width",
      { inputs: [{ ...input(1, [1, 2, 3]), shape: [1, 3] }] },
      "input has shape [1,3], this model takes [-1,2]",
    ],
    ["too few values", { inputs: [input(2, [1, 2])] }, "inputs[0] of shape [2,2] takes 4 values, got 2"],
    [
      "a shape that is none",
      { inputs: [{ ...input(1, [1, 2]), shape: [-1, 2] }] },
      "inputs[0] has shape [-1,2]",
    ],
    ["no row", { inputs: [input(0, [])] }, "there is no row"],
    ["too many rows", { inputs: [input(101, Array(202).fill(0))] }, "there are 101 rows, at most 100"],
    [
      "an unknown type",
      { inputs: [{ ...input(1, [1, 2]), datatype: "FP8" }] },
      'inputs[0] has datatype "FP8"',
    ],
    [
      "binary data",
      { inputs: [{ ...input(1, []), data: undefined }] },
      "inputs[0] has no data; binary data is not taken",
    ],
    [
      "an output that it has not",
      { inputs: [input(1, [1, 2])], outputs: [{ name: "x" }] },
      'outputs has {"name":"x"}, this model gives probabilities',
    ],
  ])("refuses %s", async (_, body, says) => {
    const said = await infer(body);
    expect(said.status).toBe(400);
    expect(said.body.error).toContain(says);
  });
});

describe("the simple route", () => {
  it("answers one row, or many", async () => {
    const [zero, one] = ours([0.5, -0.5]);
    const { body } = await ask("POST", "/predict", { rows: [[0.5, -0.5]] });
    const [{ prediction, probabilities }] = body.predictions as [
      { prediction: string; probabilities: number[] },
    ];
    expect(prediction).toBe(zero! > one! ? "0" : "1");
    expect(probabilities[0]).toBeCloseTo(zero!, 6);
    expect((await ask("POST", "/predict", [0.5, -0.5])).body).toEqual(body);
  });

  it("names the row that it cannot take", async () => {
    const { status, body } = await ask("POST", "/predict", { rows: [[1, 2], [1]] });
    expect([status, body.error]).toEqual([400, "row 1: Cannot encode 1 numbers: this model takes 2"]);
  });
});

describe("what is too much", () => {
  it("is refused: a body beyond the bound, whether or not it says so", async () => {
    const long = `[${" ".repeat(BODY_BYTES)}1,2]`;
    const said = await ask("POST", "/predict", long).catch((error: NodeJS.ErrnoException) => error.code);
    // The server may hang up while the rest is still being sent.
    if (typeof said === "object")
      expect(said).toMatchObject({
        status: 413,
        body: { error: `the body has more than ${BODY_BYTES} bytes` },
      });
    else expect(["ECONNRESET", "EPIPE"]).toContain(said);
    expect((await ask("POST", "/predict", [1, 2])).status).toBe(200);
  });

  it("is refused: more requests at once than the bound; and it recovers", async () => {
    const sockets = await Promise.all(Array.from({ length: 4 }, () => halfAsked()));
    const said = await ask("POST", "/predict", [1, 2]);
    expect([said.status, said.body.error]).toEqual([503, "4 requests are under way, try again"]);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await ask("POST", "/predict", [1, 2])).status).toBe(200);
  });

  it("is refused: a request that never ends", async () => {
    const socket = await halfAsked();
    let said = "";
    socket.setEncoding("utf8").on("data", (text: string) => (said += text));
    await once(socket, "close");
    expect(said).toMatch(/^HTTP\/1.1 408/);
  }, 10_000);

  it("is refused: other hosts, pages of other sites, and other routes", async () => {
    expect((await ask("GET", "/v2", undefined, { host: "evil.example" })).status).toBe(403);
    expect((await ask("POST", "/predict", [1, 2], { origin: "http://evil.example" })).status).toBe(403);
    for (const path of [
      "/",
      "//",
      "/v2/models/other",
      "/predict",
      "/%00",
      "/v2/models/rings-1/../../metrics",
    ])
      expect((await ask("GET", path)).status).toBe(404);
  });

  it("grows no metrics by paths of strangers", async () => {
    const { body } = await ask("GET", "/metrics");
    expect(body.text).toContain('unlocked_serve_requests_total{route="POST /predict",status="200"}');
    expect(body.text).toContain('unlocked_serve_requests_total{route="none",status="404"}');
    expect(body.text).not.toContain("other");
  });
});

/** A request whose body is still to come, once the server has begun to read it. */
async function halfAsked() {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const head = `POST /predict HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n`;
  socket.write(head);
  await once(socket, "data");
  socket.on("error", () => undefined);
  return socket;
}
