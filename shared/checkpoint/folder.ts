import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes `folder` and those above it, durably. */
export async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made === undefined) return;
  // A power cut could otherwise take the new folder away with everything durable in it.
  for (let child = resolve(folder); ; child = dirname(child)) {
    await syncFolder(dirname(child));
    if (child === resolve(made)) return;
  }
}

/** Makes the names in `folder` durable: what was created, renamed and removed. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
