import type { DataFacts } from "../data-set-kind.ts";
import { EncodeError } from "../encode.ts";

type Shape = Required<Pick<DataFacts, "image">>["image"];

/**
 * The pixels of a PNG or JPEG, a path or its bytes: rows × columns × channels, 0 to 255. Turned upright, scaled, and cropped to
 * its middle ("crop") or stretched; grey where there is one channel. Rejects with an EncodeError.
 */
export async function decodeImage(
  source: string | Uint8Array,
  { height, width, channels }: Shape,
  fit: DataFacts["fit"] = "crop",
): Promise<Uint8Array> {
  if (channels !== 1 && channels !== 3)
    throw new EncodeError(`Cannot decode an image for ${channels} channels: expected 1 or 3`);
  // Only where there are pictures: it is large.
  const { default: sharp } = await import("sharp");
  try {
    const upright = sharp(source).rotate().flatten({ background: "black" });
    const sized = upright.resize(width, height, { fit: fit === "crop" ? "cover" : "fill" });
    const coloured = channels === 1 ? sized.toColourspace("b-w") : sized.toColourspace("srgb");
    const { data, info } = await coloured.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`it has ${info.channels} channels, expected ${channels}`);
    return data;
  } catch (cause) {
    const name = typeof source === "string" ? source : "the image";
    throw new EncodeError(`Cannot decode ${name}: ${(cause as Error).message.split("\n")[0]}`, { cause });
  }
}
