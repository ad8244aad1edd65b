import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { expect, settled, shot, test, write, type Served } from "./server";

const text = (id: string): string => `atomiton: 1
id: ${id}
nodes:
  one: {uses: data.value, with: {value: [3, 1, 2]}}
  two: {uses: data.sort, with: {items: "\${{ one }}"}}
`;

async function keep(served: Served, id: string, source: string): Promise<void> {
  const answer = await fetch(`${served.address}/api/v1/blueprints/${id}`, { method: "PUT", body: source, headers: { "content-type": "application/yaml", authorization: `Bearer ${await served.token()}` } });
  expect(answer.ok).toBe(true);
}

async function open(page: Page, served: Served, id: string): Promise<void> {
  await page.goto(`${served.address}/#/b/${id}`);
  await page.locator(".card").first().waitFor();
}

test("every key of the format is completed, with what it is for; words of choices too", async ({ studio: page }) => {
  await write(page, text("typed") + "  way:\n    branch: {a: one.size() > 1, b: else}\n");
  const offers = page.locator(".cm-tooltip-autocomplete li");
  const type = async (typed: string, label: string): Promise<void> => {
    await page.keyboard.type(typed);
    await expect(offers.filter({ hasText: label }).first()).toBeVisible();
    await page.waitForTimeout(120); // a list that has just come takes no key
    await page.keyboard.press("Tab");
  };
  await page.keyboard.type("    ");
  await type("mo", "mode");
  await type("a", "all");
  await page.keyboard.press("Enter");
  await type("wei", "weight");
  await page.keyboard.type("2");
  await page.keyboard.press("Enter");
  await type("cac", "cache");
  await expect(page.locator(".cm-content")).toContainText("cache: ");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText(text("typed"));
  await type("trig", "triggers");
  await page.keyboard.type("- ");
  await type("sch", "schedule");
  await type("ove", "overlap");
  await type("qu", "queue");
  await expect(page.locator(".cm-content")).toContainText("overlap: queue");
  const lines = await page.locator(".cm-line").allTextContents();
  expect(lines.join("\n")).toContain("triggers:\n  - schedule:\n      overlap: queue");
});

test("a changed id asks: rename, copy or the old one; and none has a slash", async ({ studio: page, served }) => {
  await keep(served, "before", text("before"));
  await open(page, served, "before");
  const file = (id: string): string => join(served.folder, `${id}.yaml`);
  const id = page.getByRole("textbox", { name: "id", exact: true });
  await id.fill("reports/after");
  await expect(page.locator('[data-field="id"] .problem')).toContainText("an id has no '/'");
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("'reports/after' cannot be its id")).toBeVisible();
  await id.fill("after");
  await expect(page.getByText("Saved as before: saving asks")).toBeVisible();
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByRole("alert").filter({ hasText: "It was saved as before" })).toBeVisible();
  expect(existsSync(file("after"))).toBe(false);
  await shot(page, "changed-id");
  await page.getByRole("button", { name: "Rename it" }).click();
  await expect(page.getByText("before is after now")).toBeVisible();
  await expect(page).toHaveURL(/#\/b\/after$/);
  expect(readFileSync(file("after"), "utf8")).toBe(text("after"));
  expect(existsSync(file("before"))).toBe(false);
  await id.fill("copied");
  await page.keyboard.press("ControlOrMeta+s");
  await page.getByRole("button", { name: "Save a copy" }).click();
  await expect(page.getByText("saved copied, revision 1")).toBeVisible();
  expect(existsSync(file("after"))).toBe(true);
  await id.fill("slip");
  await page.keyboard.press("ControlOrMeta+s");
  await page.getByRole("button", { name: "Keep copied" }).click();
  await expect(id).toHaveValue("copied");
  expect(existsSync(file("slip"))).toBe(false);
});

test("a breakpoint goes with its node when that is renamed, and back with undo", async ({ studio: page }) => {
  await write(page, text("stops"));
  await page.locator('.card[data-path="two"] .card-head').click();
  await page.keyboard.press("F9");
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.getByLabel("Id of the node").fill("sorted");
  await page.keyboard.press("Enter");
  await expect(page.locator('[data-path="sorted"] .stop')).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.locator('[data-path="two"] .stop')).toBeVisible();
  await expect(page.locator('.card[data-path="two"]')).toHaveClass(/selected/);
  await page.getByRole("button", { name: "Redo" }).click();
  await expect(page.locator('[data-path="sorted"] .stop')).toBeVisible();
});

test("templates say what they need; commands stand in groups", async ({ studio: page }) => {
  await page.goto(`${new URL(page.url()).origin}/#/`);
  await expect(page.getByRole("listitem").filter({ hasText: "Invoice by approval" }).getByText("Needs a web service")).toBeVisible();
  await expect(page.getByRole("listitem").filter({ hasText: "First look" }).getByText("Needs")).toHaveCount(0);
  await page.getByText("Invoice by approval").scrollIntoViewIfNeeded();
  await shot(page, "needed");
  await page.keyboard.press("ControlOrMeta+k");
  await expect(page.getByRole("group", { name: "Go" }).getByRole("option", { name: "Runs" })).toBeVisible();
  await page.getByRole("combobox", { name: "Search commands" }).fill("dark");
  await page.keyboard.press("Enter");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("runs are found by their time; the timeline of one that waits goes on to now", async ({ studio: page, served }) => {
  const waiting = "atomiton: 1\nid: waiting\nnodes:\n  one: {uses: data.value, with: {value: 1}}\n  ask: {needs: one, wait: {signal: go}}\n";
  await write(page, waiting);
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await page.getByRole("tab", { name: "Timeline" }).click();
  const bar = page.locator(".gantt", { hasText: "ask" }).locator(".bar-wait");
  await expect(bar).toHaveAttribute("title", /ask waits, [1-9]\d*(\.\d)? s/);
  const took = async (): Promise<number> => Number.parseFloat(await page.locator(".gantt", { hasText: "ask" }).locator(".gantt-time").textContent() ?? "");
  const before = await took();
  await expect.poll(took).toBeGreaterThan(before);
  expect((await bar.boundingBox())!.width).toBeGreaterThan(200);
  await page.goto(`${served.address}/#/runs`);
  const row = page.getByRole("row").filter({ hasText: "waiting" });
  await expect(row.first()).toBeVisible();
  await page.getByLabel("Time").selectOption("hour");
  await expect(row.first()).toBeVisible();
  await page.getByLabel("Time").selectOption("on");
  const day = (ago: number): string => { const at = new Date(Date.now() - ago * 86_400_000); return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`; };
  await page.getByLabel("Day").fill(day(3));
  await expect(page.getByText("No run fits this.")).toBeVisible();
  await page.getByLabel("Day").fill(day(0));
  await expect(row.first()).toBeVisible();
  await shot(page, "runs-by-time");
});

test("a fresh window without a draft looks at the latest run", async ({ studio: page, served, browser }) => {
  await keep(served, "latest", text("latest"));
  await open(page, served, "latest");
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.locator('[data-path="two"] .state-completed')).toBeVisible();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const fresh = await context.newPage();
  await fresh.goto(await served.login());
  await fresh.waitForURL(`${served.address}/`);
  expect(await fresh.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith("draft:")))).toEqual([]);
  await open(fresh, served, "latest");
  await fresh.locator('.card[data-path="two"] .card-head').click();
  const seen = fresh.locator('[data-field="items"] .seen');
  await expect(seen).toHaveText("= [3,1,2]");
  await fresh.getByRole("textbox", { name: "items" }).fill("${{ one[0] + 4 }}");
  await expect(seen).toHaveText("= 7");
  await context.close();
});

test("from afar the names of nodes are large enough to be read", async ({ studio: page, served }) => {
  const many = Array.from({ length: 40 }, (_, i) => `  step_${i}: {uses: data.value, with: {value: ${i < 4 ? i : `"\${{ step_${i - 4} }}"`}}}`).join("\n");
  await keep(served, "afar", `atomiton: 1\nid: afar\nnodes:\n${many}\n`);
  await open(page, served, "afar");
  await page.keyboard.press("1");
  await settled(page);
  const size = await page.locator(".card .title b").first().evaluate((e) => {
    const scale = e.getBoundingClientRect().height / (e as HTMLElement).offsetHeight;
    return parseFloat(getComputedStyle(e).fontSize) * scale;
  });
  expect(size).toBeGreaterThan(7.5);
  await shot(page, "afar");
});
