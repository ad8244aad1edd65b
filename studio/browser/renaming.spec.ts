/** What a renaming does to others. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, shot, test } from "./server";

test("what is renamed is renamed in what calls it as well, and all of it is taken back at once", async ({ studio: page, served }) => {
  const put = async (id: string, nodes: string): Promise<string> => {
    const body = `atomiton: 1\nid: ${id}   # kept\nnodes:\n${nodes}`;
    const answer = await fetch(`${served.address}/api/v1/blueprints/${id}`, { method: "PUT", body, headers: { "content-type": "application/yaml", authorization: `Bearer ${await served.token()}` } });
    expect(answer.status).toBe(201);
    return body;
  };
  const file = (id: string): string => readFileSync(join(served.folder, `${id}.yaml`), "utf8");
  await put("called", "  a: {uses: data.value, with: {value: 1}}\n");
  const caller = await put("caller", "  ask: {call: called}   # it\n");
  const other = await put("bystander", "  a: {uses: data.value, with: {value: called}}\n");
  await page.goto(`${served.address}/#/b/called`);
  await page.locator(".card").first().waitFor();
  await page.getByRole("textbox", { name: "id", exact: true }).fill("asked");
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByRole("checkbox", { name: "Renamed, also in what calls it: caller" })).toBeChecked();
  await shot(page, "renaming");
  await page.getByRole("button", { name: "Rename it" }).click();
  await expect(page.getByText("called is asked now, also in caller")).toBeVisible();
  expect(file("caller")).toBe(caller.replace("call: called", "call: asked"));
  expect(file("bystander")).toBe(other);
  expect(() => file("called")).toThrow();
  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await expect(page).toHaveURL(/#\/b\/called$/);
  await expect(page.locator(".doc-name h1")).toHaveText("called");
  expect(file("caller")).toBe(caller);
  await expect.poll(() => { try { return file("asked"); } catch { return "gone"; } }).toBe("gone");
});
