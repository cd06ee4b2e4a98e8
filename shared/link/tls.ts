import type { TlsOptions } from "node:tls";

/** PEM: the certificate of this end, and the authority that must have signed the other end's. */
export interface TlsCredentials {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly authority: Buffer;
}

/** Either end's options: both show a certificate that the authority signed, or there is no connection. */
export function tlsOptions({ certificate, key, authority }: TlsCredentials) {
  return {
    cert: certificate,
    key,
    ca: authority,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
  } as const satisfies TlsOptions;
}
