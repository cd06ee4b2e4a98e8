import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { readSecret, type Secret } from "./secret.ts";
import type { TlsCredentials } from "./tls.ts";

/** What a worker proves itself by, and believes others by. */
export interface Credentials {
  readonly secret: Secret | undefined;
  /** Its links are encrypted, or not. */
  readonly tls: TlsCredentials | undefined;
}

interface CredentialFiles {
  readonly secretFile: string | undefined;
  readonly tlsFiles: TlsFiles | undefined;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** Throws when a file that is named cannot be used: a worker told to be careful must not be careless instead. */
export function readCredentials({ secretFile, tlsFiles }: CredentialFiles): Credentials {
  return {
    secret: secretFile === undefined ? undefined : readSecret(secretFile),
    tls: tlsFiles && readTls(tlsFiles),
  };
}

function readTls({ certificate, key, authority }: TlsFiles): TlsCredentials {
  try {
    const read = {
      certificate: readFileSync(certificate),
      key: readFileSync(key),
      authority: readFileSync(authority),
    };
    // Else the first connection would find out.
    createSecureContext({ cert: read.certificate, key: read.key, ca: read.authority });
    return read;
  } catch (error) {
    const found = (error as Error).message;
    throw new Error(`Cannot use the certificate ${certificate} with ${key} and ${authority}: ${found}`, {
      cause: error,
    });
  }
}

/** What to warn of before listening there. */
export function openListenerWarnings(host: string, { secret, tls }: Credentials): readonly string[] {
  if (secret !== undefined || tls !== undefined || isLoopback(host)) return [];
  return [`no secret: anyone who reaches ${host} may pass for a neighbour (see docs/security.md)`];
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
