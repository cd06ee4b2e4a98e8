import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { filesWith } from "./leaks.ts";

it("a secret is found wherever it was planted, in any of three forms, and nowhere else", () => {
  const folder = mkdtempSync(join(tmpdir(), "leaks-"));
  try {
    const secret = "5e".repeat(32);
    mkdirSync(join(folder, "logs"));
    const planted = {
      "logs/plain.log": `{"err":"proof by ${secret} failed"}\n`,
      "hex.safetensors": Buffer.concat([
        Buffer.from([0, 255]),
        Buffer.from(Buffer.from(secret).toString("hex")),
      ]),
      "logs/base64": Buffer.from(secret).toString("base64"),
    };
    for (const [name, text] of Object.entries(planted)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "innocent"), secret.slice(1));
    expect(filesWith(secret, folder).sort()).toEqual(
      Object.keys(planted)
        .map((name) => join(folder, name))
        .sort(),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
