import { expect, shot, test, write } from "./server";

test("an error is shown where it happened, is mended, and the run goes on from there", async ({ studio: page }) => {
  await write(page, `atomiton: 1
id: failing
inputs: {threshold: {type: number, default: 1}}
nodes:
  orders: {uses: data.value, with: {value: {total: 5}}}
  check:
    uses: data.value
    with: {value: "\${{ orders.totl }}"}
  after: {uses: flow.log, with: {message: "\${{ check }}"}}
`);
  await page.keyboard.press("ControlOrMeta+s");
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-path="check"] .state-failed')).toBeVisible();
  await expect(page.getByRole("alert").getByText(/totl/)).toBeVisible();
  await page.getByRole("alert").getByRole("button", { name: "check" }).click();
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await expect(page.getByText("Somebody else has saved")).toHaveCount(0);
  await shot(page, "failed");
  const value = page.getByRole("textbox", { name: "value" });
  await value.fill("${{ orders. }}");
  await value.press("ArrowLeft");
  await value.press("ArrowLeft");
  await value.press("ArrowLeft");
  await value.press("Control+Space");
  await page.getByRole("option", { name: /total/ }).click();
  await expect(value).toHaveValue("${{ orders.total }}");
  await expect(page.locator(".seen")).toHaveText("= 5");
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-path="after"] .state-completed')).toBeVisible();
});

test("breakpoint, step, continue, time travel, fork", async ({ studio: page }) => {
  await write(page, `atomiton: 1
id: debugged
inputs: {n: {type: integer, default: 1}}
nodes:
  one: {uses: data.value, with: {value: "\${{ inputs.n }}"}}
  two: {uses: data.value, with: {value: "\${{ one + 1 }}"}}
  three: {uses: data.value, with: {value: "\${{ two + 1 }}"}}
  each:
    map: \${{ [three, three + 1] }}
    nodes:
      inner: {uses: data.value, with: {value: "\${{ item * 2 }}"}}
`);
  await page.keyboard.press("ControlOrMeta+s");
  await page.locator('[data-path="three"] .card-head').click();
  await page.keyboard.press("F9");
  await expect(page.locator('[data-path="three"] .stop')).toBeVisible();
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByText("stopped before three")).toBeVisible();
  await expect(page.locator('[data-path="two"] .state-completed')).toBeVisible();
  await expect(page.locator('[data-path="three"] .state')).toHaveCount(0);
  await expect(page.locator(".card.here")).toHaveAttribute("data-path", "three");
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await shot(page, "breakpoint");
  await page.getByRole("button", { name: "Step", exact: true }).click();
  await expect(page.locator('[data-path="three"] .state-completed')).toBeVisible();
  await expect(page.getByText("next: each", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Step", exact: true }).click();
  await expect(page.getByText("next: each[0], each[1]")).toBeVisible();
  await page.getByRole("button", { name: "Step", exact: true }).click();
  await expect(page.getByText("next: each[0].inner, each[1]")).toBeVisible();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.locator(".steering .chip-completed")).toBeVisible();

  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByRole("button", { name: /attempt started.*two/ }).click();
  await expect(page.locator('[data-path="two"] .state-running')).toBeVisible();
  await expect(page.locator('[data-path="three"] .state')).toHaveCount(0);
  await page.getByRole("button", { name: "Back to now" }).click();
  await expect(page.locator('[data-path="three"] .state-completed')).toBeVisible();

  await page.locator('[data-path="one"] .card-head').click();
  await page.getByRole("button", { name: "Run again from one" }).click();
  await page.getByRole("spinbutton", { name: "n", exact: true }).fill("40");
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('.card.here[data-path="three"]')).toBeVisible(); // the breakpoint holds for it as well
  await expect(page.locator('[data-path="three"] .state')).toHaveCount(0);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("tab", { name: "Output" }).click();
  await page.locator('[data-path="three"] .card-head').click();
  await expect(page.locator(".value-body")).toContainText("42");
});

test("cancel, pause, a lost connection, and a picture", async ({ studio: page }) => {
  await write(page, `atomiton: 1
id: slow-one
nodes:
  look: {uses: shop.picture}
  slow: {uses: shop.slow, needs: [look], with: {seconds: 60}}
`);
  await page.keyboard.press("ControlOrMeta+s");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator('[data-path="slow"] .state-running')).toBeVisible();
  await page.locator('[data-path="look"] .card-head').click();
  await expect(page.getByRole("img", { name: "What the node gave" })).toBeVisible();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(page.locator('[data-path="slow"].run-cancelled')).toBeVisible();
  await expect(page.locator(".steering .chip-cancelled")).toBeVisible();
});

test("nothing that a name, an output or an error says becomes a script", async ({ studio: page }) => {
  const evil = "<img src=x onerror=alert(1)>";
  await write(page, `atomiton: 1
id: evil
name: "${evil}"
description: "${evil}"
inputs: {x: {type: string, default: "${evil}", description: "${evil}"}}
nodes:
  html: {uses: shop.html, name: "${evil}"}
  fail: {uses: flow.fail, needs: [html], with: {message: "${evil}<script>alert(3)</script>"}}
`);
  await page.keyboard.press("ControlOrMeta+s");
  await page.keyboard.press("ControlOrMeta+Enter");
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.getByRole("alert").getByText(evil)).toBeVisible();
  await page.locator('[data-path="html"] .card-head').click();
  await expect(page.locator(".value-body")).toContainText("<script>alert(2)</script>");
  for (const tab of ["Timeline", "Events", "Problems"]) await page.getByRole("tab", { name: tab }).click();
  await page.getByRole("link", { name: "Runs" }).click();
  await expect(page.getByRole("cell", { name: evil }).first()).toBeVisible();
  await page.getByRole("link", { name: "Blueprints", exact: true }).click();
  await expect(page.getByText(evil).first()).toBeVisible();
  expect(await page.locator("img[src='x']").count()).toBe(0);
});

test("runs: filters, a run with its timeline, retry, compare; approvals are answered", async ({ studio: page }) => {
  await write(page, `atomiton: 1
id: history
nodes:
  ask:
    wait:
      approval: {title: "May this be paid?", fields: {cost_centre: string}}
  pay: {uses: shop.slow, needs: [ask], retry: {attempts: 2, delay: 50ms}, with: {seconds: 0.05, value: "\${{ ask.fields.cost_centre }}"}}
`);
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved history")).toBeVisible();
  for (let i = 0; i < 2; i++) {
    await page.locator(".react-flow__pane").click({ position: { x: 30, y: 300 } });
    const begun = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().endsWith("/runs"));
    await page.keyboard.press("ControlOrMeta+Enter");
    await begun;
    await expect(page.locator('[data-path="ask"] .state-waiting')).toBeVisible();
  }
  await page.getByRole("link", { name: "Approvals" }).click();
  await expect(page.getByRole("heading", { name: "May this be paid?" })).toHaveCount(2);
  await shot(page, "approvals");
  const first = page.locator(".wait-box").first();
  await first.getByRole("textbox", { name: "cost_centre" }).fill("K7");
  await first.getByRole("button", { name: "Approve" }).click();
  await expect(page.getByRole("heading", { name: "May this be paid?" })).toHaveCount(1);
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await page.getByRole("textbox", { name: "Blueprint" }).fill("history");
  await expect(page.locator("tbody tr")).toHaveCount(2);
  await page.getByLabel("Status").selectOption("completed");
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.getByLabel("Status").selectOption("");
  await shot(page, "runs");
  for (const box of await page.getByRole("checkbox").all()) await box.check();
  await page.getByRole("link", { name: "Compare" }).click();
  await expect(page.locator("tr.differs").first()).toBeVisible();
  await page.goBack();
  await page.getByRole("textbox", { name: "Blueprint" }).fill("history");
  await page.getByLabel("Status").selectOption("completed");
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.locator("tbody a").click();
  await expect(page.getByRole("group", { name: "Timeline" })).toBeVisible();
  await expect(page.locator('[data-path="pay"] .state-completed')).toBeVisible();
  await shot(page, "run");
});
