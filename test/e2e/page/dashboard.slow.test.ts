import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { MetricLine } from "../../../shared/record/lines.ts";
import { hasBrowser, openPage, seriousIn, sharedBrowser } from "../../support/page/browser.ts";
import { hubPid, notOnce, runWithDashboard } from "../../support/page/dashboard.ts";

const MNIST = "configs/mnist.yaml";
const ENDLESS = ["run.epochs=400"];
const LAYERS = ["layer1", "layer2", "layer3", "layer4"];
const WORKERS = ["source", ...LAYERS];

describe.skipIf(!hasBrowser)("the page of a run", () => {
  const browser = sharedBrowser();

  it("shows every worker at work and curves that grow, a layer's death and return, and outlives its hub", async () => {
    const { run, url } = await start();
    const { page, complaints } = await openPage(browser(), url);
    for (const worker of WORKERS) await room(page, worker, "training");
    await grows(page);
    await expectNoCommands(page);

    await run.until("layer2", ({ msg }) => msg === "checkpoint");
    await page.locator('[data-testid="log-worker"]').selectOption("layer2");
    process.kill(run.pid("layer2"), "SIGKILL");
    await event(page, "layer2", "died");
    const restored = await run.until("layer2", ({ msg }) => msg === "restored");
    await event(page, "layer2", "restored");
    await room(page, "layer2", "training");
    const row = page.locator('[data-testid="event"][data-worker="layer2"][data-event="restored"]').first();
    expect(digits(await row.locator("td.number").innerText())).toBe(restored.batch);
    await page.locator('[data-testid="log"]', { hasText: "restored" }).first().waitFor();
    await grows(page);

    const before = hubPid(run)!;
    // Whoever brings it back may do so between two pictures.
    run.signal("SIGSTOP");
    process.kill(before, "SIGKILL");
    await page.locator('[data-testid="connection"][data-state="reconnecting"]').waitFor();
    run.signal("SIGCONT");
    await page.locator('[data-testid="connection"][data-state="live"]').waitFor();
    expect(hubPid(run)).not.toBe(before);
    for (const worker of WORKERS) await room(page, worker, "training");
    await grows(page);
    await expectOnce(url);
    // Only layer 2 was killed: nobody else began again because the hub was away.
    for (const worker of ["layer1", "layer3", "layer4"]) {
      expect(run.log(worker).filter(({ msg }) => msg === "started")).toHaveLength(1);
    }
    expect(complaints).toEqual([]);
  });

  it("pauses and resumes a layer by its buttons, where control was asked for", async () => {
    const { run, url } = await start("--control");
    const { page, complaints } = await openPage(browser(), url);
    expect(page.url()).not.toContain("token");
    await room(page, "layer2", "training");
    await page.getByTestId("control-worker").selectOption("layer2");
    await page.getByTestId("command-pause").click();
    await room(page, "layer2", "paused");
    await page.getByTestId("command-resume").click();
    await room(page, "layer2", "training");
    await page.getByTestId("command-kill").click();
    await event(page, "layer2", "died");
    await event(page, "layer2", "restored");
    expect(run.log("layer2").filter(({ msg }) => msg === "started")).toHaveLength(2);
    await room(page, "layer2", "training");
    await page.getByTestId("command-stop").click();
    await room(page, "layer2", "stopped");
    // Its predecessor has guessed for as long as it may by then, and nobody has brought it back.
    await room(page, "layer1", "holding");
    await room(page, "layer2", "stopped");
    expect(run.log("layer2").filter(({ msg }) => msg === "started")).toHaveLength(2);
    await page.getByTestId("command-start").click();
    for (const worker of WORKERS) await room(page, worker, "training");
    expect(run.log("layer2").filter(({ msg }) => msg === "started")).toHaveLength(3);
    expect(complaints).toEqual([]);
  });

  it("kills, pauses and delays from the room itself, and marks on the curves what that was", async () => {
    const { url } = await start("--control");
    const { page, complaints } = await openPage(browser(), url);
    const press = (worker: string, what: string) =>
      page.locator(`[data-testid="room"][data-worker="${worker}"] [data-testid="break-${what}"]`).click();
    const marks = (worker: string, kind: string, state: string) =>
      page
        .locator(
          `[data-chart="loss"] [data-testid="marker"][data-worker="${worker}"][data-kind="${kind}"][data-state="${state}"]`,
        )
        .first()
        .waitFor({ state: "attached" });
    for (const worker of WORKERS) await room(page, worker, "training");
    await press("layer1", "delay");
    await marks("layer1", "delayed", "away");
    const staleness = () => page.locator('[data-testid="link"][data-from="layer1"] .window').innerText();
    await expect.poll(staleness, { timeout: 60_000 }).toMatch(/[1-9]\d*(\.\d+)? stale/);
    await press("layer1", "undelay");
    await marks("layer1", "delayed", "back");
    await press("layer3", "pause");
    await room(page, "layer3", "paused");
    await marks("layer3", "paused", "away");
    await press("layer3", "resume");
    await room(page, "layer3", "training");
    await marks("layer3", "paused", "back");
    await press("layer2", "kill");
    await event(page, "layer2", "died");
    await event(page, "layer2", "restored");
    await marks("layer2", "dead", "back");
    await room(page, "layer2", "training");
    expect(await page.locator('[data-worker="layer4"] [data-testid="break-delay"]').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("tells that everybody is dead while nobody brings them back, and that they are back", async () => {
    const { run, url } = await start();
    const { page, complaints } = await openPage(browser(), url);
    for (const worker of WORKERS) await room(page, worker, "training");
    run.signal("SIGSTOP");
    for (const worker of WORKERS) process.kill(run.pid(worker), "SIGKILL");
    for (const worker of WORKERS) await room(page, worker, "dead");
    run.signal("SIGCONT");
    for (const worker of WORKERS) await room(page, worker, "training");
    await grows(page);
    // The source keeps nothing: what it fed in its last half second, nobody can say.
    await expectOnce(url, LAYERS);
    expect(complaints).toEqual([]);
  });

  it("comes with its code, style and pictures in 150 KB or less, compressed", async () => {
    const { url } = await start();
    const address = new URL("/", url);
    const index = await (await fetch(address)).text();
    const found = [...index.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => new URL(path!, address));
    expect(found.length).toBeGreaterThanOrEqual(2);
    const bodies = [Buffer.from(index)];
    for (const each of found) {
      expect(each.host).toBe(address.host);
      const answer = await fetch(each);
      expect(answer.status).toBe(200);
      bodies.push(Buffer.from(await answer.arrayBuffer()));
    }
    const { page } = await openPage(browser(), url);
    await room(page, "layer4", "training");
    // Nothing is loaded later that the page does not name.
    const loaded = await page.evaluate(() =>
      performance.getEntriesByType("resource").map(({ name }) => name),
    );
    const files = new Set(
      loaded.map((name) => new URL(name).pathname).filter((path) => !path.startsWith("/api/")),
    );
    for (const path of files) expect(found.map(({ pathname }) => pathname)).toContain(path);
    const bytes = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
    console.log(`first load: ${bodies.length} files, ${bytes} bytes compressed`);
    expect(bytes).toBeLessThanOrEqual(150 * 1024);
  });

  it.each([
    ["in light", { colorScheme: "light", viewport: { width: 1440, height: 900 } }],
    ["in dark", { colorScheme: "dark", viewport: { width: 1440, height: 900 } }],
    ["on a phone", { colorScheme: "light", viewport: { width: 390, height: 844 } }],
  ] as const)("has nothing serious for axe to find %s", async (_, options) => {
    const { url } = await start("--control");
    const { page } = await openPage(browser(), url, options);
    await room(page, "layer4", "training");
    await grows(page);
    expect(await seriousIn(page)).toEqual([]);
  });
});

/** A run that lasts longer than the test looks at it. */
function start(...options: readonly string[]) {
  return runWithDashboard(MNIST, ENDLESS, options);
}

function room(page: Page, worker: string, state: string): Promise<void> {
  return page.locator(`[data-testid="room"][data-worker="${worker}"][data-state="${state}"]`).waitFor();
}

function event(page: Page, worker: string, name: string): Promise<void> {
  return page
    .locator(`[data-testid="event"][data-worker="${worker}"][data-event="${name}"]`)
    .first()
    .waitFor();
}

/** The curve of the loss says another last value than now, and the run another batch. */
async function grows(page: Page): Promise<void> {
  const loss = page.locator('[data-testid="chart"][data-chart="loss"] [role="img"]');
  const patiently = { timeout: 120_000, interval: 200 };
  const curve = () => loss.getAttribute("aria-label");
  const batch = () => page.getByTestId("batch").innerText();
  await expect.poll(curve, patiently).toMatch(/training [\d.]/);
  const [curveBefore, batchBefore] = [await curve(), await batch()];
  await expect.poll(curve, patiently).not.toBe(curveBefore);
  await expect.poll(batch, patiently).not.toBe(batchBefore);
}

async function expectNoCommands(page: Page): Promise<void> {
  expect(await page.locator('[data-testid^="command-"], [data-testid^="break-"]').count()).toBe(0);
}

/** By what the hub answers, every batch of every worker up to its last stands once. */
async function expectOnce(url: string, workers = WORKERS): Promise<void> {
  const answer = await fetch(new URL("/api/runs/latest/metrics", url));
  const lines = (await answer.json()) as MetricLine[];
  for (const worker of workers) {
    const segments = lines.flatMap((line) =>
      line.kind === "segment" && line.worker === worker ? [line] : [],
    );
    const last = Math.max(...segments.map((segment) => segment.last));
    expect({ worker, notOnce: notOnce(segments, worker, last) }).toEqual({ worker, notOnce: [] });
  }
}

function digits(text: string): number {
  return Number(text.replaceAll(/\D/g, ""));
}
