import type { Foreign } from "./foreign.ts";

export interface TrainRequest {
  readonly config: string | undefined;
  readonly overrides: readonly string[];
  /** Go on with a run: this one, or the latest (true). */
  readonly resume: string | true | undefined;
  /** Go on from the newest snapshot of this batch at most. */
  readonly fromSnapshot: number | undefined;
  /** Where the runs are. */
  readonly runs: string;
  /** Layers that someone else starts; empty on a resume: those of before. */
  readonly foreign: Foreign;
  readonly quiet: boolean;
  /** Write down when each layer did what. */
  readonly isTraced: boolean;
  /** Event files for TensorBoard while it is trained; needs a dashboard, whose hub keeps the record they are made of. */
  readonly hasEventFiles: boolean;
  /** Undefined where there is to be none. */
  readonly dashboard: { readonly port: number | undefined; readonly control: boolean } | undefined;
}
