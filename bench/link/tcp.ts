import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Sender } from "./end.ts";
import { frameLengths } from "./our-link.ts";

/** Messages of a known length over a bare socket: eight bytes before an exchange say which. */
export async function listenTcp(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    let whole: ((bytes: number) => void) | undefined;
    socket.on("error", () => process.exit());
    socket.on("data", (bytes) => {
      if (bytes.length === LENGTHS_BYTES) whole = answering(socket, bytes);
      else whole?.(bytes.length);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const LENGTHS_BYTES = 8;

function answering(socket: Socket, lengths: Buffer): (bytes: number) => void {
  const answer = Buffer.alloc(lengths.readUInt32LE(4));
  socket.write(".");
  return countWhole(lengths.readUInt32LE(0), () => socket.write(answer));
}

/** Calls back whenever another `length` bytes are there. */
function countWhole(length: number, onWhole: () => void): (bytes: number) => void {
  let have = 0;
  return (bytes) => {
    for (have += bytes; have >= length; have -= length) onWhole();
  };
}

export async function dialTcp(port: number): Promise<Sender> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.on("error", () => process.exit());
  let message = Buffer.alloc(0);
  let whole: ((bytes: number) => void) | undefined;
  const waiting: (() => void)[] = [];
  socket.on("data", (bytes) => {
    if (whole) return whole(bytes.length);
    // The listener knows the lengths now: what waited for that may go.
    whole = countWhole(answerBytes, () => sender.onAnswer());
    for (const send of waiting.splice(0)) send();
  });
  let answerBytes = 0;
  const sender: Sender = {
    prepare(exchange) {
      const { there, back } = frameLengths(exchange);
      message = Buffer.alloc(there);
      answerBytes = back;
      whole = undefined;
      const lengths = Buffer.alloc(LENGTHS_BYTES);
      lengths.writeUInt32LE(there, 0);
      lengths.writeUInt32LE(back, 4);
      socket.write(lengths);
    },
    send() {
      if (whole) socket.write(message);
      else waiting.push(() => socket.write(message));
    },
    onAnswer: () => undefined,
  };
  return sender;
}
