/**
 * Of an image as the network takes it, rows × columns × channels from 0 to 255, what a canvas takes: red, green, blue and
 * opacity. Fewer than three channels are shown by the first, in grey; of more than three the first three are the colours.
 */
export function rgbaOf(image: readonly number[], width: number, height: number): number[] {
  const places = width * height;
  const channels = Math.floor(image.length / places);
  return Array.from({ length: 4 * places }, (_, at) => {
    const channel = at % 4;
    if (channel === 3) return 255;
    return image[Math.floor(at / 4) * channels + (channels < 3 ? 0 : channel)]!;
  });
}
