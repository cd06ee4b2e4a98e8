import sharp from "sharp";
import { expect, it } from "vitest";
import { rgbaOf } from "../../../services/page/ask/pixels.ts";
import { decodeImage } from "../../../shared/data/pictures/image-file.ts";

const OPAQUE = 255;
const colours = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [10, 20, 30],
  [200, 100, 50],
  [1, 2, 3],
];

it("a picture in colours is painted as it was before the images kind read it", async () => {
  const png = await sharp(Buffer.from(colours.flat()), { raw: { width: 3, height: 2, channels: 3 } })
    .png()
    .toBuffer();
  const read = await decodeImage(png, { height: 2, width: 3, channels: 3 }, "stretch");
  expect(rgbaOf([...read], 3, 2)).toEqual(colours.flatMap((colour) => [...colour, OPAQUE]));
});

it("one channel is grey", () => {
  expect(rgbaOf([7, 9], 2, 1)).toEqual([7, 7, 7, OPAQUE, 9, 9, 9, OPAQUE]);
});
