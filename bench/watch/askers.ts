/** `askers.ts PORT PER_SECOND`: asks the network held-out examples, so many a second. Tells its parent at the first answer. */
import { request } from "node:http";

const [port, perSecond] = process.argv.slice(2).map(Number);
let asked = 0;
let isHeard = false;
setInterval(() => {
  const asking = request({ host: "127.0.0.1", port, path: "/api/ask", method: "POST" }, (response) => {
    response.on("error", () => undefined);
    response.resume();
    response.on("end", () => {
      if (!isHeard) process.send!("asking");
      isHeard = true;
    });
  });
  // A hub that stands still answers later.
  asking.on("error", () => undefined);
  asking.end(JSON.stringify({ example: asked++ }));
}, 1000 / perSecond!);
