import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import type { Sender } from "./end.ts";
import { frameLengths } from "./our-link.ts";

/** ws with every option as it comes; the answers' length is fixed. */
export async function listenWs(): Promise<number> {
  const answer = Buffer.alloc(frameLengths({ rows: 64, columns: 1, window: 1, ms: 0 }).back);
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => {
    socket.on("message", () => socket.send(answer));
    socket.on("close", () => process.exit());
  });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

export async function dialWs(port: number): Promise<Sender> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, "open");
  let message = Buffer.alloc(0);
  const sender: Sender = {
    prepare(exchange) {
      message = Buffer.alloc(frameLengths(exchange).there);
    },
    send: () => socket.send(message),
    onAnswer: () => undefined,
  };
  socket.on("message", () => sender.onAnswer());
  socket.on("close", () => process.exit());
  return sender;
}
