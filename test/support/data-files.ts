import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import sharp from "sharp";
import { gaussian, integerBelow, type Random, randomStream, uniform } from "../../shared/data/random.ts";

/** Files of data as users have them, made anew by each test that needs some. */
export function put(path: string, content: string | Uint8Array): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** The bytes of a .npy file, version 1.0. */
export function npyBytes(
  descr: string,
  shape: readonly number[],
  values: Uint8Array,
  order = "False",
): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${sizes}), }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.from(`\x93NUMPY\x01\x00\x00\x00`, "latin1");
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded, "latin1"), values]);
}

export const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
export const doubles = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer);
export const longs = (...values: number[]) => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);

/** Three kinds of flowers, four measures each: two of them overlap. */
export function irisLike(rows: number): string {
  const random = randomStream(11);
  const kinds = [
    ["setosa", 5, 3.4, 1.5, 0.2],
    ["versicolor", 5.9, 2.8, 4.3, 1.3],
    ["virginica", 6.6, 3, 5.5, 2],
  ] as const;
  const lines = Array.from({ length: rows }, () => {
    const [name, ...means] = kinds[integerBelow(random, 3)]!;
    return [...means.map((mean) => (mean + 0.3 * gaussian(random)).toFixed(1)), name].join(",");
  });
  return `${["sepal_length,sepal_width,petal_length,petal_width,species", ...lines].join("\n")}\n`;
}

/** Prices of houses: not linear in what is told of them, with noise, categories and gaps. */
export function housingLike(rows: number): string {
  const random = randomStream(12);
  const towns = ["Bonn", "Oslo", "Rome"];
  const lines = Array.from({ length: rows }, () => {
    const area = 40 + 160 * uniform(random);
    const age = 80 * uniform(random);
    const town = integerBelow(random, 3);
    const price = area * (2 + 0.7 * town) - 1.2 * age + 40 * Math.sin(area / 25) + 12 * gaussian(random);
    const shownAge = uniform(random) < 0.05 ? "" : age.toFixed(0);
    return `${area.toFixed(1)},${shownAge},${towns[town]},${(1000 * price).toFixed(0)}`;
  });
  return `${["area,age,town,price", ...lines].join("\n")}\n`;
}

/** Words, after each of which two others may come; what letter is next depends on several before it together. */
export function wordsLike(count: number): string {
  const random = randomStream(15);
  const words =
    "stone store story steam steal snare snore spare spore share shore shone phone prone crone crane".split(
      " ",
    );
  let at = 0;
  const text = Array.from({ length: count }, () => {
    at = (5 * at + 3 + 6 * integerBelow(random, 2)) % words.length;
    return words[at];
  });
  return `${text.join(" ")}\n`;
}

/** Pictures of five shapes in colours and places that say nothing, 28 × 28, in a folder for each. */
export async function shapes(folder: string, count: number): Promise<void> {
  const random = randomStream(13);
  const names = ["circle", "cross", "horizontal", "square", "vertical"];
  for (let index = 0; index < count; index++) {
    const kind = index % 5;
    const pixels = shape(kind, random);
    const png = sharp(pixels, { raw: { width: 28, height: 28, channels: 3 } }).png();
    put(`${folder}/${names[kind]}/${index}.png`, await png.toBuffer());
  }
}

function shape(kind: number, random: Random): Buffer {
  const [x, y] = [11 + 6 * uniform(random), 11 + 6 * uniform(random)];
  const size = 5 + 3 * uniform(random);
  const colour = [0, 1, 2].map(() => 120 + 135 * uniform(random));
  const pixels = Buffer.alloc(28 * 28 * 3);
  for (let at = 0; at < 28 * 28; at++) {
    const [across, down] = [Math.abs((at % 28) - x), Math.abs(Math.floor(at / 28) - y)];
    const far = Math.max(across, down);
    const isOn = [
      Math.abs(Math.hypot(across, down) - size) < 1.5,
      far < size && Math.min(across, down) < 1.5,
      down < 1.5 && across < size + 2,
      far < size + 1 && far > size - 2,
      across < 1.5 && down < size + 2,
    ][kind]!;
    for (let plane = 0; plane < 3; plane++)
      pixels[3 * at + plane] = Math.min(255, (isOn ? colour[plane]! : 30) + 40 * uniform(random));
  }
  return pixels;
}
