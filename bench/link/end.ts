/**
 * One end of one carrier: `end.ts listen CARRIER DTYPE` says its port, `end.ts dial CARRIER DTYPE PORT` measures what it is
 * sent. Only our links know dtypes.
 */
import { once } from "node:events";
import type { LinkDtype } from "../../shared/wire/frames.ts";
import type { Carrier, Exchange } from "./ends.ts";
import { dialLink, listenLink } from "./our-link.ts";
import { dialTcp, listenTcp } from "./tcp.ts";
import { dialWs, listenWs } from "./ws.ts";

/** Sends one activation of the exchange under way; calls back for each answer that is whole. */
export interface Sender {
  prepare(exchange: Exchange): void;
  send(): void;
  onAnswer: () => void;
}

const [role, carrier, dtype, port] = process.argv.slice(2) as ["listen" | "dial", Carrier, LinkDtype, string];
// Whoever asked is gone.
process.on("disconnect", () => process.exit());
if (role === "listen") {
  process.send!(await { link: listenLink, tcp: listenTcp, ws: listenWs }[carrier](dtype));
} else {
  const sender = await { link: dialLink, tcp: dialTcp, ws: dialWs }[carrier](Number(port), dtype);
  process.send!("ready");
  for (;;) {
    const [exchange] = (await once(process, "message")) as [Exchange];
    process.send!(await measure(sender, exchange));
  }
}

/** Answers a second, with the window full all the time. */
function measure(sender: Sender, exchange: Exchange): Promise<number> {
  sender.prepare(exchange);
  const startedAt = performance.now();
  let answers = 0;
  let isOver = false;
  let inFlight = exchange.window;
  return new Promise((resolve) => {
    sender.onAnswer = () => {
      const elapsedMs = performance.now() - startedAt;
      if (!isOver) answers++;
      if (elapsedMs < exchange.ms) return sender.send();
      isOver = true;
      if (--inFlight === 0) resolve((answers * 1000) / elapsedMs);
    };
    for (let n = 0; n < exchange.window; n++) sender.send();
  });
}
