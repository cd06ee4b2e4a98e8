/**
 * Makes docs/dashboard.png and docs/dashboard-dark.png of a run whose layer 2 is killed in the middle, and docs/ask.png of
 * what its layers make of a drawn 3 while layer 3 is away:
 *
 *     npm run picture
 */
import { openBrowser, openPage } from "../../test/support/browser.ts";
import { dashboardOf } from "../../test/support/dashboard.ts";
import { drawThree } from "../../test/support/draw.ts";
import { Experiment } from "../../test/support/experiment.ts";

const SIZE = { width: 1440, height: 900 };
const BEFORE = 1400;
const AFTER = 1600;

const run = new Experiment("configs/mnist.yaml", {
  set: ["run.epochs=5"],
  options: ["--dashboard-port", "0"],
});
const browser = await openBrowser();
try {
  const url = await dashboardOf(run);
  const open = async (colorScheme: "light" | "dark") =>
    (await openPage(browser, url, { viewport: SIZE, deviceScaleFactor: 1, colorScheme })).page;
  const pages = { dashboard: await open("light"), "dashboard-dark": await open("dark") };
  const batch = pages.dashboard.getByTestId("batch");
  await reaches(BEFORE);
  process.kill(run.pid("layer2"), "SIGKILL");
  await run.until("layer2", ({ msg }) => msg === "restored");
  await pages.dashboard
    .locator('[data-testid="event"][data-worker="layer2"][data-event="restored"]')
    .first()
    .waitFor();
  await reaches(BEFORE + AFTER);
  for (const [name, page] of Object.entries(pages)) await page.screenshot({ path: `docs/${name}.png` });

  const light = pages.dashboard;
  await light.getByTestId("ask").scrollIntoViewIfNeeded();
  await drawThree(light);
  await light.locator('[data-testid="belief"][data-worker="layer4"][data-state="answers"]').waitFor();
  // Nobody brings it back meanwhile.
  run.signal("SIGSTOP");
  process.kill(run.pid("layer3"), "SIGKILL");
  await light.locator('[data-testid="belief"][data-worker="layer4"][data-state="away"]').waitFor();
  await light.getByTestId("ask").screenshot({ path: "docs/ask.png" });
  run.signal("SIGCONT");

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
