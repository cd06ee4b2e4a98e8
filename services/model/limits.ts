/** What a served model takes at most; beyond it requests are refused, and nothing grows. */
export interface Limits {
  readonly bodyBytes: number;
  /** Examples of one request. */
  readonly rows: number;
  /** Requests that are read or answered at the same time. */
  readonly requests: number;
  readonly connections: number;
  /** Until a request has arrived whole. */
  readonly requestMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 8 * 1024 * 1024,
  rows: 1024,
  requests: 64,
  connections: 256,
  requestMs: 10_000,
};
