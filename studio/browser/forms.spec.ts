/** Forms instead of YAML: each writes only what it means, and says what is wrong where it is wrong. */
import type { Page } from "@playwright/test";
import { barriers } from "./barriers";
import { expect, shot, test, write } from "./server";

const TEXT = `# All that there are forms of.
atomiton: 1
id: forms
nodes:
  first:
    uses: data.value
    with: {value: 3}   # three
    retry: {attempts: 3}   # thrice
  again:
    loop:
      # until it is enough
      until: acc > 4   # enough
      start: 0
    uses: data.value
    with: {value: "\${{ acc + first }}"}
  ask:
    wait:
      signal: 'paid'   # by the shop
      match: payload.amount > 5
  way:
    branch:
      # the most
      high: again > 3
      low: else
  end: {uses: data.value, needs: [way.high], with: {value: 1}}
`;

/** The text as the pane shows it. */
async function shown(page: Page): Promise<string> {
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await page.locator(".cm-content").waitFor();
  const text = await page.locator(".cm-content").evaluate((e) => [...e.querySelectorAll(".cm-line")].map((l) => l.textContent ?? "").join("\n"));
  await page.getByRole("button", { name: "Form", exact: true }).click();
  return text;
}

async function choose(page: Page, node: string, tab = "Parameters"): Promise<void> {
  await page.locator(`.card[data-path="${node}"] .card-head`).first().click();
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.getByRole("tab", { name: tab }).click();
}

async function accessible(page: Page): Promise<void> {
  expect(await barriers(page)).toEqual([]);
}

const named = (page: Page, name: string) => page.getByRole("textbox", { name, exact: true });

test("tries: each key has a field, problems stand at it, and comments stay", async ({ studio: page }) => {
  await write(page, TEXT);
  await choose(page, "first", "Policies");
  const tries = page.getByRole("group", { name: "When it fails" });
  await tries.getByRole("spinbutton", { name: "attempts" }).fill("5");
  await tries.getByRole("textbox", { name: "delay", exact: true }).fill("250ms");
  await tries.getByText("factor, max_delay, jitter, on, not_on").click();
  await tries.getByRole("spinbutton", { name: "factor" }).fill("3");
  await tries.getByRole("textbox", { name: "max_delay" }).fill("20");
  await tries.getByRole("textbox", { name: "on", exact: true }).fill("timeout, http_status");
  expect(await shown(page)).toBe(TEXT.trimEnd().replace("{attempts: 3}", "{attempts: 5, delay: 250ms, factor: 3, max_delay: 20, on: [TIMEOUT, HTTP_STATUS]}") + "\n");
  await choose(page, "first", "Policies");
  await tries.getByRole("textbox", { name: "delay", exact: true }).fill("soon");
  await expect(tries.locator('[data-field="delay"] .problem')).toContainText("duration");
  await shot(page, "form-tries");
  await tries.getByRole("textbox", { name: "delay", exact: true }).fill("");
  await tries.getByRole("spinbutton", { name: "jitter" }).fill("7");
  await expect(tries.locator('[data-field="jitter"] .problem')).toBeVisible();
  await accessible(page);
});

test("loops and waits: another kind takes the place of one, and what does not belong goes", async ({ studio: page }) => {
  await write(page, TEXT);
  await choose(page, "again");
  await expect(named(page, "until")).toHaveValue("acc > 4");
  await page.getByRole("spinbutton", { name: "max" }).fill("50");
  await named(page, "delay").fill("10ms");
  await page.getByLabel("How often").selectOption("while");
  await named(page, "while").fill("acc < 9");
  await shot(page, "form-loop");
  await accessible(page);
  let now = TEXT.replace("until: acc > 4   # enough\n      start: 0", "while: acc < 9   # enough\n      start: 0\n      max: 50\n      delay: 10ms");
  expect(await shown(page)).toBe(now);
  await choose(page, "ask");
  await named(page, "timeout").fill("2h");
  await shot(page, "form-signal");
  await page.getByLabel("For what").selectOption("approval");
  await expect(page.locator('.card[data-path="ask"]')).toContainText("Approval");
  await named(page, "title").fill("Ship ${{ first }} of them?");
  const fields = page.getByRole("group", { name: "fields" });
  await fields.getByRole("textbox", { name: "Name of a new field" }).fill("amount");
  await page.keyboard.press("Enter");
  await fields.getByText("amount", { exact: true }).click();
  await fields.getByLabel("type").selectOption("number");
  await fields.getByRole("textbox", { name: "description" }).fill("How many");
  await fields.getByRole("spinbutton", { name: "minimum" }).fill("1");
  await shot(page, "form-approval");
  await accessible(page);
  now = now.replace("signal: 'paid'   # by the shop\n      match: payload.amount > 5", "approval:   # by the shop\n        title: Ship ${{ first }} of them?\n        fields:\n          amount:\n            type: number\n            description: How many\n            minimum: 1\n      timeout: 2h");
  expect((await shown(page)).replace("   # by the shop", "")).toBe(now.replace("   # by the shop", ""));
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("no problems")).toBeVisible();
});

test("branches: names, order, conditions and how many are taken; those who wait follow", async ({ studio: page }) => {
  await write(page, TEXT);
  await choose(page, "way");
  await page.getByRole("textbox", { name: "Name of route 1" }).fill("top");
  await page.keyboard.press("Enter");
  await page.getByLabel("Which are taken").selectOption("all");
  await page.getByRole("button", { name: "Ask route 1 later" }).focus();
  await page.keyboard.press("Enter");
  expect(await shown(page)).toBe(TEXT.replace("      # the most\n      high: again > 3\n      low: else\n", "      low: else\n      # the most\n      top: again > 3\n    mode: all\n").replace("[way.high]", "[way.top]"));
  await choose(page, "way");
  await shot(page, "form-branch");
  await named(page, "top").fill("again >");
  await expect(page.getByRole("group", { name: "Route 2" }).locator(".problem")).toBeVisible();
  await accessible(page);
  await page.getByRole("button", { name: "Remove route 1" }).click();
  await expect(page.getByRole("group", { name: /^Route \d/ })).toHaveCount(1);
});

test("what undoes a node has a form of its own; a node is repeated by choosing so", async ({ studio: page }) => {
  await write(page, TEXT);
  await choose(page, "first", "Policies");
  await page.getByLabel("Undone by").selectOption("flow.log");
  await expect(page.locator(".undo")).toHaveText("flow.log");
  const undone = page.getByRole("group", { name: "Undone by" });
  await undone.getByRole("textbox", { name: "message" }).fill("undo ${{ first }}");
  await undone.getByRole("switch", { name: "when_failed" }).click();
  await shot(page, "form-compensation");
  await accessible(page);
  expect(await shown(page)).toContain("    retry: {attempts: 3}   # thrice\n    compensate:\n      uses: flow.log\n      with:\n        message: undo ${{ first }}\n      when_failed: true\n");
  await choose(page, "first", "Policies");
  await page.getByLabel("how often").selectOption("map");
  await page.getByLabel("join").selectOption("at_least");
  await page.getByLabel("runtime").selectOption("thread");
  const text = await shown(page);
  expect(text).toContain("    map: ${{ [1, 2, 3] }}\n    join:\n      at_least: 1\n    runtime: thread\n");
  await expect(page.locator('.card[data-path="first"] .repeat-tag')).toBeVisible();
  await choose(page, "first");
  await expect(named(page, "map")).toHaveValue("${{ [1, 2, 3] }}");
});

test("triggers: a schedule says when it comes next, and every kind has a form", async ({ studio: page }) => {
  await write(page, TEXT);
  await page.locator(".react-flow__pane").click({ position: { x: 30, y: 400 } });
  await page.getByRole("button", { name: "Form", exact: true }).click();
  const add = page.getByLabel("Add a trigger");
  await add.selectOption("schedule");
  const schedule = page.getByRole("group", { name: "Trigger 1: Schedule" });
  await expect(schedule.getByRole("group", { name: "Next runs" }).locator("li")).toHaveCount(4);
  await schedule.getByLabel("how often").selectOption("*/5 * * * *");
  await schedule.getByRole("textbox", { name: "timezone" }).fill("Asia/Tokyo");
  await expect(schedule.getByText("Next, in Asia/Tokyo")).toBeVisible();
  const told = () => schedule.locator("time").evaluateAll((all) => all.map((e) => Date.parse(e.getAttribute("datetime")!)));
  await expect.poll(async () => { const [one = 0, two = 0] = await told(); return two - one; }).toBe(300_000);
  const [soon = 0] = await told();
  expect(soon % 300_000).toBe(0);
  expect(Math.abs(soon - Date.now())).toBeLessThanOrEqual(300_000);
  await schedule.getByLabel("overlap").selectOption("queue");
  await add.selectOption("webhook");
  await page.getByRole("textbox", { name: "secret" }).fill("none");
  await expect(page.getByText("/hooks/orders")).toBeVisible();
  await add.selectOption("event");
  await shot(page, "form-triggers");
  await accessible(page);
  expect(await shown(page)).toBe(`${TEXT}triggers:\n  - schedule:\n      cron: "*/5 * * * *"\n      timezone: Asia/Tokyo\n      overlap: queue\n  - webhook:\n      path: orders\n      secret: none\n  - event:\n      type: order.created\n`);
  await page.getByRole("button", { name: "Remove trigger 2" }).click();
  await schedule.getByRole("textbox", { name: "cron" }).fill("61 * * * *");
  await expect(schedule.locator('[data-field="cron"] .problem')).toContainText("no moments");
  await expect(schedule.getByRole("group", { name: "Next runs" })).toHaveCount(0);
  await page.getByRole("textbox", { name: "Name of a new input" }).fill("size");
  await page.keyboard.press("Enter");
  const inputs = page.getByRole("group", { name: "Inputs" });
  await inputs.getByText("size", { exact: true }).click();
  await inputs.getByRole("textbox", { name: "choices" }).fill("small, large");
  expect(await shown(page)).toContain("inputs:\n  size:\n    type: string\n    default: \"\"\n    enum:\n      - small\n      - large\n");
});
