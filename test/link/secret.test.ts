import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { proofOf } from "../../shared/link/proof.ts";
import { readSecret, Secret } from "../../shared/link/secret.ts";
import { hello } from "../support/frames.ts";

const SECRET = "what only members of this run know";

const secret = new Secret(Buffer.from(SECRET));

describe("a secret", () => {
  function file(text: string): string {
    const folder = mkdtempSync(join(tmpdir(), "unlocked-secret-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "secret"), text);
    return join(folder, "secret");
  }

  it("is what the file holds, without the blanks around it, whatever its bytes", () => {
    expect(readSecret(file(` ${SECRET}\r\n\n`)).sign("x")).toEqual(secret.sign("x"));
    expect(secret.sign("x")).toEqual(createHmac("sha256", SECRET).update("x").digest());
  });

  it("signs as PROTOCOL.md shows", () => {
    const page = readFileSync("shared/wire/PROTOCOL.md", "utf8");
    const [, key = "", proof = ""] =
      /secret `([^`]+)`, a hello .*?has the proof\s+`([0-9a-f]{64})`/s.exec(page) ?? [];
    const greeting = {
      ...hello,
      run: "r",
      from: 1,
      to: 2,
      incarnation: 3,
      instance: "i",
      configHash: "0".repeat(64),
    };
    const nonces = { listener: "a".repeat(64), dialler: "b".repeat(64) };
    expect(proofOf(new Secret(Buffer.from(key)), { ...greeting, protocol: 2 }, 2, nonces)).toBe(proof);
  });

  it.each([
    ["too short", "0123456789abcde\n", "it has 15 bytes, expected 16 to 512"],
    ["empty", "\n", "it has 0 bytes, expected 16 to 512"],
    ["too long", "a".repeat(513), "it has 513 bytes, expected 16 to 512"],
  ])("is refused when %s, and the error does not hold it", (_, text, found) => {
    const path = file(text);
    expect(() => readSecret(path)).toThrow(new Error(`Cannot read the secret in ${path}: ${found}`));
  });

  it("that is not there is an error that says where", () => {
    expect(() => readSecret("/nowhere/secret")).toThrow(
      "Cannot read the secret in /nowhere/secret: no such file",
    );
  });

  it("is shown by no way of showing things", () => {
    const shown = [
      inspect({ secret }, { depth: 9, showHidden: true }),
      JSON.stringify({ secret }),
      `${secret}`,
    ];
    const forms = [SECRET, Buffer.from(SECRET).toString("hex"), Buffer.from(SECRET).toString("base64")];
    for (const text of shown) for (const form of forms) expect(text).not.toContain(form);
  });
});
