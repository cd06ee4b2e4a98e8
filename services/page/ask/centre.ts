/** Grey values from 0 to 255, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: ArrayLike<number>;
}

/** Of a picture of 28 × 28: the box that a digit fills in MNIST. */
const BOX_SHARE = 20 / 28;

/**
 * What was drawn as MNIST has its digits: the box around it scaled to 20/28 of the target, and its centre of mass in the middle.
 * All black where nothing was drawn.
 */
export function centred(drawn: Picture, width: number, height: number): number[] {
  const box = boxAround(drawn);
  if (box === undefined) return Array<number>(width * height).fill(0);
  const scale = (BOX_SHARE * Math.min(width, height)) / Math.max(box.width, box.height);
  const [columns, rows] = [box.width, box.height].map((size) => Math.max(1, Math.round(size * scale)));
  const small = scaled(drawn, box, columns!, rows!);
  const [x, y] = middle(small);
  const [left, top] = [Math.round((width - 1) / 2 - x), Math.round((height - 1) / 2 - y)];
  const placed = Array<number>(width * height).fill(0);
  for (let row = 0; row < small.height; row++)
    for (let column = 0; column < small.width; column++) {
      const [toX, toY] = [left + column, top + row];
      if (toX < 0 || toY < 0 || toX >= width || toY >= height) continue;
      placed[toY * width + toX] = Math.round(small.pixels[row * small.width + column]!);
    }
  return placed;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function boxAround({ width, height, pixels }: Picture): Box | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (pixels[y * width + x]! === 0) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  if (right < 0) return undefined;
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** By the mean over the area that a pixel comes from. */
function scaled(from: Picture, box: Box, width: number, height: number): Picture {
  const [stepX, stepY] = [box.width / width, box.height / height];
  const pixels = Array.from({ length: width * height }, (_, at) => {
    const [column, row] = [at % width, Math.floor(at / width)];
    const [fromX, fromY] = [box.left + column * stepX, box.top + row * stepY];
    return meanOver(from, [fromX, fromX + stepX], [fromY, fromY + stepY]);
  });
  return { width, height, pixels };
}

function meanOver({ width, pixels }: Picture, xs: readonly [number, number], ys: readonly [number, number]) {
  let [sum, area] = [0, 0];
  for (let y = Math.floor(ys[0]); y < ys[1]; y++)
    for (let x = Math.floor(xs[0]); x < xs[1]; x++) {
      const share = covered(x, xs) * covered(y, ys);
      sum += share * (pixels[y * width + x] ?? 0);
      area += share;
    }
  return area === 0 ? 0 : sum / area;
}

function covered(at: number, [from, to]: readonly [number, number]): number {
  return Math.max(0, Math.min(at + 1, to) - Math.max(at, from));
}

function middle({ width, pixels }: Picture): [x: number, y: number] {
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let at = 0; at < pixels.length; at++) {
    sum += pixels[at]!;
    sumX += pixels[at]! * (at % width);
    sumY += pixels[at]! * Math.floor(at / width);
  }
  return sum === 0 ? [0, 0] : [sumX / sum, sumY / sum];
}
