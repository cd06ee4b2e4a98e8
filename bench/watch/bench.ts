import type { Bench } from "../harness/bench.ts";
import { measurePage } from "./page-times.ts";
import { measureQuestions } from "./questions.ts";
import { measureThroughput } from "./throughput.ts";

export const bench: Bench = {
  title: "Watching: its cost, and how soon the page shows a change",
  async run(asked) {
    const throughput = await measureThroughput(asked);
    const questions = await measureQuestions(asked);
    const page = await measurePage(asked);
    const why = "The page was left out: there is no /usr/bin/chromium.";
    if (page === undefined) asked.say(why);
    return {
      tables: [throughput, questions, ...(page ? [page] : [])],
      notes: [
        ...(page ? [] : [why]),
        "Seven runs with the same kernels, five of them with a hub, are there from the beginning to the end. They take turns of two seconds, in which all others stand still (SIGSTOP), so that what slows the machine slows all of them. The first half second of a turn does not count. A turn in which other work took more than a twentieth of the machine is repeated, at most three times.",
        "The second run without a hub shows what chance makes of a ratio. There are no evaluations and no checkpoints, because these fall into some turns and not into others. The hub writes the workers' logs too.",
        "Processor time is for each batch: of the source and all layers, of the hub, and of the viewers. The browsers that read are one process, which reads twenty streams, asks for what the page asks for, as often, and draws nothing. Their cost is not the hub's, but is in the ratio all the same. The browser that never reads is a socket that asked for the stream.",
        "A layer trains again from the line in its log at the first update of its new life. The page's browser runs on the same two cores.",
      ],
    };
  },
};
