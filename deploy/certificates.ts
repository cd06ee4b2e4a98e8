import { webcrypto } from "node:crypto";
// What the next one is built on looks for it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { podHost } from "./network.ts";

interface CertificateRequest {
  /** "source", "layer1", … */
  readonly workers: readonly string[];
  /** What the network is called where its workers have longer names, on Kubernetes. */
  readonly network?: string | undefined;
  readonly now: Date;
  readonly days: number;
}

/** PEM. */
interface Pair {
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
/** Valid from so long ago: the clocks of nodes may differ. */
const EARLIER_MS = DAY_MS;

/**
 * An authority, and for each worker a certificate that it signed, good for both ends of a link. The authority's key is thrown
 * away: to add a worker later is to make all anew, and nobody can make one unseen.
 */
export async function makeCertificates(
  request: CertificateRequest,
): Promise<{ readonly authority: string; readonly pairs: ReadonlyMap<string, Pair> }> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await newKeys();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(request, "unlocked"),
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pairs = new Map<string, Pair>();
  for (const worker of request.workers) pairs.set(worker, await sign(worker, request, authority, keys));
  return { authority: authority.toString("pem"), pairs };
}

async function sign(
  worker: string,
  request: CertificateRequest,
  authority: x509.X509Certificate,
  authorityKeys: webcrypto.CryptoKeyPair,
): Promise<Pair> {
  const keys = await newKeys();
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(request, worker),
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      // It dials its successor, and listens for its predecessor.
      new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
      new x509.SubjectAlternativeNameExtension(namesOf(worker, request)),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
    ],
  });
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certificate: certificate.toString("pem"), key: x509.PemConverter.encode(der, "PRIVATE KEY") };
}

/** What it is dialled by: on one machine, in compose and Swarm, on Kubernetes. */
function namesOf(worker: string, { network }: CertificateRequest): x509.JsonGeneralNames {
  const names = [worker, "localhost", ...(network === undefined ? [] : [podHost(network, worker)])];
  return [...names.map((value) => ({ type: "dns" as const, value })), { type: "ip", value: "127.0.0.1" }];
}

function common({ now, days }: CertificateRequest, name: string) {
  return {
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString("hex"),
    subject: `CN=${name}`,
    notBefore: new Date(now.getTime() - EARLIER_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
    signingAlgorithm: ALGORITHM,
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}
