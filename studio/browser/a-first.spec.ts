import { expect, shot, test } from "./server";

test("a first blueprint runs within a minute: template, execute, look", async ({ studio: page }) => {
  const began = Date.now();
  await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
  await expect(page.getByRole("button", { name: /First look/ })).toBeVisible();
  await shot(page, "home");
  await page.getByRole("button", { name: /First look/ }).click();
  await expect(page.locator(".card")).toHaveCount(9);
  await shot(page, "editor");
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.getByRole("dialog", { name: "Inputs of the run" })).toBeVisible();
  await shot(page, "inputs");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  const seconds = (Date.now() - began) / 1000;
  await expect(page.locator('[data-path="big"] .state-completed')).toBeVisible();
  await expect(page.locator('[data-path="note"].run-skipped')).toBeVisible();
  await shot(page, "executed");
  expect(seconds).toBeLessThan(60);
  await page.locator('[data-path="sorted"]').click();
  await expect(page.getByRole("columnheader", { name: "customer" })).toBeVisible();
  await shot(page, "node-output");
  await page.keyboard.press("t");
  await page.locator(".cm-content").waitFor();
  await page.keyboard.press("n");
  await shot(page, "text-and-palette");
});
