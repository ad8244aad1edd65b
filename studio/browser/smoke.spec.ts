/** The least that must work, in seconds. */
import { barriers } from "./barriers";
import { expect, test } from "./server";

test.use({ bypassCSP: true }); // the checker is put into the page by the test alone

test("smoke: an example is opened, changed, executed and looked at, without barriers", async ({ studio: page }) => {
  await page.getByRole("button", { name: /First look/ }).click();
  await expect(page.locator(".card")).toHaveCount(9);
  await page.locator('[data-path="big"] .card-head').click();
  await page.getByRole("textbox", { name: "where" }).fill("item.total > inputs.threshold && item.total < 100000");
  await page.getByRole("tab", { name: "Policies" }).click();
  await page.getByRole("spinbutton", { name: "attempts" }).fill("2");
  await expect(page.getByText("no problems")).toBeVisible();
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-path="big"] .state-completed')).toBeVisible();
  await page.locator('[data-path="sorted"] .card-head').click();
  await expect(page.getByRole("columnheader", { name: "customer" })).toBeVisible();
  expect(await barriers(page, ["light"])).toEqual([]);
});
