import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Sends the source a command, as whoever may read the run's folder can. `hub`: its address, of any page of it. */
export async function commandSource(hub: string, folder: string, command: "pause" | "resume"): Promise<void> {
  const authorization = `Bearer ${readFileSync(join(folder, "control-token"), "utf8").trim()}`;
  const body = JSON.stringify({ worker: "source", command });
  const { status } = await fetch(new URL("/api/control", hub), {
    method: "POST",
    headers: { authorization },
    body,
  });
  if (status !== 200) throw new Error(`Cannot ${command} the source: the hub answers ${status}`);
}
