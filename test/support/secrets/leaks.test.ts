import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { encode } from "../../../shared/wire/codec.ts";
import { hello } from "../frames.ts";
import { expectNoLeaks, filesWith } from "./leaks.ts";
import { prove } from "./prove.ts";
import { SecretWatch } from "./secret-watch.ts";

const SECRET = "5e".repeat(32);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "leaks-"));
  mkdirSync(join(folder, "a-run/logs"), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string | Buffer): void {
  writeFileSync(join(folder, "a-run", name), text);
}

it("a secret is found wherever it was planted, in any of its forms, as is a proof, and nothing else is", () => {
  const proved = prove(hello, "c".repeat(64), SECRET);
  const bytes = Buffer.from(SECRET);
  const planted = {
    "logs/plain.log": `{"err":"proof by ${SECRET} failed"}\n`,
    "hex.safetensors": Buffer.concat([Buffer.from([0, 255]), Buffer.from(bytes.toString("hex"))]),
    "logs/base64": bytes.toString("base64"),
    "what-it-says": Buffer.from(SECRET, "hex").toString("base64"),
    "frame.bin": Buffer.from(encode(proved)),
    "logs/frame.log": JSON.stringify(proved),
    "logs/shown.log": `hello { proof: '${proved.proof}' }`,
  };
  for (const [name, text] of Object.entries(planted)) write(name, text);
  write("innocent", SECRET.slice(1));
  write(
    "logs/innocent.log",
    '{"reason":"the proof in hello is wrong: another secret, or an old connection"}',
  );
  write("secret", SECRET);
  expect(filesWith([SECRET], folder).sort()).toEqual(
    Object.keys(planted)
      .map((name) => join(folder, "a-run", name))
      .sort(),
  );
});

it("a secret that is gone when the run is over was seen before, and is searched for", async () => {
  const watch = new SecretWatch(folder);
  write("secret", `${SECRET}\n`);
  watch.look();
  watch.stop();
  rmSync(join(folder, "a-run/secret"));
  write("logs/layer1.log", '{"msg":"started"}\n');
  watch.expectNone("training");
  expect(() => watch.expectNone(`with ${SECRET}`)).toThrow("is in what was printed or told");
  write("logs/layer2.log", SECRET);
  // Another life of the run in the same folder has another secret; that of the first is not forgotten.
  const next = new SecretWatch(folder);
  next.stop();
  expect(() => next.expectNone("")).toThrow(join(folder, "a-run/logs/layer2.log"));
});

it("a run whose secret nobody saw does not pass for one that kept it", () => {
  const watch = new SecretWatch(folder);
  watch.stop();
  watch.expectNone("refused before any worker started");
  write("logs/layer1.log", '{"msg":"started"}\n');
  expect(() => watch.expectNone("")).toThrow("no secret of its runs is known");
  expect(() => expectNoLeaks([], "", folder)).toThrow("no secret of its runs is known");
});
