import type { Page } from "playwright-core";

/** A 3 as a hand draws it, in shares of the sheet. */
const THREE = [
  ...[[0.28, 0.2] as const, [0.42, 0.12] as const, [0.6, 0.13] as const, [0.69, 0.25] as const],
  ...[[0.63, 0.38] as const, [0.46, 0.46] as const, [0.63, 0.53] as const, [0.72, 0.68] as const],
  ...[[0.64, 0.83] as const, [0.46, 0.89] as const, [0.27, 0.82] as const],
] as const;

/** With the mouse, on the sheet of the page. */
export async function drawThree(page: Page): Promise<void> {
  const { x, y, width, height } = (await page.getByTestId("sheet").boundingBox())!;
  const places = THREE.map(([right, down]) => [x + right * width, y + down * height] as const);
  await page.mouse.move(...places[0]!);
  await page.mouse.down();
  for (const place of places.slice(1)) await page.mouse.move(...place, { steps: 4 });
  await page.mouse.up();
}
