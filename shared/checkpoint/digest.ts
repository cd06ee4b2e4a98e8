import { createHash } from "node:crypto";

/**
 * SHA-256, hex, of what a layer has learnt: the tensors called layer.*, generator.* and inputGenerator.*, never those
 * of an optimizer.
 * In order of names (by UTF-16 code unit), each as its name in UTF-8, a zero byte, its length as u64 LE, its floats LE.
 */
export function weightsDigest(tensors: Readonly<Record<string, Float32Array>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(tensors).filter(isLearnt).sort()) {
    const tensor = tensors[name]!;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(tensor.length));
    // The zero byte ends the name: without it "layer.w1" of one length could hash as "layer.w" of another.
    hash.update(`${name}\0`).update(length);
    hash.update(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength));
  }
  return hash.digest("hex");
}

function isLearnt(name: string): boolean {
  return ["layer.", "generator.", "inputGenerator."].some((start) => name.startsWith(start));
}
