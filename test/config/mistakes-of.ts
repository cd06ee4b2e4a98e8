import { ConfigError, readConfig } from "../../shared/config/read-config.ts";

export const shortest = `
data: {set: two-rings}
layers: [{outputs: 8}, {outputs: 2}]
run: {batches: 1000}
`;

export function mistakesOf(text: string, ...overrides: string[]): readonly string[] {
  try {
    readConfig(text, "x.yaml", overrides);
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.mistakes;
    throw cause;
  }
  return [];
}
