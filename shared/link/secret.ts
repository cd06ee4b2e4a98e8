import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";

const LEAST_BYTES = 16;
const MOST_BYTES = 512;

/** What only the workers of a run know. It can be used and not shown: no log, error or JSON holds it. */
export class Secret {
  readonly #key: KeyObject;

  /** Throws a RangeError unless there are 16 to 512 bytes. */
  constructor(bytes: Uint8Array) {
    if (bytes.length < LEAST_BYTES || bytes.length > MOST_BYTES) {
      throw new RangeError(`it has ${bytes.length} bytes, expected ${LEAST_BYTES} to ${MOST_BYTES}`);
    }
    this.#key = createSecretKey(bytes);
  }

  /** HMAC-SHA256 of the text. */
  sign(text: string): Buffer {
    return createHmac("sha256", this.#key).update(text).digest();
  }
}

/** The secret in a file, without the blanks and newlines around it. Throws when there is none. */
export function readSecret(path: string): Secret {
  try {
    // latin1 keeps every byte as it is.
    return new Secret(
      Buffer.from(readFileSync(path, "latin1").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ""), "latin1"),
    );
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const found = code === "ENOENT" ? "no such file" : message;
    throw new Error(`Cannot read the secret in ${path}: ${found}`, { cause: error });
  }
}
