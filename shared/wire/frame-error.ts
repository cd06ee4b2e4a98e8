import { CloseCode } from "./frames.ts";

/**
 * A peer sent what the protocol does not allow. The message is the one-line reason for closing the link, `code`
 * its close code.
 */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code: number;

  constructor(message: string, code: number = CloseCode.badFrame) {
    super(message);
    this.code = code;
  }
}
