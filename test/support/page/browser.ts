import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** Debian's; without it the tests that look at a page are skipped, and this says why. */
export const hasBrowser = existsSync(CHROMIUM);
if (!hasBrowser) console.log(`Skipped is what looks at the dashboard: there is no ${CHROMIUM}`);

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** One for all tests of the suite that this is called in. */
export function sharedBrowser(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());
  return () => browser!;
}

/** A page of a browser that was there before, unless it is its first visit, and everything its console complained of: errors, and what its policy blocked, but not that the hub is away. It closes with the test: a page that is left open draws on, and slows those after it. */
export async function openPage(
  browser: Browser,
  url: string,
  { isFirstVisit = false, ...options }: BrowserContextOptions & { readonly isFirstVisit?: boolean } = {},
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  if (!isFirstVisit) await page.addInitScript('localStorage.setItem("unlocked-visited", "yes")');
  // Whatever is waited for comes, sooner or later: the machine may be busy.
  page.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const isAway = /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE)/;
    if (message.type() === "error" && !isAway.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

/** What axe finds that is serious, one line each. */
export async function seriousIn(page: Page): Promise<string[]> {
  // Evaluated, not added as a script: the page's policy allows none but the hub's.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    type Finding = {
      readonly id: string;
      readonly impact: string;
      readonly nodes: { readonly html: string }[];
    };
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Finding[] }> } };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  });
}
