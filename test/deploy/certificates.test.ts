import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { makeCertificates } from "../../deploy/certificates.ts";
import { runProgram } from "../../services/cli/program.ts";
import { readCredentials } from "../../shared/link/credentials.ts";
import type { TlsCredentials } from "../../shared/link/tls.ts";
import { testEdges } from "../support/edges.ts";
import { activation } from "../support/frames.ts";
import { DialEnd, ListenEnd } from "../support/link-ends.ts";

const folder = mkdtempSync(join(tmpdir(), "unlocked-certs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const request = { workers: ["layer1", "layer2"], network: "mnist", now: new Date(), days: 30 };

describe("certificates", () => {
  it("are signed by one authority, for every name that a worker is dialled by, and for both ends of a link", async () => {
    const { authority, pairs } = await makeCertificates(request);
    const ca = new X509Certificate(authority);
    expect(ca.ca).toBe(true);
    for (const [worker, { certificate, key }] of pairs) {
      const read = new X509Certificate(certificate);
      expect(read.verify(ca.publicKey)).toBe(true);
      expect(read.ca).toBe(false);
      expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
      for (const name of [worker, "localhost", `mnist-${worker}-0.mnist`])
        expect(read.checkHost(name)).toBe(name);
      expect(read.checkHost("layer9")).toBeUndefined();
    }
  });

  it("hold on nodes whose clocks differ by hours", async () => {
    const { pairs } = await makeCertificates(request);
    const read = new X509Certificate(pairs.get("layer1")!.certificate);
    expect(Date.parse(read.validFrom)).toBeLessThanOrEqual(request.now.getTime() - 12 * 3_600_000);
    expect(Date.parse(read.validTo)).toBeGreaterThan(request.now.getTime() + 29 * 86_400_000);
  });

  it("made by the command link two workers, and no stranger", async () => {
    expect(await certs("ours")).toBe(0);
    expect(await certs("theirs")).toBe(0);
    expect(statSync(join(folder, "ours/layer1.key")).mode & 0o777).toBe(0o600);
    const end = await ListenEnd.open({ tls: credentials("ours", "layer2") });
    cleanups.push(() => end.listener.close());
    const dial = (which: string) => {
      const other = new DialEnd(`wss://localhost:${end.port}/`, { tls: credentials(which, "layer1") });
      cleanups.unshift(() => other.dialler.close());
      return other;
    };
    const { link } = await dial("ours").ups.next();
    link.send(activation(0, 64));
    expect(await end.frames.next()).toMatchObject({ batch: 0 });
    const { link: none, why } = await dial("theirs").downs.next();
    expect(none).toBeUndefined();
    expect(why.reason).toMatch(/certificate|signature/i);
  });

  it("are refused for what is no worker", async () => {
    const said = { out: "", err: "" };
    expect(await runProgram(["certs", "--for", "layer1,../x", "--out", folder], testEdges(said))).toBe(78);
    expect(said.err).toBe('Cannot make certificates: --for has "../x", expected source, layer1, layer2, …\n');
  });
});

async function certs(name: string): Promise<number> {
  const edges = { ...testEdges({ out: "", err: "" }), date: () => new Date() };
  return runProgram(["certs", "--for", "source,layer1,layer2", "--out", join(folder, name)], edges);
}

function credentials(which: string, worker: string): TlsCredentials {
  const files = {
    certificate: join(folder, which, `${worker}.crt`),
    key: join(folder, which, `${worker}.key`),
    authority: join(folder, which, "ca.crt"),
  };
  expect(readFileSync(files.key, "utf8")).toContain("PRIVATE KEY");
  return readCredentials({ secretFile: undefined, tlsFiles: files }).tls!;
}
