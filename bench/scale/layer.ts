import type { DeliveryState } from "../../shared/delivery/delivery-state.ts";
import type { LayerEvent } from "../../shared/delivery/layer-event.ts";
import type { Rules } from "../../shared/delivery/rules.ts";

/** Nothing of what frames hold is simulated, only whether a target came. */
export type P = { batch: null; evaluation: null; barrier: null; correction: null; target: true };

export interface Layer {
  state: DeliveryState<P>;
  isUp: boolean;
  life: number;
  busyUntil: number;
  durable: number;
  diedAt: number | undefined;
  isBusy: boolean;
  waiting: { readonly event: LayerEvent<P>; readonly isValid: () => boolean }[];
  readonly rules: Rules;
}
