import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsCredentials } from "../../../shared/link/tls.ts";

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Authorities and what they signed, made by the openssl of this machine as docs/security.md shows. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), "unlocked-certificates-"));

  /** Why there can be none; undefined if there can. */
  static missing(): string | undefined {
    try {
      execFileSync("openssl", ["version"], { stdio: "ignore" });
      return undefined;
    } catch {
      return "there is no openssl on this machine";
    }
  }

  /** A new authority. */
  authority(name: string): void {
    this.#openssl("req", "-x509", ...NEW_KEY, "-subj", `/CN=${name}`, "-days", "2", ...this.#out(name));
  }

  /** Signed by that authority, for these names ("IP:127.0.0.1"); `days` below zero is over already. */
  worker(name: string, authority: string, names: string, days = 2): TlsCredentials {
    const request = this.path(`${name}.csr`);
    const extensions = this.path(`${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}\nbasicConstraints=critical,CA:false\n`);
    this.#openssl(
      "req",
      "-new",
      ...NEW_KEY,
      "-subj",
      `/CN=${name}`,
      "-keyout",
      this.path(`${name}.key`),
      "-out",
      request,
    );
    const by = [
      "-CA",
      this.path(`${authority}.pem`),
      "-CAkey",
      this.path(`${authority}.key`),
      "-CAcreateserial",
    ];
    const which = ["-days", String(days), "-extfile", extensions, "-out", this.path(`${name}.pem`)];
    this.#openssl("x509", "-req", "-in", request, ...by, ...which);
    return this.read(name, authority);
  }

  read(name: string, authority: string): TlsCredentials {
    const [certificate, key, ca] = [`${name}.pem`, `${name}.key`, `${authority}.pem`].map((file) =>
      readFileSync(this.path(file)),
    );
    return { certificate: certificate!, key: key!, authority: ca! };
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #out(name: string): string[] {
    return ["-keyout", this.path(`${name}.key`), "-out", this.path(`${name}.pem`)];
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, { stdio: "pipe" });
  }
}
