import type { Bench } from "../harness/bench.ts";
import { renderSpread } from "../harness/render.ts";
import type { Bar, Table } from "../harness/report.ts";
import { alternate, ratioOf, spreadOf } from "../harness/statistics.ts";
import { Ends, type Exchange } from "./ends.ts";

const WINDOW = 16;
/** 64 × 256 and 64 × 800 floats. */
const SIZES = [
  { name: "64 KiB", columns: 256 },
  { name: "200 KiB", columns: 800 },
] as const;

export const bench: Bench = {
  title: "Link: close to the wire",
  async run({ isQuick, say }) {
    const [link, tcp, ws] = await Promise.all([Ends.start("link"), Ends.start("tcp"), Ends.start("ws")]);
    const ends = { link, tcp, ws };
    const rows: Table["rows"][number][] = [];
    const bars: Bar[] = [];
    for (const { name, columns } of SIZES) {
      say(`${name} there, 64 KiB back`);
      const exchange: Exchange = { rows: 64, columns, window: WINDOW, ms: isQuick ? 600 : 1500 };
      const rates = await alternate(
        {
          link: () => ends.link.rate(exchange),
          tcp: () => ends.tcp.rate(exchange),
          ws: () => ends.ws.rate(exchange),
        },
        { rounds: isQuick ? 2 : 9, warmUp: 2 },
      );
      const [toTcp, toWs] = [ratioOf(rates.link, rates.tcp), ratioOf(rates.link, rates.ws)];
      const perSecond = [rates.link, rates.tcp, rates.ws].map((each) => spreadOf(each).median);
      rows.push([name, ...perSecond, renderSpread(toTcp, "×"), renderSpread(toWs, "×")]);
      bars.push({ of: `${name} against bare TCP`, measured: toTcp.median, unit: "×", least: 0.5 });
      bars.push({ of: `${name} against ws as it comes`, measured: toWs.median, unit: "×", least: 3 });
    }
    for (const each of Object.values(ends)) await each.stop();
    const columns = ["tensor there", "our link /s", "bare TCP /s", "ws /s", "link : TCP", "link : ws"];
    return {
      tables: [{ title: `Exchanges a second, window ${WINDOW}, answer of 64 KiB`, columns, rows, bars }],
      notes: [
        "Each is two processes over loopback. Our link dials, listens, encodes, scans, decodes, checks every value before sending and on arrival, and keeps a heartbeat. TCP is the same bytes on a bare socket, counted and not looked at. ws is the same bytes with its default options, so its client masks.",
      ],
    };
  },
};
