import sharp from "sharp";
import { type Case, refused } from "./training.ts";

const IMAGES = "{ set: images, path: HERE/p, height: 8, width: 8, cache: HERE/cache }";
const picture = (format: "png" | "jpeg") =>
  sharp(Buffer.alloc(300, 7), { raw: { width: 10, height: 10, channels: 3 } })
    .toFormat(format)
    .toBuffer();
const [png, jpeg] = [await picture("png"), await picture("jpeg")];
const pictures: readonly Case[] = [
  ["no such folder", IMAGES, {}, "Cannot read p: no such folder"],
  ["a file", IMAGES, { p: "x" }, "Cannot read p: it is no folder"],
  [
    "no classes",
    IMAGES,
    { "p/1.png": png, "p/2.png": png },
    "it has 0 folders, its pictures lie side by side",
  ],
  ["one class", IMAGES, { "p/a/1.png": png }, "it has 1 folders; expected a folder for each class"],
  [
    "an empty class",
    IMAGES,
    { "p/a/1.png": png, "p/b/notes.txt": "" },
    "Cannot use p/b: it has no PNG or JPEG, so the class is empty",
  ],
  [
    "a PNG cut short",
    IMAGES,
    { "p/a/1.png": png, "p/b/2.png": png.subarray(0, png.length - 30) },
    "Cannot decode p/b/2.png: ",
  ],
  [
    "a JPEG cut short",
    IMAGES,
    { "p/a/1.jpg": jpeg.subarray(0, 200), "p/b/2.png": png },
    "Cannot decode p/a/1.jpg: ",
  ],
  [
    "a text that is called .png",
    IMAGES,
    { "p/a/1.png": "hello", "p/b/2.png": png },
    "Cannot decode p/a/1.png: ",
  ],
  ["an empty file", IMAGES, { "p/a/1.png": "", "p/b/2.png": png }, "Cannot decode p/a/1.png: "],
  [
    "a folder that is called .png",
    IMAGES,
    { "p/a/1.png/x": "", "p/b/2.png": png },
    "Cannot decode p/a/1.png: ",
  ],
];

refused("a folder of pictures", pictures, [IMAGES, { "p/a/1.png": png, "p/b/2.jpg": jpeg }]);
