import { InvalidArgumentError } from "commander";

/** For commander: throws what it expects where it is none. */
export function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port < 65536) return port;
  throw new InvalidArgumentError("Expected a port.");
}
