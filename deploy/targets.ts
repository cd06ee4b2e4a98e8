import { composeFile } from "./compose.ts";
import { kubernetesManifests } from "./kubernetes.ts";
import type { Target } from "./network.ts";
import { swarmStack } from "./swarm.ts";

/** Where a network can be deployed; a new target is a file and a line here. */
export const targets: Readonly<Record<string, Target>> = {
  compose: composeFile,
  swarm: swarmStack,
  kubernetes: kubernetesManifests,
};
