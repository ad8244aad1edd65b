import type { Page } from "@playwright/test";
import axe from "axe-core";

type Theme = "light" | "dark";

/** What a person with other senses would stumble over, in words. */
export async function barriers(page: Page, themes: readonly Theme[] = ["light", "dark"]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const found: string[] = [];
  for (const theme of themes) {
    await page.evaluate((value) => { document.documentElement.dataset["theme"] = value; }, theme);
    await page.waitForTimeout(250);
    found.push(...await page.evaluate(async (name) => {
      interface Result { violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }
      const { axe: checker } = window as unknown as { axe: { run(what: Document, how: object): Promise<Result> } };
      const { violations } = await checker.run(document, { resultTypes: ["violations"] });
      return violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${name} ${v.id}: ${n.target.join(" ")} ${n.failureSummary.replace(/\s+/g, " ").slice(0, 200)}`));
    }, theme));
  }
  await page.evaluate(() => { document.documentElement.dataset["theme"] = "light"; });
  return found;
}
