/** What is typed into forms, key by key. */
import { expect, test, write } from "./server";

const TEXT = `atomiton: 1
id: typing
nodes:
  one:
    uses: data.value
    with: {value: 5}
  two:
    uses: flow.log
    with: {message: hello}
`;

test("an expression typed into any field keeps the focus, and Backspace takes away letters", async ({ studio: page }) => {
  await write(page, TEXT);
  for (const [node, name, literal] of [["two", "message", "hello"], ["one", "value", "5"]] as const) {
    await page.locator(`.card[data-path="${node}"] .card-head`).click();
    await page.getByRole("button", { name: "Form", exact: true }).click();
    const field = page.getByRole("textbox", { name, exact: true });
    await expect(field).toHaveValue(literal);
    await field.click();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("${{ inputs.xyz");
    await expect(field).toBeFocused();
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    await expect(field).toHaveValue("${{ inputs.x");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("${{ 1 + 1 }}");
    await expect(field).toBeFocused();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("[1, 2]");
    await expect(field).toHaveValue("[1, 2]");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("${{ 1 + 1 }}");
    await expect(field).toBeFocused();
    await expect(page.locator(".card")).toHaveCount(2);
  }
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await expect(page.locator(".cm-content")).toContainText('value: "${{ 1 + 1 }}"');
  await expect(page.locator(".cm-content")).toContainText('message: "${{ 1 + 1 }}"');
});

test("a text that looks like a number stays a text while it is typed on", async ({ studio: page }) => {
  await write(page, TEXT.replace("value: 5", 'value: "007"'));
  await page.locator('.card[data-path="one"] .card-head').click();
  await page.getByRole("button", { name: "Form", exact: true }).click();
  const field = page.getByRole("textbox", { name: "value", exact: true });
  await expect(field).toHaveValue('"007"');
  await field.click();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.type("8");
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await expect(page.locator(".cm-content")).toContainText('value: "0078"');
});

test("the literal is there again when an expression was tried", async ({ studio: page }) => {
  await write(page, TEXT);
  await page.locator('.card[data-path="one"] .card-head').click();
  await page.getByRole("button", { name: "Form", exact: true }).click();
  const field = page.getByRole("textbox", { name: "value", exact: true });
  await page.getByRole("button", { name: "value as an expression" }).click();
  await expect(field).toHaveValue("${{ }}");
  await page.getByRole("button", { name: "value as an expression" }).click();
  await expect(field).toHaveValue("5");
});

test("a route that is there already is not replaced, and a wrong name is refused with the reason", async ({ studio: page }) => {
  await write(page, TEXT + "  way:\n    branch: {high: one > 3, low: else}\n");
  await page.locator('.card[data-path="way"] .card-head').click();
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.getByRole("textbox", { name: "Name of a new route" }).click();
  await page.keyboard.type("high");
  await page.keyboard.press("Enter");
  await expect(page.getByText("there is already a route 'high'")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "high" })).toHaveValue("one > 3");
  await page.getByRole("textbox", { name: "Name of a new route" }).click();
  await page.keyboard.type("-er");
  await page.keyboard.press("Enter");
  await expect(page.getByText("'high-er' cannot be the name of a route")).toBeVisible();
});
