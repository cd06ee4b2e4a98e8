import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hasBrowser, openPage, sharedBrowser } from "../../support/page/browser.ts";
import { runWithDashboard } from "../../support/page/dashboard.ts";
import { drawThree } from "../../support/page/draw.ts";

const LAYERS = ["layer1", "layer2", "layer3", "layer4"];

describe.skipIf(!hasBrowser)("the question on the page", () => {
  const browser = sharedBrowser();

  it("of a drawn 3 is answered by every room; with layer 3 dead by those before it, and by all once it is back", async () => {
    const { run, url } = await runWithDashboard("configs/mnist.yaml", ["run.epochs=400"]);
    // It has learnt enough by then.
    await run.until("layer4", ({ msg, batch }) => msg === "evaluated" && Number(batch) >= 900);
    const { page, complaints } = await openPage(browser(), url);
    await page.getByTestId("ask").scrollIntoViewIfNeeded();
    await answers(page, LAYERS);
    await expect.poll(() => page.getByTestId("truth").innerText(), patiently).toBe("2");
    await drawThree(page);
    await says(page, "layer4", "3");
    for (const layer of LAYERS) {
      expect(await page.locator(`${room(layer)} [data-testid="bar"]`).count()).toBe(10);
      console.log(`${layer}: ${(await page.locator(`${room(layer)} .says`).innerText()).replace("\n", " ")}`);
    }
    await expect.poll(() => page.getByTestId("truth").count(), patiently).toBe(0);

    // Nobody brings it back meanwhile.
    run.signal("SIGSTOP");
    process.kill(run.pid("layer3"), "SIGKILL");
    await answers(page, ["layer3", "layer4"], "away");
    await answers(page, ["layer1", "layer2"]);
    await expect
      .poll(() => page.locator(`${room("layer3")} .away`).innerText(), patiently)
      .toMatch(/for \d+ s/);
    run.signal("SIGCONT");
    await answers(page, LAYERS);
    await says(page, "layer4", "3");
    expect(complaints).toEqual([]);
  });

  it("can be drawn by keys, and cleared; another example says what it is", async () => {
    const { url } = await runWithDashboard("configs/mnist.yaml", ["run.epochs=400"]);
    const { page, complaints } = await openPage(browser(), url);
    await page.getByTestId("ask").scrollIntoViewIfNeeded();
    await answers(page, LAYERS);
    await page.getByTestId("sheet").focus();
    await page.keyboard.press(" ");
    for (let step = 0; step < 12; step++) await page.keyboard.press("ArrowUp");
    await page.keyboard.press(" ");
    await expect.poll(() => page.getByTestId("truth").count(), patiently).toBe(0);
    await answers(page, LAYERS);
    expect(await inkOn(page)).toBeGreaterThan(500);
    await page.getByTestId("clear-sheet").click();
    expect(await inkOn(page)).toBe(0);
    await page.getByTestId("another-example").click();
    await expect.poll(() => page.getByTestId("truth").innerText(), patiently).toMatch(/^\d$/);
    expect(await inkOn(page)).toBeGreaterThan(500);
    expect(complaints).toEqual([]);
  });

  it("of a row is filled in by hand", async () => {
    const { url } = await runWithDashboard("configs/two-rings.yaml", ["run.batches=1000000"]);
    const { page, complaints } = await openPage(browser(), url);
    await page.getByTestId("ask").scrollIntoViewIfNeeded();
    const cells = page.getByTestId("cell");
    await expect.poll(() => cells.nth(0).inputValue(), patiently).toMatch(/\d/);
    // The inner ring, and far outside.
    await cells.nth(0).fill("0.01");
    await cells.nth(1).fill("0.02");
    await answers(page, ["layer1", "layer2", "layer3"]);
    await expect.poll(() => page.getByTestId("truth").count(), patiently).toBe(0);
    expect(complaints).toEqual([]);
  });
});

const patiently = { timeout: 120_000, interval: 100 };

const room = (worker: string) => `[data-testid="belief"][data-worker="${worker}"]`;

async function answers(page: Page, workers: readonly string[], state = "answers"): Promise<void> {
  for (const worker of workers) await page.locator(`${room(worker)}[data-state="${state}"]`).waitFor();
}

async function says(page: Page, worker: string, what: string): Promise<void> {
  await expect
    .poll(() => page.locator(`${room(worker)} [data-testid="says"]`).innerText(), patiently)
    .toBe(what);
}

/** White pixels of the sheet. */
function inkOn(page: Page): Promise<number> {
  return page.getByTestId("sheet").evaluate((sheet) => {
    interface Canvas {
      readonly width: number;
      readonly height: number;
      getContext(kind: "2d"): {
        getImageData(
          x: number,
          y: number,
          width: number,
          height: number,
        ): { readonly data: Uint8ClampedArray };
      };
    }
    const canvas = sheet as unknown as Canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, at) => at % 4 === 0 && value > 128).length;
  });
}
