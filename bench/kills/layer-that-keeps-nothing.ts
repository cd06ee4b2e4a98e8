/** The layer of services/layer, but it neither keeps what it sent nor writes down its order of learning. */
import { LayerWork } from "../../services/layer/layer-work.ts";
import { SentLog } from "../../services/layer/sent-log.ts";

SentLog.prototype.keep = () => {};
LayerWork.prototype.keptSince = () => undefined;

await import("./layer-without-order.ts");
