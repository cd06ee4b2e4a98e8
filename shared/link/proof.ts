import { randomBytes, timingSafeEqual } from "node:crypto";
import { CloseCode, type HelloFrame, type WelcomeFrame } from "../wire/frames.ts";
import type { Refusal } from "./link.ts";
import type { Secret } from "./secret.ts";

/** One number used once from each end of a connection: what was proved on another one proves nothing here. */
interface Nonces {
  readonly listener: string;
  readonly dialler: string;
}

export function newNonce(): string {
  return randomBytes(32).toString("hex");
}

/**
 * Proves that the sender of this frame has the secret, is the worker the frame names, and speaks on this connection, to
 * layer `to`. The kind of frame is part of it, so that ours cannot be sent back to us. No part contains a newline.
 */
export function proofOf(
  secret: Secret,
  frame: HelloFrame | WelcomeFrame,
  to: number,
  nonces: Nonces,
): string {
  const { kind, protocol, run, from, incarnation, instance, configHash } = frame;
  const identity = [run, from, to, incarnation, instance, configHash];
  const lines = [`unlocked ${kind}`, protocol, ...identity, nonces.listener, nonces.dialler];
  return secret.sign(lines.join("\n")).toString("hex");
}

/** The hello with what it takes to be believed; as it is where there is no secret. */
export function proven(secret: Secret | undefined, hello: HelloFrame, challenge: string): HelloFrame {
  if (secret === undefined) return hello;
  const nonce = newNonce();
  return {
    ...hello,
    nonce,
    proof: proofOf(secret, hello, hello.to, { listener: challenge, dialler: nonce }),
  };
}

/** The welcome that answers this hello, likewise. */
export function provenBack(
  secret: Secret | undefined,
  welcome: WelcomeFrame,
  { from, nonce }: HelloFrame,
  challenge: string,
): WelcomeFrame {
  if (secret === undefined || nonce === undefined) return welcome;
  return { ...welcome, proof: proofOf(secret, welcome, from, { listener: challenge, dialler: nonce }) };
}

/** Why this hello is not to be believed; undefined if it is. */
export function refuseUnproven(
  secret: Secret | undefined,
  hello: HelloFrame,
  challenge: string,
): Refusal | undefined {
  const nonces = { listener: challenge, dialler: hello.nonce ?? "" };
  return refuse(hello, secret && proofOf(secret, hello, hello.to, nonces));
}

/** Why this welcome, the answer to our hello, is not to be believed; undefined if it is. */
export function refuseUnprovenBack(
  secret: Secret | undefined,
  welcome: WelcomeFrame,
  { from, nonce }: HelloFrame,
  challenge: string,
): Refusal | undefined {
  const nonces = { listener: challenge, dialler: nonce ?? "" };
  return refuse(welcome, secret && proofOf(secret, welcome, from, nonces));
}

function refuse(frame: HelloFrame | WelcomeFrame, expected: string | undefined): Refusal | undefined {
  const reason = refuseProof(frame, expected);
  return reason === undefined ? undefined : { code: CloseCode.unproven, reason };
}

/** Why a message is not to be believed; undefined if it is. Says what is missing, never what a proof should have been. */
export function refuseProof(
  { kind, proof }: { readonly kind: string; readonly proof?: string },
  expected: string | undefined,
): string | undefined {
  if (proof === undefined) return expected && `${kind} has no proof, this end expects one`;
  if (expected === undefined) return `${kind} has a proof, this end has no secret`;
  const [found, wanted] = [Buffer.from(proof), Buffer.from(expected)];
  const isRight = found.length === wanted.length && timingSafeEqual(found, wanted);
  return isRight ? undefined : `the proof in ${kind} is wrong: another secret, or an old connection`;
}
