import { readSecret, type Secret } from "./secret.ts";

/** What a worker proves itself by, and believes others by. */
export interface Credentials {
  readonly secret: Secret | undefined;
}

export interface CredentialFiles {
  readonly secretFile: string | undefined;
}

/** Throws when a file that is named cannot be used: a worker told to be careful must not be careless instead. */
export function readCredentials({ secretFile }: CredentialFiles): Credentials {
  return { secret: secretFile === undefined ? undefined : readSecret(secretFile) };
}

/** What to warn of before listening there. */
export function openDoorWarnings(host: string, { secret }: Credentials): readonly string[] {
  if (secret !== undefined || isLoopback(host)) return [];
  return [`no secret: whoever reaches ${host} may pass for a neighbour (see docs/security.md)`];
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
