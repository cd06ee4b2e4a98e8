import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hasBrowser, openPage, seriousIn, sharedBrowser } from "../../support/page/browser.ts";
import { runWithDashboard } from "../../support/page/dashboard.ts";

const PATIENTLY = { timeout: 120_000, interval: 200 };

describe.skipIf(!hasBrowser)("the sample on the page", () => {
  const browser = sharedBrowser();

  it("grows and says at which batches; with layer 2 dead it waits, and goes on once it is back", async () => {
    const { run, url } = await runWithDashboard("configs/gpt/tiny.yaml", ["run.batches=1000000"]);
    const { page, complaints } = await openPage(browser(), url);
    await show(page);
    await growsBeyond(page, 10);
    expect(await page.locator(".sample .hint").innerText()).toMatch(/^at batch(es)? \d+( to \d+)?$/);
    expect(await page.getByTestId("sample-waits").innerText()).toBe("");

    // Nobody brings it back meanwhile.
    run.signal("SIGSTOP");
    process.kill(run.pid("layer2"), "SIGKILL");
    await expect
      .poll(() => page.getByTestId("sample-waits").innerText(), PATIENTLY)
      .toBe("waits: layer 2 does not answer");
    const before = await lengthOn(page);
    run.signal("SIGCONT");
    await growsBeyond(page, before);

    await page.getByTestId("sample-prompt").fill("ROMEO: ");
    // What stands there is the former sample until the network says something to this one.
    await expect
      .poll(() => page.getByTestId("sample-text").textContent(), PATIENTLY)
      .toMatch(/^ROMEO: [\s\S]/);
    expect(complaints).toEqual([]);
  });

  it("has one question under way at a time, at most ten a second, and none while it is out of view", async () => {
    const { url } = await runWithDashboard("configs/gpt/tiny.yaml", ["run.batches=1000000"]);
    const { page } = await openPage(browser(), url);
    const asked: number[] = [];
    let [open, most] = [0, 0];
    const isWritten = (request: { url(): string; postData(): string | null }) =>
      request.url().endsWith("/api/ask") && request.postData()?.includes('"ids"') === true;
    page.on("request", (request) => {
      if (!isWritten(request)) return;
      asked.push(performance.now());
      most = Math.max(most, ++open);
    });
    for (const end of ["requestfinished", "requestfailed"] as const)
      page.on(end as "requestfinished", (request) => {
        if (isWritten(request)) open--;
      });
    await show(page);
    await growsBeyond(page, 30);
    await page.getByTestId("sample-prompt").pressSequentially("KING HENRY: ");
    await growsBeyond(page, 30);
    expect(most).toBe(1);
    const [first, last] = [asked[0]!, asked.at(-1)!];
    expect((1000 * (asked.length - 1)) / (last - first)).toBeLessThanOrEqual(10);

    await page.evaluate("window.scrollTo(0, 0); document.querySelector('.sample').style.display = 'none'");
    // What was under way ends; then a stretch in which ten could be asked.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const then = asked.length;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(asked.length).toBe(then);
    await page.evaluate("document.querySelector('.sample').style.display = ''");
    await show(page);
    await expect.poll(() => asked.length, PATIENTLY).toBeGreaterThan(then);
  });

  it("is not there for pictures", async () => {
    const { url } = await runWithDashboard("configs/mnist.yaml", ["run.epochs=400"]);
    const { page } = await openPage(browser(), url);
    await page.getByTestId("ask").waitFor();
    expect(await page.getByTestId("sample").count()).toBe(0);
  });

  it.each([
    ["in light", { colorScheme: "light", viewport: { width: 1440, height: 900 } }],
    ["in dark", { colorScheme: "dark", viewport: { width: 1440, height: 900 } }],
    ["on a phone", { colorScheme: "light", viewport: { width: 390, height: 844 } }],
  ] as const)("has nothing serious for axe to find, and fits %s", async (name, options) => {
    const { url } = await runWithDashboard("configs/gpt/tiny.yaml", ["run.batches=1000000"]);
    const { page } = await openPage(browser(), url, options);
    await show(page);
    await page.getByTestId("sample-prompt").fill("ROMEO: ");
    await growsBeyond(page, 40);
    if (process.env.PICTURES)
      await page.getByTestId("sample").screenshot({ path: `${process.env.PICTURES}/sample ${name}.png` });
    expect(await seriousIn(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(
      options.viewport.width,
    );
  });
});

const show = (page: Page) => page.getByTestId("sample").scrollIntoViewIfNeeded();

const lengthOn = async (page: Page) => (await page.getByTestId("sample-text").textContent())!.length;

async function growsBeyond(page: Page, length: number): Promise<void> {
  // What answers above it makes the page longer, and moves it out of view.
  const shownLength = async () => {
    await show(page);
    return lengthOn(page);
  };
  await expect.poll(shownLength, PATIENTLY).toBeGreaterThan(length);
}
