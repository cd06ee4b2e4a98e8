import type { Findings } from "./report.ts";

/** One bench: a title for the page, and how to get its findings. */
export interface Bench {
  readonly title: string;
  run(asked: Asked): Promise<Findings>;
}

export interface Asked {
  /** A glance, to see that it works: fewer and shorter rounds, whose figures are not kept. */
  readonly isQuick: boolean;
  /** As long as the bar says, where that is more than minutes. */
  readonly isLong: boolean;
  /** Python that may have torch. */
  readonly python: string;
  /** Tells whoever waits. */
  readonly say: (line: string) => void;
}
