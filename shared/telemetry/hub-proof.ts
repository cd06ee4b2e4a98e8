import { newNonce, refuseProof } from "../link/proof.ts";
import type { Secret } from "../link/secret.ts";
import type { Command, CommandMessage, Introduction, LookMessage, QuestionMessage } from "./messages.ts";

/**
 * A worker that introduces itself to a hub proves that it is of the run, and a hub's command proves that the hub is: both
 * by the run's secret, and each for the one connection, by a number used once from each end. What either end asks for
 * depends on what it has itself: without a secret nothing is asked, and a proof is not looked at.
 */
function proofOf(
  secret: Secret,
  what: "introduction" | "command" | "question" | "look",
  { run, worker, incarnation, instance, port, nonce }: Introduction,
  challenge: string,
  command: readonly (string | undefined)[] = [],
): string {
  const parts = [`unlocked ${what}`, run, worker, incarnation, instance, port, challenge, nonce, ...command];
  return secret.sign(JSON.stringify(parts)).toString("hex");
}

/** The introduction with what it takes to be believed; as it is where there is no secret. */
export function provenIntroduction(
  secret: Secret | undefined,
  introduction: Introduction,
  challenge: string,
): Introduction {
  if (secret === undefined) return introduction;
  const withNonce = { ...introduction, nonce: newNonce() };
  return { ...withNonce, proof: proofOf(secret, "introduction", withNonce, challenge) };
}

/** Why the introduction is not to be believed; undefined if it is. */
export function refuseIntroduction(
  secret: Secret | undefined,
  introduction: Introduction,
  challenge: string,
): string | undefined {
  return secret && refuseProof(introduction, proofOf(secret, "introduction", introduction, challenge));
}

/** A command to the worker of this introduction, with its proof; `worker`: the one it is about, if another. */
export function provenCommand(
  secret: Secret | undefined,
  command: Command,
  to: Introduction,
  challenge: string,
  worker?: string,
): CommandMessage {
  const message = { kind: "command", command, ...(worker !== undefined && { worker }) } as const;
  if (secret === undefined) return message;
  return { ...message, proof: proofOf(secret, "command", to, challenge, [command, worker]) };
}

/** A question to the worker of this introduction, with its proof. */
export function provenQuestion(
  secret: Secret | undefined,
  question: Omit<QuestionMessage, "kind" | "proof">,
  to: Introduction,
  challenge: string,
): QuestionMessage {
  const message = { kind: "question", ...question } as const;
  if (secret === undefined) return message;
  return { ...message, proof: proofOf(secret, "question", to, challenge, [wordsOf(message)]) };
}

/** Why the question is not to be dealt with; undefined if it is. */
export function refuseQuestion(
  secret: Secret | undefined,
  question: QuestionMessage,
  to: Introduction,
  challenge: string,
): string | undefined {
  return secret && refuseProof(question, proofOf(secret, "question", to, challenge, [wordsOf(question)]));
}

/** To look at a batch, with its proof. */
export function provenLook(
  secret: Secret | undefined,
  { look, batch }: Pick<LookMessage, "look" | "batch">,
  to: Introduction,
  challenge: string,
): LookMessage {
  const message = { kind: "look", look, batch } as const;
  if (secret === undefined) return message;
  return { ...message, proof: proofOf(secret, "look", to, challenge, [JSON.stringify([look, batch])]) };
}

/** Why the batch is not to be looked at; undefined if it is. */
export function refuseLook(
  secret: Secret | undefined,
  message: LookMessage,
  to: Introduction,
  challenge: string,
): string | undefined {
  const words = JSON.stringify([message.look, message.batch]);
  return secret && refuseProof(message, proofOf(secret, "look", to, challenge, [words]));
}

function wordsOf({ question, example, input }: QuestionMessage): string {
  return JSON.stringify([question, example ?? null, input ?? null]);
}

/** Why the worker of this introduction must not obey the command; undefined if it must. */
export function refuseCommand(
  secret: Secret | undefined,
  message: CommandMessage,
  to: Introduction,
  challenge: string,
): string | undefined {
  const { command, worker } = message;
  return secret && refuseProof(message, proofOf(secret, "command", to, challenge, [command, worker]));
}
