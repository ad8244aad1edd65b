import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, shot, test, write } from "./server";

const TEXT = `# What is kept: comments, order, quotes.
atomiton: 1
id: 'kept'   # quoted
nodes:
  # the numbers
  numbers:
    uses: data.value
    with: {value: [3, 1, 2]}   # three

  sorted:
    uses: data.sort
    with:
      items: []
  wait:
    uses: shop.slow
    with: {seconds: 0.01}
`;

test("canvas and text are one: connect, refuse, undo, save; the file changes only where meant", async ({ studio: page, served }) => {
  await write(page, TEXT);
  await expect(page.locator(".card")).toHaveCount(3);
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved kept, revision 1")).toBeVisible();
  const file = join(served.folder, "kept.yaml");
  expect(readFileSync(file, "utf8")).toBe(TEXT);

  const drag = async (from: string, to: string): Promise<void> => {
    const [a, b] = [await page.locator(from).boundingBox(), await page.locator(to).boundingBox()];
    await page.mouse.move(a!.x + a!.width / 2, a!.y + a!.height / 2);
    await page.mouse.down();
    await page.mouse.move(b!.x + b!.width / 2 - 20, b!.y + b!.height / 2, { steps: 8 });
    await page.mouse.move(b!.x + b!.width / 2, b!.y + b!.height / 2, { steps: 4 });
    await page.mouse.up();
  };
  await page.locator('[data-path="sorted"] .card-head').click();
  await drag('[data-path="numbers"] .head-port.source', '[data-path="sorted"] .port.target[data-handleid="items"]');
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await expect(page.locator(".cm-content")).toContainText("items: ${{ numbers }}");

  // A line from a list to a number is refused, with the reason.
  await page.locator('[data-path="sorted"] .card-head').click();
  await page.keyboard.down("Shift");
  await page.locator('[data-path="wait"] .card-head').click();
  await page.keyboard.up("Shift");
  await drag('[data-path="sorted"] .port[data-handleid="items"].source', '[data-path="wait"] .port[data-handleid="seconds"]');
  await expect(page.getByText("does not fit 'seconds': it gives a list, and a number is wanted")).toBeVisible();
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);

  // A circle as well.
  await drag('[data-path="sorted"] .head-port.source', '[data-path="numbers"] .head-port.target');
  await expect(page.getByText("this would be a circle")).toBeVisible();

  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved kept, revision 2")).toBeVisible();
  expect(readFileSync(file, "utf8")).toBe(TEXT.replace("items: []", "items: ${{ numbers }}"));

  await page.locator(".react-flow__pane").click({ position: { x: 30, y: 400 } });
  await page.keyboard.press("ControlOrMeta+z");
  await expect(page.locator(".react-flow__edge")).toHaveCount(0);
  await page.keyboard.press("ControlOrMeta+Shift+z");
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);
});

test("by keyboard alone: add, rename, form, copy and paste, remove", async ({ studio: page }) => {
  await page.getByRole("button", { name: "New blueprint" }).click();
  await expect(page.getByRole("heading", { name: "Begin with a node" })).toBeVisible();
  await page.keyboard.press("n");
  await expect(page.getByRole("searchbox", { name: "Search nodes" })).toBeFocused();
  await page.keyboard.type("filter");
  await page.keyboard.press("Enter");
  await expect(page.locator('[data-path="filter"]')).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByLabel("Id of the node").fill("big");
  await page.keyboard.press("Enter");
  await expect(page.locator('[data-path="big"]')).toBeVisible();
  const where = page.getByRole("textbox", { name: "where" });
  await where.fill("");
  await where.pressSequentially("it");
  await expect(page.getByRole("option", { name: /item/ })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(where).toHaveValue("item");
  await where.pressSequentially(".total > 2");
  await where.blur();
  await page.locator('[data-path="big"] .card-head').click();
  await page.keyboard.press("ControlOrMeta+d");
  await expect(page.locator(".card")).toHaveCount(2);
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  await expect(page.locator(".card")).toHaveCount(0);
  await page.keyboard.press("ControlOrMeta+z");
  await expect(page.locator(".card")).toHaveCount(2);
  await page.keyboard.press("ControlOrMeta+k");
  await page.getByRole("combobox", { name: "Search commands" }).fill("approval");
  await shot(page, "commands");
  await page.getByRole("option", { name: /Add Approval/ }).click();
  await expect(page.locator('[data-path="approval"]')).toBeVisible();
});

test("two windows: a change of the other is seen, and a conflict loses nothing", async ({ studio: page, served, context }) => {
  await write(page, TEXT.replace("'kept'", "shared"));
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved shared, revision 1")).toBeVisible();
  const other = await context.newPage();
  await other.goto(`${served.address}/#/b/shared`);
  await expect(other.locator(".card")).toHaveCount(3);
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.insertText("  more:\n    uses: shop.html\n");
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved shared, revision 2")).toBeVisible();
  await other.bringToFront();
  await expect(other.locator(".card")).toHaveCount(4, { timeout: 10_000 });

  await other.getByRole("textbox", { name: "description" }).fill("mine");
  await page.bringToFront();
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.insertText("  last:\n    uses: shop.html\n");
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved shared, revision 3")).toBeVisible();
  await other.bringToFront();
  await other.keyboard.press("ControlOrMeta+s");
  await expect(other.getByText("Somebody else has saved this blueprint meanwhile.")).toBeVisible();
  await other.getByRole("button", { name: /Take theirs/ }).click();
  await expect(other.locator(".card")).toHaveCount(5);
  await other.locator(".react-flow__pane").click({ position: { x: 30, y: 400 } });
  await other.keyboard.press("ControlOrMeta+z");
  await expect(other.getByRole("textbox", { name: "description" })).toHaveValue("mine");
});

test("half a text is saved as it is, shown as a draft, not run, and finished later", async ({ studio: page, served }) => {
  const half = `${TEXT.replace("'kept'", "halfway")}  more: {uses: [\n`;
  await write(page, TEXT.replace("'kept'", "halfway"));
  await expect(page.locator(".card")).toHaveCount(3);
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.insertText("  more: {uses: [\n");
  await expect(page.getByText("not YAML")).toBeVisible();
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved halfway as a draft, revision 1: it cannot run yet")).toBeVisible();
  expect(readFileSync(join(served.folder, "halfway.yaml"), "utf8")).toBe(half);
  await expect(page.locator(".card")).toHaveCount(3);
  await page.getByRole("link", { name: "All blueprints" }).click();
  const card = page.locator(".blueprint", { hasText: "halfway" });
  await expect(card.getByText("draft")).toBeVisible();
  await shot(page, "drafts");
  await card.getByRole("link").click();
  await expect(page.getByRole("heading", { name: "halfway" })).toBeVisible();
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await expect(page.locator(".cm-content")).toContainText("more: {uses: [");
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.locator(".toast-bad, .dialog .problem, [role=alert]").first()).toBeVisible();
  await page.keyboard.press("Escape");
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("End");
  for (let i = 0; i < "{uses: [".length; i++) await page.keyboard.press("Backspace");
  await page.keyboard.insertText("{uses: shop.html}");
  await expect(page.locator(".card")).toHaveCount(4);
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved halfway, revision 2")).toBeVisible();
});
