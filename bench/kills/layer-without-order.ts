/** The layer of services/layer, but it does not write down how many targets it has learnt before which batch. */
import { OrderFile } from "../../services/layer/order-file.ts";

OrderFile.prototype.note = () => true;

await import("../../services/layer/main.ts");
