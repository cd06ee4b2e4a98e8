import { WebSocket } from "ws";
import { ANSWER_MS } from "./peer.ts";

/** Whether nobody takes a connection there. */
export function isUnreachable(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { handshakeTimeout: ANSWER_MS });
    socket.on("error", () => resolve(true));
    socket.on("open", () => {
      socket.terminate();
      resolve(false);
    });
  });
}
