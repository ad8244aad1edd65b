import { expect, shot, test, write } from "./server";

const TEXT = `atomiton: 1
id: listed
inputs: {n: {type: integer, default: 1}}
nodes:
  one: {uses: data.value, with: {value: "\${{ inputs.n }}"}}
  check: {uses: data.value, with: {value: "\${{ 100 / one }}"}}
  slow: {uses: shop.slow, needs: [check], with: {seconds: 0.1}}
  last: {uses: data.value, needs: [slow], with: {value: "\${{ check }}"}}
`;

test("runs of the blueprint stand beside the canvas, live; the chosen one is shown on it", async ({ studio: page, served }) => {
  const start = async (n: number): Promise<string> => {
    const answer = await fetch(`${served.address}/api/v1/runs`, { method: "POST", body: JSON.stringify({ blueprint: "listed", inputs: { n } }), headers: { "content-type": "application/json", authorization: `Bearer ${await served.token()}` } });
    return ((await answer.json()) as { run: string }).run;
  };
  await write(page, TEXT);
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.getByRole("button", { name: "Runs of this blueprint" }).click();
  const list = page.getByRole("region", { name: "Runs of this blueprint" });
  await expect(list.getByText(/It has not run yet/)).toBeVisible();
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText(/saved listed/)).toBeVisible();
  const good = await start(5);
  const bad = await start(0); // by zero
  await expect(list.locator(".run-completed")).toHaveCount(1);
  await expect(list.locator(".run-failed")).toHaveCount(1);
  await expect(list.locator(".run-failed .why")).toContainText(/zero|division/i);

  await list.locator(".run-failed button").click();
  await expect(page.locator('[data-path="check"] .state-failed')).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`#/b/listed/${bad}$`));
  await shot(page, "run-list");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.locator('[data-path="last"] .state-completed')).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`#/b/listed/${good}$`));
  await expect(list.locator("[aria-current]")).toHaveCount(1);

  // Another one begins while one looks; it is shown at once, and how it ends.
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(list.locator(".one-run")).toHaveCount(3);
  await expect(list.locator(".one-run").first().locator("[aria-current]")).toHaveCount(1);
  await expect(list.locator(".run-completed")).toHaveCount(2);

  await list.getByRole("combobox", { name: "Status" }).selectOption("failed");
  await expect(list.locator(".one-run")).toHaveCount(1);
  await list.getByRole("combobox", { name: "Status" }).selectOption("");

  // What the blueprint said then is a link away once it says something else.
  await page.locator('[data-path="one"] .card-head').click();
  await page.getByRole("textbox", { name: "value" }).fill("${{ inputs.n + 1 }}");
  await page.keyboard.press("ControlOrMeta+s");
  await list.locator(".run-failed button").click();
  await expect(list.getByText("The blueprint has changed since.")).toBeVisible();
  await list.getByRole("link", { name: "As it was" }).click();
  await expect(page).toHaveURL(new RegExp(`#/runs/${bad}$`));
  await page.goBack();

  // By its key: open, into the list, and closed again.
  await page.locator(".react-flow__pane").click({ position: { x: 5, y: 300 } });
  await page.keyboard.press("h");
  await expect(list).toHaveCount(0);
  await page.keyboard.press("h");
  await expect(list.locator("button:focus")).toHaveCount(1);
});
