/** One WebSocket frame as a client writes it, of whatever bits: what it should not have is up to the test. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array | string = "",
  bits: {
    fin?: boolean;
    rsv?: number;
    masked?: boolean;
    declared?: number | bigint;
    form?: 7 | 16 | 64;
  } = {},
): Buffer {
  const { fin = true, rsv = 0, masked = true, declared = Buffer.byteLength(payload) } = bits;
  const form = bits.form ?? (declared < 126 ? 7 : declared < 65_536 ? 16 : 64);
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]);
  const maskBit = masked ? 0x80 : 0;
  const length = Buffer.alloc({ 7: 1, 16: 3, 64: 9 }[form]);
  if (form === 7) length[0] = maskBit | Number(declared);
  else length[0] = maskBit | (form === 16 ? 126 : 127);
  if (form === 16) length.writeUInt16BE(Number(declared), 1);
  if (form === 64) length.writeBigUInt64BE(BigInt(declared), 1);
  // A key of zeros leaves the payload as it is.
  return Buffer.concat([first, length, Buffer.alloc(masked ? 4 : 0), Buffer.from(payload as string)]);
}

export const upgradeRequest = [
  "GET / HTTP/1.1",
  "Host: x",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];

/** The code of the first close frame in what a server wrote after its upgrade; undefined if it wrote none. */
export function closeCodeIn(bytes: Buffer): number | undefined {
  let at = bytes.indexOf("\r\n\r\n") + 4;
  while (at + 2 <= bytes.length) {
    const short = bytes[at + 1]! & 0x7f;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if ((bytes[at]! & 0x0f) === 8) return length < 2 ? 1005 : bytes.readUInt16BE(at + header);
    at += header + length;
  }
  return undefined;
}
