/** Small windows: everything is there, and nothing lies over anything else. */
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, settled, SHOTS, test, write } from "./server";

const TEXT = `atomiton: 1
id: narrow-window-with-a-long-name-that-does-not-end-soon
nodes:
  look: {uses: shop.html}
  slow: {uses: shop.slow, needs: [look], with: {seconds: 60}}
`;

/** Buttons of a bar that lie outside of it, outside of the window, or under another one. */
const hidden = (page: Page, bar: string): Promise<string[]> =>
  page.locator(bar).evaluate((one) => [...one.querySelectorAll("button, .chip")].filter((button) => {
    const at = button.getBoundingClientRect();
    const around = one.getBoundingClientRect();
    const top = document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2);
    return at.right > around.right + 1 || at.right > innerWidth || !(top !== null && (button.contains(top) || top.contains(button)) && (top !== one || button === one));
  }).map((button) => button.getAttribute("aria-label") ?? button.textContent));

for (const [width, height] of [[1024, 700], [1440, 900]] as const) {
  test(`nothing overflows at ${width} x ${height}, with a run and every dock`, async ({ studio: page }) => {
    await page.setViewportSize({ width, height });
    await write(page, TEXT);
    await page.getByRole("button", { name: "Execute step by step" }).click();
    await expect(page.locator(".steering .chip-paused")).toBeVisible();
    for (const dock of ["Form", "YAML", "Python"]) {
      await page.getByRole("button", { name: dock, exact: true }).click();
      await settled(page);
      await page.screenshot({ path: join(SHOTS, `narrow-${width}-${dock}.png`) });
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      expect(await hidden(page, ".run-bar"), dock).toEqual([]);
      expect(await hidden(page, ".dock-head"), dock).toEqual([]);
      expect(await hidden(page, ".toolbar"), dock).toEqual([]);
    }
    await page.getByRole("button", { name: "Form", exact: true }).click();
    await page.getByRole("button", { name: "Runs of this blueprint" }).click();
    await expect(page.locator(".one-run").first()).toBeVisible();
    await settled(page);
    await page.screenshot({ path: join(SHOTS, `narrow-${width}-runs.png`) });
    for (const bar of [".run-list > header", ".toolbar", ".dock-head", ".run-bar"]) expect(await hidden(page, bar), bar).toEqual([]);
    await page.getByRole("button", { name: "Runs of this blueprint" }).click();
    await page.locator('[data-path="slow"] .card-head').click();
    await page.keyboard.press("o");
    await settled(page);
    await page.screenshot({ path: join(SHOTS, `narrow-${width}-large.png`) });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    for (const bar of [".large-head", ".large .inspector > .row-actions", ".toolbar"]) expect(await hidden(page, bar), bar).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await expect(page.locator(".run-bar .chip-cancelled")).toBeVisible();
  });
}
