import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Secret } from "../../shared/link/secret.ts";
import { provenCommand, refuseIntroduction } from "../../shared/telemetry/hub-proof.ts";
import { TELEMETRY_PROTOCOL } from "../../shared/telemetry/messages.ts";
import { parseTelemetry } from "../../shared/telemetry/parse-telemetry.ts";

const page = readFileSync("shared/telemetry/TELEMETRY.md", "utf8");
const [introductionProof, commandProof] = [...page.matchAll(/`([0-9a-f]{64})`/g)].map(([, proof]) => proof!);

const introduction = {
  kind: "introduction",
  protocol: TELEMETRY_PROTOCOL,
  run: "r",
  worker: "layer2",
  incarnation: 3,
  instance: "0f5bb3b7-2f2e-4f6c-9e0e-0d8f9a6d2c11",
  pid: 1,
  port: 7402,
  control: true,
  config: "",
  versions: { node: "v20", kernels: "wasm" },
  nonce: "b".repeat(64),
} as const;
const secret = new Secret(Buffer.from("a secret of 24 bytes, ok"));
const challenge = "a".repeat(64);

test("the page is of the version that is spoken", () => {
  expect(page).toContain(`# Telemetry, version ${TELEMETRY_PROTOCOL}\n`);
});

test("the proof that the page gives for an introduction is believed, and no other", () => {
  const proven = { ...introduction, proof: introductionProof! };
  expect(refuseIntroduction(secret, proven, challenge)).toBeUndefined();
  expect(refuseIntroduction(secret, { ...proven, port: 7403 }, challenge)).toContain("wrong");
});

test("the proof that the page gives for a command is ours", () => {
  expect(provenCommand(secret, "pause", introduction, challenge)).toMatchObject({ proof: commandProof });
});

test("the introduction of the page is understood, and every kind of message is on the page", () => {
  expect(parseTelemetry(JSON.stringify(introduction))).toMatchObject({
    kind: "introduction",
    worker: "layer2",
  });
  for (const kind of [
    "challenge",
    "introduction",
    "line",
    "standing",
    "question",
    "answer",
    "look",
    "seen",
    "ack",
    "command",
    "goodbye",
  ])
    expect(page).toMatch(new RegExp(`^## .*\\b${kind}\\b`, "m"));
});
