import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** Where a run keeps its secret while it lasts. */
const SECRET_FILE = "secret";
/** How a proof stands in a frame, and in anything that shows one: in JSON or otherwise. */
const PROOF = /proof[^0-9a-z]{1,8}[0-9a-f]{64}/i;

/** Whether a secret stands in the text, as it is, in hex or in base64; or any proof that was made with one. */
export function leaks(text: string, secrets: readonly string[]): boolean {
  return PROOF.test(text) || secrets.flatMap(formsOf).some((form) => text.includes(form));
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [secret, bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, "")];
  // One that is hex itself may be shown as what it says.
  if (/^(?:[0-9a-f]{2})+$/i.test(secret))
    forms.push(Buffer.from(secret, "hex").toString("base64").replace(/=+$/, ""));
  return forms;
}

/** Files below `folder` in which one of the secrets stands, or a proof; but for where a run keeps its own. */
export function filesWith(secrets: readonly string[], folder: string): string[] {
  return filesUnder(folder).filter(
    (path) => basename(path) !== SECRET_FILE && leaks(readFileSync(path, "latin1"), secrets),
  );
}

export function filesUnder(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** Throws unless the secrets are known, and stand neither in what was said nor in a file below `folder`. */
export function expectNoLeaks(secrets: readonly string[], said: string, folder: string): void {
  if (secrets.length === 0) throw new Error(`Cannot search ${folder}: no secret of its runs is known`);
  const places = [
    ...(leaks(said, secrets) ? ["what was printed or told"] : []),
    ...filesWith(secrets, folder),
  ];
  if (places.length > 0) throw new Error(`a run's secret, or a proof, is in ${places.join(", ")}`);
}
