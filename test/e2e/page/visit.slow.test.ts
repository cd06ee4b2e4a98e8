import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openPage, seriousIn, sharedBrowser } from "../../support/page/browser.ts";
import { dashboardOf } from "../../support/page/dashboard.ts";
import { commandSource } from "../../support/processes/command.ts";
import { Experiment } from "../../support/processes/experiment.ts";

let run: Experiment;
let url: string;

describe.skipIf(!hasBrowser)("the first visit", () => {
  const browser = sharedBrowser();
  beforeAll(async () => {
    run = new Experiment("configs/mnist.yaml", {
      set: ["run.epochs=400"],
      options: ["--dashboard-port", "0", "--control"],
    });
    url = await dashboardOf(run);
    // What the notes speak of is there; training on, it would only slow the page, on a machine that does much else.
    await run.until("layer1", ({ msg }) => msg === "checkpoint");
    await commandSource(url, run.folder, "pause");
  });
  afterAll(() => run?.close());

  it("is told five notes, each at what it speaks of, by keys alone, and never again", async () => {
    const { page, complaints } = await openPage(browser(), url, { isFirstVisit: true });
    await page.getByTestId("visit").waitFor();
    const noted: string[] = [];
    for (let note = 1; note <= 5; note++) {
      await expect.poll(() => page.getByTestId("visit").innerText()).toContain(`${note} of 5`);
      noted.push(await notedThing(page));
      await expect.poll(() => isBeside(page)).toBe(true);
      await page.getByTestId("visit-next").focus();
      await page.keyboard.press("Enter");
    }
    expect(noted).toEqual(["layer1", "layer1 to layer2", "layer4", "window", "layer2"]);
    await expect.poll(() => page.getByTestId("visit").count()).toBe(0);
    await expect.poll(() => page.locator("[data-noted]").count()).toBe(0);
    await page.reload();
    await page.locator('[data-testid="room"][data-worker="layer4"]').waitFor();
    expect(await page.getByTestId("visit").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it.each(["visit-skip", "Escape"])("can be left by %s, for good", async (way) => {
    const { page } = await openPage(browser(), url, { isFirstVisit: true });
    await page.getByTestId("visit").waitFor();
    if (way === "Escape") await page.keyboard.press("Escape");
    else await page.getByTestId(way).click();
    await expect.poll(() => page.getByTestId("visit").count()).toBe(0);
    await page.reload();
    await page.locator('[data-testid="room"][data-worker="layer4"]').waitFor();
    expect(await page.getByTestId("visit").count()).toBe(0);
  });

  it.each([
    ["in light", { colorScheme: "light", viewport: { width: 1440, height: 900 } }],
    ["in dark", { colorScheme: "dark", viewport: { width: 1440, height: 900 } }],
    ["on a phone", { colorScheme: "light", viewport: { width: 390, height: 844 } }],
  ] as const)("fits the screen %s, and has nothing serious for axe to find", async (name, options) => {
    const { page } = await openPage(browser(), url, {
      ...options,
      isFirstVisit: true,
      reducedMotion: "reduce",
    });
    await page.getByTestId("visit").waitFor();
    await page.getByTestId("visit-next").click();
    await expect.poll(() => isBeside(page)).toBe(true);
    if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/visit ${name}.png` });
    const { width } = options.viewport;
    const box = (await page.getByTestId("visit").boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    expect(await seriousIn(page)).toEqual([]);
  });
});

/** What is marked, by what it is of. */
function notedThing(page: Page): Promise<string> {
  return page.locator("[data-noted]").evaluate((element) => {
    const { worker, from, to } = (element as unknown as { dataset: Record<string, string> }).dataset;
    return worker ?? (from ? `${from} to ${to}` : (element as unknown as { className: string }).className);
  });
}

/** Both the note and what it speaks of can be seen. */
async function isBeside(page: Page): Promise<boolean> {
  const { height } = page.viewportSize()!;
  const boxes = await Promise.all([
    page.getByTestId("visit").boundingBox(),
    page.locator("[data-noted]").boundingBox(),
  ]);
  return boxes.every((box) => box && box.y < height && box.y + box.height > 0);
}
