import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, shot, test, write } from "./server";

const TEXT = `atomiton: 1
id: large
inputs: {least: {type: number, default: 100}}
nodes:
  orders: {uses: data.value, with: {value: [{id: A1, customer: Ada, total: 240.5}, {id: A2, customer: Linus, total: 42}, {id: A3, customer: Grace, total: 1310}]}}
  big:   # kept as it is
    uses: data.filter
    with: {items: "\${{ orders }}", where: item.total > inputs.least}
  each:
    map: \${{ big.items }}
    as: order
    nodes:
      line: {uses: data.value, with: {value: "\${{ order.customer }}: \${{ order.total }}"}}
  tell: {uses: flow.log, with: {message: "The largest is "}}
`;

test("a node opens large from the canvas and from its form, by mouse and by key, and goes back to where it was", async ({ studio: page }) => {
  await write(page, TEXT);
  await page.getByRole("button", { name: "Form", exact: true }).click();
  const large = page.getByRole("region", { name: /, large$/ });
  await page.locator('[data-path="big"] .card-head').dblclick();
  await expect(large).toHaveAccessibleName("Node big, large");
  await expect(large.getByText("It has not run yet.")).toBeVisible();
  await expect(large.getByRole("region", { name: "What orders gave" })).toBeVisible();
  await expect(page.locator(".middle")).toHaveAttribute("inert", "");
  await shot(page, "large-before");
  await page.keyboard.press("]");
  await expect(large).toHaveAccessibleName("Node each, large");
  await page.keyboard.press("[");
  await page.keyboard.press("[");
  await expect(large).toHaveAccessibleName("Node orders, large");
  await page.keyboard.press("Escape");
  await expect(large).toHaveCount(0);
  await expect(page.locator('.react-flow__node[data-id="orders"]')).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(large).toHaveAccessibleName("Node orders, large");
  await page.getByRole("button", { name: "Canvas" }).click();
  await expect(large).toHaveCount(0);
  await page.getByRole("button", { name: "Open large" }).click();
  await expect(large).toHaveCount(1);
  await page.keyboard.press("o");
  await expect(large).toHaveCount(0);
  // A container is entered by a double click, and opened large by its key.
  await page.locator('[data-path="each"] > .card-head').dblclick();
  await expect(large).toHaveCount(0);
  await page.locator('[data-path="each"] > .card-head').click();
  await page.keyboard.press("o");
  await expect(large).toHaveAccessibleName("Node each, large");
  await page.getByRole("button", { name: "Nodes to add" }).click();
  await expect(large).toHaveCount(0);
  await expect(page.getByRole("searchbox", { name: "Search nodes" })).toBeVisible();
});

test("it is run from there; what came in is dragged into a field or put there by keys, and is in the file", async ({ studio: page, served }) => {
  await write(page, TEXT);
  await page.keyboard.press("ControlOrMeta+s");
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.locator('[data-path="tell"] .card-head').click();
  await page.keyboard.press("Enter");
  const input = page.getByRole("region", { name: "Input" });
  const output = page.getByRole("region", { name: "Output" });
  await input.getByRole("button", { name: "Unfold what big gave" }).click();
  await expect(input.getByRole("region", { name: "What big gave" }).getByRole("button", { name: "count", exact: true })).toBeVisible(); // by its type

  // By keys: the cursor into the field, then a part is pressed.
  const message = page.getByRole("textbox", { name: "message" });
  await message.focus();
  await message.press("End");
  await input.getByRole("button", { name: "count", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(message).toHaveValue("The largest is ${{ big.count }}");
  await page.keyboard.press("ControlOrMeta+z");
  await expect(message).toHaveValue('"The largest is "'); // a blank at its end is seen by the quotation marks

  await output.getByRole("button", { name: "Run to here" }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(output.getByText("completed", { exact: true })).toBeVisible();

  // By mouse, once all has run: what big gave is a tree now.
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const big = input.getByRole("region", { name: "What big gave" });
  await big.getByRole("button", { name: "unfold 0" }).click();
  await big.getByRole("button", { name: "total", exact: true }).dragTo(message);
  await expect(message).toHaveValue("The largest is ${{ big.items[0].total }}");
  await expect(page.locator('[data-field="message"] .seen')).toContainText("240.5");
  await shot(page, "large-node");
  await page.keyboard.press("ControlOrMeta+s");
  await expect.poll(() => readFileSync(join(served.folder, "large.yaml"), "utf8")).toBe(TEXT.replace('"The largest is "', '"The largest is ${{ big.items[0].total }}"'));

  // Alone, on what was given before it.
  await output.getByRole("button", { name: "Run only this" }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator(".large .steering .chip-completed")).toBeVisible();
  await input.getByRole("button", { name: "Go to big" }).click();
  await expect(page.getByRole("region", { name: "Node big, large" })).toBeVisible();
});

test("in a map it shows what the item is, and each item by its number", async ({ studio: page }) => {
  await write(page, TEXT);
  await page.keyboard.press("ControlOrMeta+s");
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator(".steering .chip-completed")).toBeVisible();
  await page.locator('[data-path="each.line"] .card-head').dblclick();
  const item = page.getByRole("region", { name: "order", exact: true });
  await expect(item.getByText('"Ada"')).toBeVisible();
  const output = page.getByRole("region", { name: "Output" });
  await output.getByRole("spinbutton").fill("1");
  await expect(output.getByText("Grace: 1310")).toBeVisible();
  await shot(page, "large-map");
});
