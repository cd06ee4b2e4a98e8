import { createHmac } from "node:crypto";
import type { HelloFrame } from "../../../shared/wire/frames.ts";

/** The hello with its proof, as PROTOCOL.md says it and not as our code does. `challenge`: the listener's nonce. */
export function prove(greeting: HelloFrame, challenge: unknown, key: string, nonce = "0d".repeat(32)) {
  const { protocol, run, from, to, incarnation, instance, configHash } = greeting;
  const identity = [protocol, run, from, to, incarnation, instance, configHash];
  const text = ["unlocked hello", ...identity, challenge, nonce].join("\n");
  return { ...greeting, nonce, proof: createHmac("sha256", key).update(text).digest("hex") };
}
