import type { Check } from "../check.ts";
import { ANSWER_MS, Broken, SILENCE_MS } from "../peer.ts";

/** Signs of life. */
export const heartbeat: readonly Check[] = [
  {
    section: "Topology",
    claim: "each end pings every link.heartbeatMs",
    run: async (bench) => {
      const { peer } = await bench.linkBefore();
      await new Promise((resolve) => setTimeout(resolve, 3 * bench.subject.heartbeatMs + SILENCE_MS));
      if (peer.pings === 0) throw new Broken(`expected a ping within three intervals, none came`);
      if (!peer.isOpen) throw new Broken("the link ended, though pings were answered");
    },
    limitMs: 20_000,
  },
  {
    section: "Topology",
    claim: "frames are signs of life, too: a link without pongs that brings them lives on",
    run: async (bench) => {
      await bench.settle();
      bench.before.socket.pong = () => {};
      for (let time = 0; time < 6; time++) {
        // A gap, which changes nothing.
        bench.before.send(bench.activation(bench.cursor + 3));
        await new Promise((resolve) => setTimeout(resolve, bench.subject.heartbeatMs));
        if (!bench.before.isOpen) throw new Broken("it was cut, though frames came all the time");
      }
    },
    limitMs: 30_000,
  },
  {
    section: "Topology",
    claim: "a link from which nothing is heard for three intervals is cut",
    run: async (bench) => {
      const { peer } = await bench.linkBefore();
      // Neither pings nor answers them from now on.
      peer.socket.pong = () => {};
      const { heartbeatMs } = bench.subject;
      const begun = performance.now();
      await peer.closes(6 * heartbeatMs + ANSWER_MS);
      const tookMs = performance.now() - begun;
      if (tookMs < heartbeatMs)
        throw new Broken(`it was cut after ${Math.round(tookMs)} ms, expected two intervals`);
    },
    limitMs: 40_000,
  },
];
