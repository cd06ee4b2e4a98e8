import type { Environment } from "../../../services/worker/environment.ts";
import type { SimulatedNetwork } from "../network/simulated-network.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Life } from "./life.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";
import type { SimulatedHub } from "./simulated-hub.ts";

/** What all lives share. */
interface Surroundings {
  readonly queue: EventQueue;
  readonly network: SimulatedNetwork;
  readonly hub: SimulatedHub | undefined;
}

/** The world of one life, in virtual time: it waits while that is stopped, and says nothing more once it is dead. */
export function worldOf(
  life: Life,
  disk: SimulatedDisk,
  { queue, network, hub }: Surroundings,
): Omit<Environment, "pid" | "log" | "tell" | "random"> {
  return {
    dial: network.dialFor(life),
    listen: network.listenFor(life),
    disk: disk.seenBy(life),
    hub: hub && { dial: hub.dialFor(life), rssBytes: () => 0, nodeVersion: "" },
    now: () => queue.now,
    date: () => new Date(queue.now),
    wallMs: () => queue.now,
    after: (ms, run) => {
      let isOn = true;
      queue.after(ms, () => life.run(() => isOn && run()));
      return () => {
        isOn = false;
      };
    },
    every: (ms, run) => {
      let isOn = true;
      const again = () =>
        queue.after(ms, () => {
          if (!isOn || !life.isAlive) return;
          life.run(() => isOn && run());
          again();
        });
      again();
      return () => {
        isOn = false;
      };
    },
  };
}
