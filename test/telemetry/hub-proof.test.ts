import { describe, expect, it } from "vitest";
import { newNonce } from "../../shared/link/proof.ts";
import { Secret } from "../../shared/link/secret.ts";
import {
  provenCommand,
  provenIntroduction,
  refuseCommand,
  refuseIntroduction,
} from "../../shared/telemetry/hub-proof.ts";
import type { Introduction } from "../../shared/telemetry/messages.ts";

const ours = new Secret(Buffer.from("what only members of this run know"));
const theirs = new Secret(Buffer.from("what only members of another run know"));
const plain: Introduction = {
  kind: "introduction",
  protocol: 1,
  run: "r",
  worker: "layer2",
  incarnation: 3,
  instance: "i",
  pid: 7,
  port: 7402,
  control: true,
  config: "",
  versions: { node: "v20", kernels: "wasm" },
};

describe("an introduction to a hub", () => {
  const challenge = newNonce();
  const proven = provenIntroduction(ours, plain, challenge);

  it("is believed with the run's secret, on the connection it was made for", () => {
    expect(refuseIntroduction(ours, proven, challenge)).toBeUndefined();
    expect(refuseIntroduction(ours, proven, newNonce())).toMatch("is wrong");
    expect(refuseIntroduction(ours, provenIntroduction(theirs, plain, challenge), challenge)).toMatch(
      "is wrong",
    );
    expect(refuseIntroduction(ours, { ...proven, proof: "é" }, challenge)).toMatch("is wrong");
    expect(refuseIntroduction(ours, plain, challenge)).toMatch("no proof");
  });

  it.each([
    { worker: "layer1" as const },
    { run: "another" },
    { incarnation: 4 },
    { instance: "j" },
    { port: 1 },
    { nonce: newNonce() },
  ])("is not believed with another %o", (other) => {
    expect(refuseIntroduction(ours, { ...proven, ...other }, challenge)).toMatch("is wrong");
  });

  it("needs no proof where the hub has no secret", () => {
    expect(refuseIntroduction(undefined, plain, challenge)).toBeUndefined();
    expect(provenIntroduction(undefined, plain, challenge)).toEqual(plain);
  });
});

describe("a hub's command", () => {
  const challenge = newNonce();
  const to = provenIntroduction(ours, plain, challenge);
  const stop = provenCommand(ours, "stop", to, challenge);

  it("is obeyed with the run's secret, by whom and where it was given", () => {
    expect(refuseCommand(ours, stop, to, challenge)).toBeUndefined();
    expect(refuseCommand(ours, { ...stop, command: "kill" }, to, challenge)).toMatch("is wrong");
    expect(refuseCommand(ours, stop, to, newNonce())).toMatch("is wrong");
    expect(refuseCommand(ours, stop, { ...to, worker: "layer1" }, challenge)).toMatch("is wrong");
    expect(refuseCommand(ours, provenCommand(theirs, "stop", to, challenge), to, challenge)).toMatch(
      "is wrong",
    );
  });

  it("about another is obeyed for no third", () => {
    const about = provenCommand(ours, "stop", to, challenge, "layer2");
    expect(refuseCommand(ours, about, to, challenge)).toBeUndefined();
    expect(refuseCommand(ours, { ...about, worker: "layer3" }, to, challenge)).toMatch("is wrong");
    const { worker: _, ...itself } = about;
    expect(refuseCommand(ours, itself, to, challenge)).toMatch("is wrong");
  });

  it("is not the worker's own proof sent back", () => {
    expect(
      refuseCommand(ours, { kind: "command", command: "stop", proof: to.proof! }, to, challenge),
    ).toMatch("is wrong");
  });

  it("is not obeyed without a proof where the worker has a secret", () => {
    expect(refuseCommand(ours, { kind: "command", command: "stop" }, to, challenge)).toMatch("no proof");
    expect(refuseCommand(undefined, provenCommand(undefined, "stop", plain, ""), plain, "")).toBeUndefined();
  });
});
