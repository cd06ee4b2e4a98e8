import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Files below `folder` in which the secret stands, as it is, in hex or in base64. */
export function filesWith(secret: string, folder: string): string[] {
  const bytes = Buffer.from(secret);
  const forms = [secret, bytes.toString("hex"), bytes.toString("base64")].map((form) =>
    form.replace(/=+$/, ""),
  );
  const holds = (path: string) => {
    const text = readFileSync(path, "latin1");
    return forms.some((form) => text.includes(form));
  };
  return filesUnder(folder).filter(holds);
}

export function filesUnder(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
}
