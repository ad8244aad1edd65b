/** What is not saved yet, and where one may go with it. */
import type { Page } from "@playwright/test";
import { expect, test, write } from "./server";

const TEXT = (id: string): string => `atomiton: 1
id: ${id}
nodes:
  one:
    uses: data.value
    with: {value: 5}
`;

const BACK = "your unsaved changes are back";

async function saved(page: Page, id: string): Promise<void> {
  await write(page, TEXT(id));
  await expect(page.locator(".card")).toHaveCount(1);
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText(`saved ${id}, revision 1`)).toBeVisible();
}

async function describe(page: Page, words: string): Promise<void> {
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.locator(".react-flow__pane").click({ position: { x: 30, y: 400 } });
  await page.getByRole("textbox", { name: "description" }).click();
  await page.keyboard.type(words);
  await expect(page.getByText("changed", { exact: true })).toBeVisible();
}

test("one that was never saved is there again, by Back and on the list, until it is discarded", async ({ studio: page }) => {
  await page.locator(".template button").first().click();
  await expect(page.locator(".card").first()).toBeVisible();
  const name = await page.locator(".doc-name h1").innerText();
  await page.getByRole("textbox", { name: "description" }).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("mine alone");
  await page.getByRole("link", { name: "All blueprints" }).click();
  await expect(page.locator(".unsaved")).toHaveCount(1);
  await page.goBack();
  await expect(page.getByText(BACK)).toBeVisible();
  await expect(page.getByRole("textbox", { name: "description" })).toHaveValue("mine alone");
  await page.getByRole("link", { name: "All blueprints" }).click();
  await page.getByRole("button", { name: "New blueprint" }).click();
  await expect(page.getByRole("heading", { name: "Begin with a node" })).toBeVisible();
  await page.getByRole("link", { name: "All blueprints" }).click();
  await page.locator(".unsaved").getByRole("button", { name }).first().click();
  await expect(page.getByRole("textbox", { name: "description" })).toHaveValue("mine alone");
  await page.getByRole("link", { name: "All blueprints" }).click();
  await page.getByRole("button", { name: `Discard ${name}` }).click();
  await expect(page.locator(".unsaved")).toHaveCount(0);
});

test("a changed one is there again after another one, and after a run; saved, nothing is kept", async ({ studio: page }) => {
  await saved(page, "second");
  await saved(page, "first");
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.locator(".run-bar .chip-completed")).toBeVisible();
  await describe(page, "mine");
  await page.evaluate(() => { location.hash = "#/b/second"; });
  await expect(page.locator(".doc-name")).toContainText("second");
  await page.evaluate(() => { location.hash = "#/b/first"; });
  await expect(page.getByText(BACK)).toBeVisible();
  await expect(page.getByRole("textbox", { name: "description" })).toHaveValue("mine");
  await page.evaluate(() => { location.hash = "#/runs"; });
  await page.locator("tbody tr a").first().click();
  await expect(page.locator(".doc-name small")).toContainText("run_");
  await expect(page.locator(".card")).toHaveCount(1);
  await page.evaluate(() => { location.hash = "#/b/first"; });
  await expect(page.getByRole("textbox", { name: "description" })).toHaveValue("mine");
  // Undo leads to what is saved.
  await page.locator(".react-flow__pane").click({ position: { x: 30, y: 400 } });
  await page.keyboard.press("ControlOrMeta+z");
  await expect(page.getByText("saved", { exact: true })).toBeVisible();
  await page.keyboard.press("ControlOrMeta+Shift+z");
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved first, revision 2")).toBeVisible();
  await page.evaluate(() => { location.hash = "#/b/second"; });
  await expect(page.locator(".doc-name")).toContainText("second");
  expect(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key === "draft:first"))).toEqual([]);
});

test("what somebody else saved meanwhile is told when unsaved changes come back", async ({ studio: page, served }) => {
  await saved(page, "both");
  await describe(page, "mine");
  await page.evaluate(() => { location.hash = "#/runs"; });
  await page.reload();
  const etag = ((await (await page.request.get(`${served.address}/api/v1/blueprints/both`)).json()) as { info: { etag: string } }).info.etag;
  const put = await fetch(`${served.address}/api/v1/blueprints/both`, { method: "PUT", body: TEXT("both").replace("5", "6"), headers: { authorization: `Bearer ${await served.token()}`, "content-type": "application/yaml", "if-match": `"${etag}"` } });
  expect(put.status).toBe(200);
  await page.evaluate(() => { location.hash = "#/b/both"; });
  await expect(page.getByText("Somebody else has saved this blueprint meanwhile.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "description" })).toHaveValue("mine");
  await page.getByRole("button", { name: /Take theirs/ }).click();
  await expect(page.getByRole("textbox", { name: "description" })).toHaveValue("");
  expect(await page.evaluate(() => sessionStorage.getItem("draft:both"))).toBeNull();
});

test("after a lost server a run begins again, without any change of the text", async ({ studio: page, served }) => {
  await saved(page, "lost");
  await expect(page.getByText("no problems")).toBeVisible();
  await served.stop();
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+End");
  const unanswered = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/validate"));
  await page.keyboard.type("# a word");
  await unanswered;
  await expect(page.getByText("no problems")).toBeVisible();
  await served.start();
  const other = await page.context().newPage();
  await other.goto(await served.login());
  await other.close();
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.locator(".run-bar .chip-completed")).toBeVisible();
});

test("what was removed comes back by Undo, with its text", async ({ studio: page, served }) => {
  await saved(page, "binned");
  await page.getByRole("link", { name: "All blueprints" }).click();
  await page.getByRole("button", { name: "Remove binned" }).click();
  const card = page.locator(".blueprint a", { hasText: "binned" });
  await expect(card).toHaveCount(0);
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(card).toHaveCount(1);
  expect(((await (await page.request.get(`${served.address}/api/v1/blueprints/binned`)).json()) as { text: string }).text).toBe(TEXT("binned"));
});

test("an id that another blueprint has is told as that, and nothing is overwritten", async ({ studio: page, served }) => {
  await saved(page, "twice");
  await page.getByRole("link", { name: "All blueprints" }).click();
  await page.getByRole("button", { name: "New blueprint" }).click();
  await write(page, TEXT("twice").replace("5", "6"));
  await expect(page.locator(".card")).toHaveCount(1);
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("There is already a blueprint 'twice'.")).toBeVisible();
  await page.getByRole("button", { name: "Save as twice-2" }).click();
  await expect(page.getByText("saved twice-2, revision 1")).toBeVisible();
  const text = async (id: string): Promise<string> => ((await (await page.request.get(`${served.address}/api/v1/blueprints/${id}`)).json()) as { text: string }).text;
  expect(await text("twice")).toBe(TEXT("twice"));
  expect(await text("twice-2")).toBe(TEXT("twice-2").replace("5", "6"));
});

test("a server that was started again asks to log in, and the page goes on after that", async ({ studio: page, served }) => {
  await write(page, `${TEXT("again")}  slow: {uses: shop.slow, needs: [one], with: {seconds: 60}}\n`);
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator('[data-path="slow"] .state-running')).toBeVisible();
  await served.stop();
  await expect(page.getByText("reconnecting…")).toBeVisible();
  await served.start();
  await expect(page.getByText(/log in again: open the link/)).toBeVisible({ timeout: 15_000 });
  const other = await page.context().newPage();
  await other.goto(await served.login());
  await other.close();
  await expect(page.getByText(/log in again: open the link/)).toHaveCount(0, { timeout: 15_000 });
});

test("addresses that lead nowhere say so", async ({ studio: page, served }) => {
  await saved(page, "before");
  await page.evaluate(() => { location.hash = "#/runs/run_nope"; });
  await expect(page.getByRole("heading", { name: "This run cannot be shown" })).toBeVisible();
  await expect(page.locator(".card")).toHaveCount(0);
  await page.goto(`${served.address}/#/b/%`);
  await page.reload();
  await expect(page.getByRole("navigation", { name: "Studio" })).toBeVisible();
  await expect(page.getByRole("heading", { name: /Blueprints/ })).toBeVisible();
});

test("a page that falls over says why, and the others are still there", async ({ page, served }) => {
  await page.goto(await served.login());
  await page.getByRole("navigation", { name: "Studio" }).waitFor();
  await page.route(/\/Triggers[^/]*\.js/, (route) => route.abort());
  await page.evaluate(() => { location.hash = "#/triggers"; });
  await expect(page.getByRole("heading", { name: "This page cannot be shown" })).toBeVisible();
  await page.getByRole("link", { name: "Runs" }).click();
  await expect(page.getByRole("heading", { name: "Runs" })).toBeVisible();
});

test("a new blueprint is begun by name, also while another one is begun", async ({ studio: page }) => {
  const begin = async (): Promise<void> => {
    await page.keyboard.press("ControlOrMeta+k");
    await page.keyboard.type("new blueprint");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { name: "Begin with a node" })).toBeVisible();
  };
  await begin();
  await page.getByRole("button", { name: "A value" }).click();
  await expect(page.locator(".card")).toHaveCount(1);
  await begin();
  await page.getByRole("link", { name: "All blueprints" }).click();
  await expect(page.locator(".unsaved")).toHaveCount(1);
});
