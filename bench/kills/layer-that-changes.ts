/** The layer of services/layer. At SIGUSR2 it becomes what the file of kinds.ts says: itself at first. */
import { readFileSync } from "node:fs";
import { LayerWork } from "../../services/layer/layer-work.ts";
import { OrderFile } from "../../services/layer/order-file.ts";
import { SentLog } from "../../services/layer/sent-log.ts";
import { ALL, KIND_FILE, NO_ORDER, NOTHING } from "./kinds.ts";

let kind: string = ALL;
process.on("SIGUSR2", () => {
  kind = readFileSync(process.env[KIND_FILE]!, "utf8");
});
const keeps = () => kind !== NOTHING;
const writesOrder = () => keeps() && kind !== NO_ORDER;

const { keep } = SentLog.prototype;
SentLog.prototype.keep = function (...sent) {
  if (keeps()) keep.apply(this, sent);
};

const { keptSince } = LayerWork.prototype;
LayerWork.prototype.keptSince = function (...from) {
  return keeps() ? keptSince.apply(this, from) : undefined;
};

const { note } = OrderFile.prototype;
OrderFile.prototype.note = function (...learnt) {
  return writesOrder() ? note.apply(this, learnt) : true;
};

await import("../../services/layer/main.ts");
