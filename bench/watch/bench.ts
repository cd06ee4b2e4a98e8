import type { Bench } from "../harness/bench.ts";
import { measurePage } from "./page-times.ts";
import { measureThroughput } from "./throughput.ts";

export const bench: Bench = {
  title: "Watching: what it costs, and how soon one sees",
  async run(asked) {
    const throughput = await measureThroughput(asked);
    const page = await measurePage(asked);
    const why = "The page was left out: there is no /usr/bin/chromium.";
    if (page === undefined) asked.say(why);
    return {
      tables: [throughput, ...(page ? [page] : [])],
      notes: [
        ...(page ? [] : [why]),
        "Six runs, four of them with a hub, all with the same kernels and there from the beginning to the end; all but one stand still (SIGSTOP) and they take turns of two seconds, of which the first half second does not count, so that what slows the machine slows all of them. A turn in which others took more than a twentieth of the machine is taken again, three times at most. The second run without a hub shows what chance alone makes of a ratio. No evaluations and no checkpoints, which take their time when it suits them. The hub writes the workers' logs too.",
        "Processor time is that of the source and all layers, of the hub, and of those who look, for each batch. The browsers that read are one process that reads twenty streams and asks for what the page asks for, as often, and draws nothing: what they cost is no cost of the hub, and is in the ratio all the same. The one that never reads is a socket that asked for the stream.",
        "Training again: the line that layer 2 writes into its log at the first update of its new life. The page's own browser runs on the same two cores.",
      ],
    };
  },
};
