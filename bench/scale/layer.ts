import type { DeliveryState } from "../../shared/delivery/delivery-state.ts";
import type { LayerEvent } from "../../shared/delivery/layer-event.ts";
import type { Rules } from "../../shared/delivery/rules.ts";

/** What frames hold is not simulated, only whether a target came. */
export type Nothing = { batch: null; evaluation: null; barrier: null; correction: null; target: true };

export interface Layer {
  state: DeliveryState<Nothing>;
  isUp: boolean;
  life: number;
  busyUntil: number;
  durable: number;
  diedAt: number | undefined;
  isBusy: boolean;
  waiting: { readonly event: LayerEvent<Nothing>; readonly isValid: () => boolean }[];
  readonly rules: Rules;
}
