import { encode } from "../../../shared/wire/codec.ts";
import { activation } from "../frames.ts";
import { clientFrame } from "../raw-frames.ts";

const [TEXT, BINARY, CLOSE, PING, PONG, CONTINUED] = [1, 2, 8, 9, 10, 0];
export const whole = encode(activation(0));
export const unfinished = clientFrame(BINARY, whole.subarray(0, 9), { fin: false });
export const many = (frame: Buffer, times: number) => Buffer.concat(Array(times).fill(frame));
const badCloseCode = (code: number) => clientFrame(CLOSE, Buffer.from([code >> 8, code & 255]));

/** What no WebSocket peer may write, and the code it hears for it; a listener's frames are of at most 1 MiB. */
export const hostileWebSocket: readonly (readonly [name: string, bytes: Buffer, code: number])[] = [
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (rsv) => [`reserved bits ${rsv}`, clientFrame(BINARY, whole, { rsv }), 1002] as const,
  ),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
    (opcode) => [`opcode ${opcode}`, clientFrame(opcode, "x"), 1002] as const,
  ),
  ["a frame without a mask", clientFrame(BINARY, whole, { masked: false }), 1002],
  ["an unmasked ping", clientFrame(PING, "", { masked: false }), 1002],
  ["a fragmented ping", clientFrame(PING, "", { fin: false }), 1002],
  ["a fragmented close", clientFrame(CLOSE, "", { fin: false }), 1002],
  ["a ping of 126 bytes", clientFrame(PING, "x".repeat(126)), 1002],
  ["a pong of 64 KB", clientFrame(PONG, "x".repeat(65_536)), 1002],
  ["a close of 126 bytes", clientFrame(CLOSE, "x".repeat(126)), 1002],
  ["a close of one byte", clientFrame(CLOSE, "x"), 1002],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(
    (code) => [`close code ${code}`, badCloseCode(code), 1002] as const,
  ),
  ["a close whose reason is not UTF-8", clientFrame(CLOSE, Buffer.from("03e8ff", "hex")), 1007],
  ["text that is not UTF-8", clientFrame(TEXT, Buffer.from("c328", "hex")), 1007],
  ["text", clientFrame(TEXT, "hello"), 4400],
  ["a continuation of nothing", clientFrame(CONTINUED, whole), 1002],
  ["a message within a message", Buffer.concat([unfinished, clientFrame(BINARY, whole)]), 1002],
  ["text within a message", Buffer.concat([unfinished, clientFrame(TEXT, "x")]), 1002],
  ["a length beyond 2^53", clientFrame(BINARY, "", { declared: 2n ** 63n, form: 64 }), 1009],
  ["a length of 4 GB", clientFrame(BINARY, "", { declared: 2n ** 32n, form: 64 }), 1009],
  ["one byte more than a frame may have", clientFrame(BINARY, "", { declared: (1 << 20) + 1 }), 1009],
  [
    "fragments that add up to more",
    Buffer.concat([unfinished, clientFrame(CONTINUED, "", { declared: 1 << 20, fin: false })]),
    1009,
  ],
  [
    "100,000 tiny fragments",
    Buffer.concat([unfinished, many(clientFrame(CONTINUED, "x", { fin: false }), 100_000)]),
    1008,
  ],
  [
    "100,000 empty fragments",
    Buffer.concat([unfinished, many(clientFrame(CONTINUED, "", { fin: false }), 100_000)]),
    1008,
  ],
  ["nothing, as a message", clientFrame(BINARY, ""), 4400],
  ["two frames as one message", clientFrame(BINARY, Buffer.concat([whole, whole])), 4400],
];
