/**
 * Makes docs/dashboard.png and docs/dashboard-dark.png of a run whose layer 2 is killed in the middle, docs/glass.png of one
 * of its batches, and docs/ask.png of what its layers make of a drawn 3 while layer 3 is away:
 *
 *     npm run picture
 */
import { openBrowser, openPage } from "../../test/support/page/browser.ts";
import { dashboardOf } from "../../test/support/page/dashboard.ts";
import { drawThree } from "../../test/support/page/draw.ts";
import { Experiment } from "../../test/support/processes/experiment.ts";

const SIZE = { width: 1440, height: 1230 };
const BEFORE = 1400;
const AFTER = 1600;

const run = new Experiment("configs/mnist.yaml", {
  set: ["run.epochs=400"],
  options: ["--dashboard-port", "0", "--control"],
});
const browser = await openBrowser();
try {
  const url = await dashboardOf(run);
  const open = async (colorScheme: "light" | "dark") =>
    (await openPage(browser, url, { viewport: SIZE, deviceScaleFactor: 1, colorScheme })).page;
  const pages = { dashboard: await open("light"), "dashboard-dark": await open("dark") };
  const batch = pages.dashboard.getByTestId("batch");
  await reaches(BEFORE);
  await pages.dashboard.locator('[data-worker="layer2"] [data-testid="break-kill"]').click();
  await run.until("layer2", ({ msg }) => msg === "restored");
  await pages.dashboard
    .locator('[data-testid="event"][data-worker="layer2"][data-event="restored"]')
    .first()
    .waitFor();
  await pages.dashboard.mouse.move(0, 0);
  await reaches(BEFORE + AFTER);
  for (const [name, page] of Object.entries(pages)) await page.screenshot({ path: `docs/${name}.png` });

  const light = pages.dashboard;
  await lookAtOne(light);
  await light.getByTestId("glass").screenshot({ path: "docs/glass.png" });
  await light.getByTestId("ask").scrollIntoViewIfNeeded();
  await drawThree(light);
  await light
    .locator('[data-testid="belief"][data-worker="layer4"] [data-testid="says"]', { hasText: "3" })
    .waitFor();
  // Nobody brings it back meanwhile.
  run.signal("SIGSTOP");
  process.kill(run.pid("layer3"), "SIGKILL");
  await light.locator('[data-testid="belief"][data-worker="layer4"][data-state="away"]').waitFor();
  await light.getByTestId("ask").screenshot({ path: "docs/ask.png" });
  run.signal("SIGCONT");

  /** Up to where a target is beside its guess. */
  async function lookAtOne(page: typeof light): Promise<void> {
    const look = page.getByTestId("look");
    const lanes = page.getByTestId("lane");
    do {
      await look.click();
      await page.locator('[data-testid="look"]:enabled').waitFor();
    } while ((await lanes.count()) < 5 || (await lanes.locator(".small").count()) > 0);
    while ((await page.locator('[data-picture="target"]').count()) === 0)
      await page.getByTestId("glass-next").click();
  }

  async function reaches(wanted: number): Promise<void> {
    for (;;) {
      const said = Number((await batch.innerText()).split("of")[0]!.replaceAll(/\D/g, ""));
      if (said >= wanted) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
} finally {
  await browser.close();
  await run.close();
}
