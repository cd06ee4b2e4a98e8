/** How patient a link is, in milliseconds. */
export interface LinkTimings {
  /** Between two pings; a peer silent for two of them is gone. */
  readonly heartbeatMs: number;
  /** From the first packet to the welcome. */
  readonly handshakeMs: number;
  /** The longest wait before dialling again: after one failure, and after many. */
  readonly backoffMs: { readonly first: number; readonly most: number };
}
