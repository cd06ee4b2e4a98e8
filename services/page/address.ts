/** What the address says behind its #: the token for commands, and which run to show. */
export interface Address {
  readonly token?: string;
  readonly run?: string;
}

export function readHash(hash: string): Address {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const [token, run] = [said.get("token"), said.get("run")];
  return { ...(token ? { token } : {}), ...(run ? { run } : {}) };
}

/** Without the token, which must not stay in the history, be copied or photographed. */
export function hashOf({ run }: Address): string {
  return run === undefined ? "" : `#${new URLSearchParams({ run })}`;
}
