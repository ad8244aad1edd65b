/** The path of somebody who has never seen it: from the first page to a file with only the meant lines changed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, shot, test } from "./server";

const TEMPLATE = readFileSync(join(import.meta.dirname, "../../examples/studio/first-look.yaml"), "utf8");

/** The lines of one text that another has not, with their numbers. */
function changed(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  expect(now.length).toBe(old.length);
  return now.flatMap((line, i) => (line === old[i] ? [] : [`${i + 1}: ${line.trim()}`]));
}

test("a newcomer: a template, changed, failing, mended, stepped through, saved", async ({ studio: page, served }) => {
  // Other tests may have kept the same example on this server.
  const forget = async (): Promise<unknown> => fetch(`${served.address}/api/v1/blueprints/first-look`, { method: "DELETE", headers: { authorization: `Bearer ${await served.token()}` } });
  await forget();
  await expect(page.getByRole("button", { name: /First look/ })).toBeVisible();
  await shot(page, "newcomer-01-open");
  await page.getByRole("button", { name: /First look/ }).click();
  await expect(page.locator(".card")).toHaveCount(9);
  await shot(page, "newcomer-02-template");

  // The orders are to be chosen by a field that they do not have.
  await page.locator('[data-path="big"] .card-head').click();
  const where = page.getByRole("textbox", { name: "where" });
  await where.fill("item.amount >= inputs.threshold");
  await shot(page, "newcomer-03-changed");

  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await page.getByRole("dialog").getByRole("spinbutton", { name: "threshold" }).fill("90");
  await shot(page, "newcomer-04-asked");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-path="big"] .state-failed')).toBeVisible();
  await expect(page.locator('[data-path="sum"] .state-cancelled')).toBeVisible();

  // The reason stands at the node, at the field that is wrong, and beside what the node was given.
  await expect(page.getByRole("alert")).toContainText("no field 'amount' in item (fields: id, customer, total)");
  await expect(page.locator('[data-field="where"] .seen-bad')).toContainText("no field 'amount'");
  await expect(page.getByRole("region", { name: "What orders gave" })).toContainText("240.5");
  await shot(page, "newcomer-05-failed");
  await page.locator('[data-path="sorted"] .card-head').click(); // behind it nothing is known
  await expect(page.locator('[data-field="by"] .seen')).toHaveText("big has given nothing in this run");
  await page.locator('[data-path="big"] .card-head').click();

  // It is mended with what is offered, and what it gives is seen before it runs again.
  await where.fill("");
  await where.pressSequentially("item.");
  await expect(page.getByRole("option", { name: /total/ })).toBeVisible();
  await shot(page, "newcomer-06-offered");
  await page.getByRole("option", { name: /total/ }).click();
  await where.press("End");
  await where.pressSequentially(" > inputs.threshold");
  await expect(page.locator('[data-field="where"] .seen')).toHaveText("= true");
  await shot(page, "newcomer-07-mended");

  await page.locator('[data-path="sorted"] .card-head').click();
  await page.getByRole("switch", { name: "descending" }).click();
  await page.getByRole("button", { name: "Breakpoint", exact: true }).click();
  await expect(page.locator('[data-path="sorted"] .stop')).toBeVisible();
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.getByRole("dialog").getByRole("spinbutton", { name: "threshold" })).toHaveValue("90"); // as it was given last
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByText("stopped before sorted")).toBeVisible();
  await expect(page.locator('[data-path="big"] .state-completed')).toBeVisible();
  await expect(page.locator('[data-field="by"] .seen')).toHaveText("= 240.5"); // of the run that has stopped, not of the one before
  await expect(page.getByRole("region", { name: "What big gave" }).locator("tbody tr")).toHaveCount(4); // what it is about to work on
  await shot(page, "newcomer-08-stopped");
  await page.getByRole("button", { name: "Step", exact: true }).click();
  await expect(page.locator('[data-path="sorted"] .state-completed')).toBeVisible();
  await expect(page.locator(".value-body")).toContainText("99.9");
  await shot(page, "newcomer-09-stepped");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.locator(".steering .chip-completed")).toBeVisible();
  await expect(page.locator('[data-path="cheer"] .state-completed')).toBeVisible();
  await shot(page, "newcomer-10-completed");

  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("saved first-look, revision")).toBeVisible();
  await expect(page.locator(".doc-name small")).toHaveText("saved");
  await shot(page, "newcomer-11-saved");
  const number = (text: string): number => TEMPLATE.split("\n").findIndex((line) => line.includes(text)) + 1;
  expect(changed(TEMPLATE, readFileSync(join(served.folder, "first-look.yaml"), "utf8"))).toEqual([
    `${number("where: item.total")}: where: item.total > inputs.threshold`,
    `${number("descending: true")}: descending: false`,
  ]);
  await forget();
});
