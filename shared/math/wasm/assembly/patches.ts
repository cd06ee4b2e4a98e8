// Between images and the patches that a convolution multiplies. Images are rows × columns × channels, so that a row of a
// patch lies in one piece, and what a product gives is an image again.
import { FLOAT, VECTOR, put } from "./lanes";

/** A row of one patch: its floats inside the image, and how many lie outside on the left and on the right. */
@unmanaged
class Unfold {
  @inline run(image: usize, patch: usize, before: i32, inside: i32, after: i32): void {
    zero(patch, before);
    patch += <usize>before << FLOAT;
    for (let left = inside; left > 0; left -= 4) {
      put(patch, v128.load(image), left);
      image += VECTOR;
      patch += left >= 4 ? VECTOR : <usize>left << FLOAT;
    }
    zero(patch, after);
  }

  @inline outside(patch: usize, length: i32): void {
    zero(patch, length);
  }
}

@unmanaged
class Fold {
  @inline run(image: usize, patch: usize, before: i32, inside: i32, after: i32): void {
    patch += <usize>before << FLOAT;
    for (let left = inside; left > 0; left -= 4) {
      put(image, f32x4.add(v128.load(image), v128.load(patch)), left);
      image += VECTOR;
      patch += VECTOR;
    }
  }

  @inline outside(patch: usize, length: i32): void {}
}

/** patches[r · places + place] = the floats of image r that the kernel covers at that place, zeros outside the image. */
export function unfold(
  images: usize,
  patches: usize,
  rows: i32,
  height: i32,
  width: i32,
  channels: i32,
  kernel: i32,
  stride: i32,
  padding: i32,
): void {
  walk<Unfold>(images, patches, rows, height, width, channels, kernel, stride, padding);
}

/** images = the sum of every patch where it lay: the transpose of unfold. */
export function fold(
  images: usize,
  patches: usize,
  rows: i32,
  height: i32,
  width: i32,
  channels: i32,
  kernel: i32,
  stride: i32,
  padding: i32,
): void {
  memory.fill(images, 0, (<usize>rows * height * width * channels) << FLOAT);
  walk<Fold>(images, patches, rows, height, width, channels, kernel, stride, padding);
}

/** Every row of every patch, in the order in which patches lie. */
@inline
function walk<Copy>(
  image: usize,
  patch: usize,
  rows: i32,
  height: i32,
  width: i32,
  channels: i32,
  kernel: i32,
  stride: i32,
  padding: i32,
): void {
  const copy = changetype<Copy>(0);
  const length = kernel * channels;
  const pitch = width * channels;
  const lastTop = height + padding - kernel;
  const lastLeft = width + padding - kernel;
  for (; rows > 0; rows--) {
    for (let top = -padding; top <= lastTop; top += stride) {
      for (let left = -padding; left <= lastLeft; left += stride) {
        const first = max(left, 0);
        const before = (first - left) * channels;
        const inside = (min(left + kernel, width) - first) * channels;
        for (let y = top; y < top + kernel; y++) {
          if (y < 0 || y >= height || inside <= 0) copy.outside(patch, length);
          else {
            const from = image + (<usize>(y * pitch + first * channels) << FLOAT);
            copy.run(from, patch, before, inside, length - before - inside);
          }
          patch += <usize>length << FLOAT;
        }
      }
    }
    image += <usize>(height * pitch) << FLOAT;
  }
}

@inline
function zero(address: usize, length: i32): void {
  for (; length > 0; length -= 4) {
    put(address, f32x4.splat(0), length);
    address += VECTOR;
  }
}
