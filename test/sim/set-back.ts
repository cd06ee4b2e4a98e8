import type { Disk } from "../../shared/checkpoint/disk.ts";
import { findSnapshot, goBack } from "../../shared/checkpoint/go-back.ts";
import type { Manifest } from "../../shared/checkpoint/snapshot-manifest.ts";
import type { Config } from "../../shared/config/config.ts";
import { configHash } from "../../shared/config/hash.ts";
import type { Violate } from "./checks/invariant.ts";
import type { Machine } from "./machine.ts";
import { RECORD, RUN, STATE } from "./world/folders.ts";
import { Life } from "./world/life.ts";

/** As a person does it whose processes are all down: back to the newest snapshot, which it gives. */
export async function setBack(
  config: Config,
  posts: readonly Machine[],
  violate: Violate,
): Promise<Manifest> {
  const states = posts.slice(1).map(({ name }) => `/${name}${STATE}`);
  const record = `/source${RECORD}`;
  const places = { run: RUN, configHash: configHash(config), record, states };
  const disk = everyDisk(posts);
  const { found, unfit } = await findSnapshot(places, undefined, disk);
  for (const { name, why } of unfit) violate("snapshot", `${name}: ${why}`);
  if (!found) throw new Error("Cannot go back: there is no snapshot");
  await goBack(places, found, "aside", disk);
  return found.manifest;
}

/** The disks of all machines, each below the name of its post. */
function everyDisk(posts: readonly Machine[]): Disk {
  const life = new Life("go back", () => {});
  const at = (path: string): readonly [Disk, string] => {
    const [, name, rest] = /^\/(\w+)(\/.*)$/.exec(path)!;
    return [posts.find((post) => post.name === name)!.disk.seenBy(life), rest!];
  };
  const onOne =
    <Name extends keyof Disk>(name: Name) =>
    (path: string, ...others: string[]) => {
      const [disk, inside] = at(path);
      const call = disk[name] as (...paths: string[]) => Promise<never>;
      return call(inside, ...others.map((other) => at(other)[1]));
    };
  return {
    ...{ makeFolder: onOne("makeFolder"), syncFolder: onOne("syncFolder"), list: onOne("list") },
    ...{ requireAccess: onOne("requireAccess"), create: onOne("create"), read: onOne("read") },
    ...{ writtenAt: onOne("writtenAt"), rename: onOne("rename"), remove: onOne("remove") },
  };
}
