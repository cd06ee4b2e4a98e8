import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hasBrowser, openPage, seriousIn, sharedBrowser } from "../../support/page/browser.ts";
import { runWithDashboard } from "../../support/page/dashboard.ts";

const PATIENTLY = { timeout: 90_000, interval: 500 };

describe.skipIf(!hasBrowser)("a batch under glass", () => {
  const browser = sharedBrowser();

  it("is stepped through by keys: what each worker saw, and that nobody waited", async () => {
    const url = await start([]);
    const { page, complaints } = await openPage(browser(), url);
    await look(page);
    expect(await page.getByTestId("verdict").innerText()).toContain("Nobody waited");
    expect(await page.getByTestId("lane-wait").count()).toBe(0);
    const told: string[] = [];
    const compared: number[] = [];
    for (;;) {
      told.push(await page.locator('[data-testid="glass-step"] p').innerText());
      if (told.at(-1)!.includes("hears its target")) compared.push(await coloursOf(page));
      const next = page.getByTestId("glass-next");
      if (await next.isDisabled()) break;
      await next.focus();
      await page.keyboard.press("Enter");
    }
    expect(told[0]).toContain("source sends the batch");
    for (const layer of [1, 2, 3]) {
      const of = (what: string) =>
        told.findIndex((words) => words.startsWith(`layer ${layer} `) && words.includes(what));
      const order = [
        of("receives"),
        of("moves its weights at once"),
        of("hands its output"),
        of("hears its target"),
      ];
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(order[0]).toBeGreaterThan(0);
    }
    expect(told.some((words) => words.startsWith("layer 4 has the loss"))).toBe(true);
    expect(compared).toHaveLength(3);
    for (const colours of compared) expect(colours).toBeGreaterThan(100);
    await page.getByTestId("glass-play").click();
    await page.getByText("step 2 of").waitFor();
    expect(complaints).toEqual([]);
  });

  it("of backprop shows the lock", async () => {
    const url = await start(["learning.method=backprop"]);
    const { page, complaints } = await openPage(browser(), url);
    await look(page);
    expect(await page.getByTestId("verdict").innerText()).toMatch(/layer 1 waited [\d.]+ ms, layer 2 waited/);
    expect(await page.getByTestId("lane-wait").count()).toBe(3);
    if (process.env.PICTURES)
      await page.getByTestId("glass").screenshot({ path: `${process.env.PICTURES}/glass backprop.png` });
    expect(complaints).toEqual([]);
  });

  it.each([
    ["in light", { colorScheme: "light", viewport: { width: 1440, height: 900 } }],
    ["in dark", { colorScheme: "dark", viewport: { width: 1440, height: 900 } }],
    ["on a phone", { colorScheme: "light", viewport: { width: 390, height: 844 } }],
  ] as const)("has nothing serious for axe to find, and fits %s", async (name, options) => {
    const url = await start([]);
    const { page } = await openPage(browser(), url, options);
    await look(page);
    const isCompared = () => page.locator('[data-picture="target"]').count();
    while ((await isCompared()) === 0) await page.getByTestId("glass-next").click();
    if (process.env.PICTURES)
      await page.getByTestId("glass").screenshot({ path: `${process.env.PICTURES}/glass ${name}.png` });
    expect(await seriousIn(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(
      options.viewport.width,
    );
  });
});

async function start(set: readonly string[]): Promise<string> {
  const { url } = await runWithDashboard("configs/mnist.yaml", ["run.epochs=400", ...set]);
  return url;
}

/** Until every worker has seen one: at the start they are too fast or too slow for it. */
async function look(page: Page): Promise<void> {
  await page.locator('[data-testid="room"][data-worker="layer4"][data-state="training"]').waitFor();
  const isWhole = async () => {
    await page.locator('[data-testid="look"]:enabled').click();
    await page.locator('[data-testid="look"]:enabled').waitFor();
    const lanes = page.locator('[data-testid="lane"]');
    return (await lanes.count()) === 5 && (await lanes.locator(".small").count()) === 0;
  };
  await expect.poll(isWhole, PATIENTLY).toBe(true);
}

/** Pixels of both pictures that are not transparent. */
function coloursOf(page: Page): Promise<number> {
  return page.evaluate(`[...document.querySelectorAll(".heat canvas")].reduce((sum, canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return sum + data.filter((value, at) => at % 4 === 3 && value > 0).length;
  }, 0)`);
}
