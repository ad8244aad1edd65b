import type { Page } from "@playwright/test";
import axe from "axe-core";
import { inTheme, settled, type Theme } from "./server";

/** What depends on colours: all else is the same in each theme, and looked at once. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** What a person with other senses would stumble over, in words. */
export async function barriers(page: Page, themes: readonly Theme[] = ["light", "dark"]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  await settled(page);
  const found: string[] = [];
  for (const theme of themes) {
    await inTheme(page, theme);
    found.push(...await page.evaluate(async ([name, only]) => {
      interface Result { violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }
      const { axe: checker } = window as unknown as { axe: { run(what: Document, how: object): Promise<Result> } };
      const { violations } = await checker.run(document, { resultTypes: ["violations"], ...(only === null ? {} : { runOnly: { type: "rule", values: only } }) });
      return violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${name} ${v.id}: ${n.target.join(" ")} ${n.failureSummary.replace(/\s+/g, " ").slice(0, 200)}`));
    }, [theme, theme === themes[0] ? null : OF_COLOURS] as const));
  }
  await inTheme(page, "light");
  return found;
}
