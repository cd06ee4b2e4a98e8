import { describe, expect, it } from "vitest";
import { openListenerWarnings, readCredentials } from "../../shared/link/credentials.ts";
import { Secret } from "../../shared/link/secret.ts";

const none = { secret: undefined, tls: undefined };

describe("a worker's credentials", () => {
  it("are none when none are named, and never none when a file is named that cannot be read", () => {
    expect(readCredentials({ secretFile: undefined, tlsFiles: undefined })).toEqual(none);
    expect(() => readCredentials({ secretFile: "/nowhere", tlsFiles: undefined })).toThrow(
      "Cannot read the secret in /nowhere",
    );
  });
});

describe("listening without a secret", () => {
  it.each(["127.0.0.1", "127.8.0.1", "localhost", "::1", "[::1]"])("is fine on %s", (host) => {
    expect(openListenerWarnings(host, none)).toEqual([]);
  });

  it.each(["0.0.0.0", "::", "10.0.0.7", "127.0.0.1.example.org", "layer1"])("is warned of on %s", (host) => {
    expect(openListenerWarnings(host, none)).toEqual([
      expect.stringContaining(`anyone who reaches ${host} may`),
    ]);
    expect(openListenerWarnings(host, { ...none, secret: new Secret(Buffer.alloc(32)) })).toEqual([]);
  });
});
