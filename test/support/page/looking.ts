import type { SeenBy } from "../../../shared/record/seen.ts";

/** What each worker saw of one batch. Rejects with the hub's reason. */
export async function lookAt(url: string): Promise<readonly SeenBy[]> {
  const response = await fetch(new URL("/api/look", url), { method: "POST" });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SeenBy);
}
