/** What can be done without a mouse: nothing here points at anything. */
import { expect, shot, test } from "./server";
import type { Page } from "@playwright/test";

async function begin(page: Page): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/b/new`);
  await expect(page.getByRole("heading", { name: "Begin with a node" })).toBeVisible();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
}

/** Add what a search finds first, and come back to the canvas. */
async function add(page: Page, words: string): Promise<void> {
  await page.keyboard.press("n");
  await expect(page.getByRole("searchbox", { name: "Search nodes" })).toBeFocused();
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("searchbox", { name: "Search nodes" })).toHaveCount(0);
}

async function command(page: Page, words: string): Promise<void> {
  await page.keyboard.press("ControlOrMeta+k");
  await page.keyboard.type(words);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
}

const card = (page: Page, path: string) => page.locator(`.card[data-path="${path}"]`);

test("maps and loops: added, entered, filled, left, folded and unfolded, run", async ({ studio: page }) => {
  await begin(page);
  await add(page, "for each");
  await expect(card(page, "each")).toHaveClass(/frame/);
  await expect(card(page, "each")).toHaveClass(/selected/);
  await page.keyboard.press("Enter");
  await expect(card(page, "each.step")).toHaveClass(/selected/);
  await add(page, "log");
  await expect(card(page, "each.log")).toBeVisible();
  await shot(page, "entered");
  await page.keyboard.press("Shift+Enter");
  await expect(card(page, "each")).toHaveClass(/selected/);
  await page.keyboard.press("f");
  await expect(card(page, "each")).not.toHaveClass(/frame/);
  await expect(card(page, "each.step")).toHaveCount(0);
  await page.keyboard.press("Enter");
  await expect(card(page, "each")).toHaveClass(/frame/);
  await expect(card(page, "each.step")).toHaveClass(/selected/);
  await page.keyboard.press("Escape");
  await add(page, "loop");
  await expect(card(page, "again")).toHaveClass(/frame/);
  await page.keyboard.press("Escape");
  await add(page, "group nodes box");
  await expect(card(page, "group")).toHaveClass(/frame/);
  await command(page, "fold all");
  await expect(page.locator(".card.frame")).toHaveCount(0);
  await command(page, "unfold all");
  await expect(page.locator(".card.frame")).toHaveCount(3);
  await page.keyboard.press("Escape");
  await shot(page, "containers");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(card(page, "again").locator(".counts")).toContainText("3 of 3");
  await expect(card(page, "group")).toHaveClass(/run-completed/);
});

test("lines: data, order, routes, errors and compensation, each in a style of its own", async ({ studio: page }) => {
  await begin(page);
  await add(page, "value");
  await page.keyboard.press("Escape");
  await add(page, "branch");
  await page.keyboard.press("Escape");
  await add(page, "fail");
  await page.keyboard.press("Escape");
  await add(page, "log");
  await page.keyboard.press("Escape");
  await expect(page.locator(".card")).toHaveCount(4);
  await expect(card(page, "log")).toBeInViewport();
  await page.keyboard.press("]");
  await expect(card(page, "value")).toHaveClass(/selected/);
  await page.keyboard.press("c");
  await expect(page.getByRole("combobox", { name: "Search commands" })).toHaveValue("connect ");
  await page.keyboard.type("value to log, message");
  await page.keyboard.press("Enter");
  await expect(page.locator(".line-data")).toHaveCount(1);
  await page.keyboard.press("]");
  await expect(card(page, "route")).toHaveClass(/selected/);
  await page.keyboard.press("c");
  await page.keyboard.type("by 'yes' to fail");
  await page.keyboard.press("Enter");
  await expect(page.locator(".line-route")).toHaveCount(1);
  await page.keyboard.press("]");
  await page.keyboard.press("c");
  await page.keyboard.type("when it fails to log");
  await page.keyboard.press("Enter");
  await expect(page.locator(".line-error")).toHaveCount(1);
  const style = (kind: string) => page.locator(`.line-${kind}`).first().evaluate((e) => { const s = getComputedStyle(e); return `${s.stroke} ${s.strokeDasharray}`; });
  const styles = [await style("data"), await style("route"), await style("error")];
  expect(new Set(styles).size, styles.join(" | ")).toBe(3);
  await command(page, "disconnect fail from log");
  await expect(page.locator(".line-error")).toHaveCount(0);
  await page.keyboard.press("ControlOrMeta+z");
  await expect(page.locator(".line-error")).toHaveCount(1);
  await expect(page.locator(".undo")).toHaveCount(0);
  await page.keyboard.press("[");
  await page.keyboard.press("[");
  await expect(card(page, "value")).toHaveClass(/selected/);
  await page.getByRole("tab", { name: "Policies" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Undone by").focus();
  await page.keyboard.type("flow.log"); // a list is chosen from by typing
  await expect(page.locator(".undo")).toHaveText("flow.log");
  await page.keyboard.press("Tab");
  await shot(page, "styles");
});

test("nodes are copied as YAML into another blueprint, and moved about", async ({ studio: page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await begin(page);
  await add(page, "value");
  await add(page, "for each");
  await page.keyboard.press("Escape");
  await page.keyboard.press("]");
  await page.keyboard.press("Shift+]");
  await expect(page.locator(".card.selected")).toHaveCount(2);
  await page.keyboard.press("ControlOrMeta+c");
  await expect(page.getByText("2 nodes copied as YAML")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^nodes:\n {2}value:\n {4}uses: data\.value\n/);
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved untitled")).toBeVisible();
  await page.goto(`${new URL(page.url()).origin}/#/`);
  await begin(page);
  await page.keyboard.press("ControlOrMeta+v");
  await expect(page.locator(".card")).toHaveCount(3);
  await expect(card(page, "each.step")).toBeVisible();
  await page.keyboard.press("ControlOrMeta+v");
  await expect(card(page, "value_2")).toBeVisible();
  await page.keyboard.press("ControlOrMeta+z");
  await expect(card(page, "value_2")).toHaveCount(0);
});

test("the list of nodes has categories, and is walked through with arrows", async ({ studio: page }) => {
  await begin(page);
  await page.keyboard.press("n");
  const list = page.getByRole("region", { name: "Nodes to add" });
  for (const name of ["Control", "Data", "Files", "Web"]) await expect(list.getByRole("heading", { name, exact: true })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(list.getByRole("button", { name: /^For each/ })).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(page.getByRole("searchbox", { name: "Search nodes" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(card(page, "route")).toBeVisible();
});
