import type { RunView } from "../../../shared/record/hub-api.ts";

/** A few words on one thing that the page shows. */
export interface Note {
  readonly title: string;
  readonly text: string;
  /** CSS selector of what it speaks of. */
  readonly about: string;
}

/** The story of a network whose layers guess, told on this one; none where no layer guesses, or there is none to guess for. */
export function notesFor({
  config,
  workers,
  control,
}: Pick<RunView, "config" | "workers" | "control">): Note[] {
  const { method } = config.learning;
  const layers = workers.filter(({ layer }) => layer !== undefined);
  if ((method !== "dni" && method !== "cdni") || layers.length < 2) return [];
  const killed = layers.length > 2 ? "layer2" : "layer1";
  return [
    {
      title: "What is a guess?",
      text: "A layer should move its weights against the gradient of the loss, which only the end of the network knows. This one does not ask for it: a small network beside it, its generator, guesses the gradient from the layer's output alone or with the labels, and the layer moves at once.",
      about: room("layer1"),
    },
    {
      title: "Who teaches it?",
      text: "The next layer. It sends back the gradient at its own input, made from a guess of its own, and the generator learns from the difference. The room's cosine says how far both point the same way: 1 is the same direction, 0 has nothing to do with it.",
      about: link("layer1", "layer2"),
    },
    {
      title: "Where does the truth come from?",
      text: "The last layer has the loss, so it alone guesses nothing. Its gradient teaches the generator of the layer before, whose guesses teach the one before that: what is true reaches the first layer step by step, batch after batch.",
      about: room(layers.at(-1)!.name),
    },
    {
      title: "Why does nobody wait?",
      text: "An answer comes some batches late, and nothing depends on it but the next guesses. The meter counts batches that are on their way unanswered, and “stale” says how many updates the layer has made before it heard. Ordinary backpropagation would stand still for each of them.",
      about: `${link("layer1", "layer2")} .window`,
    },
    {
      title: "Kill one",
      text: `Every room is a process of its own. ${howToKill(control.isOn)} The rooms before it go on learning from their guesses, it is started again from its last checkpoint, and the curves below show where it was away.`,
      about: room(killed),
    },
  ];
}

function howToKill(isControlled: boolean): string {
  return isControlled
    ? "Press kill in this one."
    : "End the process of this one, or start a run with --control and press kill.";
}

function room(worker: string): string {
  return `.room[data-worker="${worker}"]`;
}

function link(from: string, to: string): string {
  return `.link[data-from="${from}"][data-to="${to}"]`;
}
