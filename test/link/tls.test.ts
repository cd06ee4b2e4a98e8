import { once } from "node:events";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readCredentials } from "../../shared/link/credentials.ts";
import { MOST_STRANGERS } from "../../shared/link/limits.ts";
import { Secret } from "../../shared/link/secret.ts";
import type { TlsCredentials } from "../../shared/link/tls.ts";
import { CloseCode } from "../../shared/wire/frames.ts";
import { activation, hello } from "../support/frames.ts";
import { DialEnd, ListenEnd, patientLink } from "../support/link-ends.ts";
import { rawSocket } from "../support/raw-peer.ts";
import { Certificates } from "../support/secrets/certificates.ts";

const missing = Certificates.missing();
if (missing !== undefined) console.warn(`The tests of TLS are skipped: ${missing}.`);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe.skipIf(missing !== undefined)("over TLS", () => {
  const here = "IP:127.0.0.1";
  let files: Certificates;
  let listener: TlsCredentials;
  let dialler: TlsCredentials;

  beforeAll(() => {
    files = new Certificates();
    files.authority("ours");
    files.authority("theirs");
    listener = files.worker("listener", "ours", here);
    dialler = files.worker("dialler", "ours", "DNS:layer1");
  });
  afterAll(() => files.remove());

  async function listenEnd(changes: Parameters<typeof ListenEnd.open>[0] = {}): Promise<ListenEnd> {
    const end = await ListenEnd.open({ tls: listener, ...changes });
    cleanups.push(() => end.listener.close());
    return end;
  }

  function dialEnd(end: ListenEnd, changes: ConstructorParameters<typeof DialEnd>[1] = {}): DialEnd {
    const other = new DialEnd(`wss://127.0.0.1:${end.port}/`, { tls: dialler, ...changes });
    cleanups.unshift(() => other.dialler.close());
    return other;
  }

  /** A certificate that only its owner takes for good: it does believe ours. */
  const believing = (theirs: TlsCredentials) => ({ ...theirs, authority: listener.authority });

  it("two ends of one authority link, prove themselves and send as ever", async () => {
    const secret = new Secret(Buffer.alloc(32, 7));
    const end = await listenEnd({ secret });
    const other = dialEnd(end, { secret });
    const { link } = await other.ups.next();
    link.send(activation(0, 64));
    expect(await end.frames.next()).toMatchObject({ batch: 0 });
    (await end.ups.next()).link.send({ kind: "gradient", batch: 0 });
    expect(await other.frames.next()).toEqual({ kind: "gradient", batch: 0 });
  });

  it("a certificate is no secret: without that, too, the dialler is refused", async () => {
    const end = await listenEnd({ secret: new Secret(Buffer.alloc(32, 7)) });
    expect((await dialEnd(end).refusals.next()).code).toBe(CloseCode.unproven);
  });

  it.each<[string, () => TlsCredentials | undefined, RegExp]>([
    ["none", () => undefined, /peer did not return a certificate/],
    [
      "one of another authority",
      () => believing(files.worker("stranger", "theirs", here)),
      /UNABLE_TO_VERIFY/,
    ],
    ["one that has expired", () => files.worker("late", "ours", here, -1), /CERT_HAS_EXPIRED/],
  ])("a dialler that shows %s is refused, and no hello is heard", async (_, shown, reason) => {
    const end = await listenEnd();
    const tls = shown() ?? { ...dialler, certificate: undefined, key: undefined };
    const other = dialEnd(end, { tls: tls as TlsCredentials });
    expect((await end.turnedAway.next()).reason).toMatch(reason);
    expect(await other.downs.next()).toMatchObject({ link: undefined, why: { code: 1006 } });
    expect(end.story).toEqual([]);
  });

  it.each<[string, () => TlsCredentials, RegExp]>([
    [
      "one of another authority",
      () => believing(files.worker("impostor", "theirs", here)),
      /self-signed|issuer|verify/,
    ],
    ["one that has expired", () => files.worker("lapsed", "ours", here, -1), /expired/],
    [
      "one of another name",
      () => files.worker("renamed", "ours", "IP:127.0.0.2"),
      /IP: 127\.0\.0\.1 is not in/,
    ],
  ])("a listener that shows %s is left, and told nothing", async (_, shown, reason) => {
    const end = await listenEnd({ tls: shown() });
    const { link, why } = await dialEnd(end).downs.next();
    expect(link).toBeUndefined();
    expect(why.reason).toMatch(reason);
    expect(end.story).toEqual([]);
  });

  it("whoever speaks plainly, or an older TLS, is not heard", async () => {
    const end = await listenEnd();
    const { heard } = await rawSocket(end.port, "GET /healthz HTTP/1.1", "Host: x");
    expect(await heard).not.toContain("HTTP/1.1 200");
    const { certificate: cert, key, authority: ca } = dialler;
    const old = connect({ host: "127.0.0.1", port: end.port, cert, key, ca, maxVersion: "TLSv1.2" });
    expect((await once(old, "error"))[0].message).toMatch(/protocol version/);
  });

  it("silent strangers are bounded in number and time, whether they have begun TLS or not", async () => {
    const end = await listenEnd({ link: { ...patientLink, handshakeMs: 3000 } });
    const bare = await rawSocket(end.port);
    const { certificate: cert, key, authority: ca } = dialler;
    const begun = connect({ host: "127.0.0.1", port: end.port, cert, key, ca });
    begun.on("error", () => {});
    await once(begun, "secureConnect");
    const others = await Promise.all(Array.from({ length: MOST_STRANGERS }, () => rawSocket(end.port)));
    await Promise.all([bare.heard, once(begun, "close")]);
    expect((await dialEnd(end).ups.next()).welcome).toBeDefined();
    expect((await end.ups.next()).hello).toEqual(hello);
    await Promise.all(others.map(({ heard }) => heard));
    expect(end.story).toEqual(["up b5c1"]);
  });

  it("files that do not go together are an error before anybody listens", () => {
    const [certificate, key, authority] = ["listener.pem", "dialler.key", "ours.pem"].map((file) =>
      files.path(file),
    );
    const read = (changes: object) =>
      readCredentials({
        secretFile: undefined,
        tlsFiles: { certificate: certificate!, key: key!, authority: authority!, ...changes },
      });
    expect(() => read({})).toThrow(/^Cannot use the certificate .*listener\.pem.*key values mismatch/);
    expect(() => read({ key: "/nowhere" })).toThrow("no such file");
    expect(read({ key: files.path("listener.key") }).tls).toEqual(listener);
  });
});
