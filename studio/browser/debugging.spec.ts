import { expect, shot, test, write } from "./server";

const CHAIN = `atomiton: 1
id: looked-into
nodes:
  list: {uses: data.value, with: {value: [{id: 1, total: 5}, {id: 2, total: 50}, {id: 3, total: 70}]}}
  each:
    map: \${{ list }}
    as: row
    uses: data.value
    with: {value: "\${{ row.total * 2 }}"}
  pack:
    needs: [each]
    nodes:
      a: {uses: data.value, with: {value: 1}}
      b: {uses: data.value, with: {value: "\${{ a + 1 }}"}}
  end: {uses: data.value, needs: [pack], with: {value: "\${{ each }}"}}
output: \${{ end }}
`;

test("a condition stops at one item; its inputs are changed, expressions watched, steps go over and out", async ({ studio: page }) => {
  await write(page, CHAIN);
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved looked-into")).toBeVisible();
  await page.locator('[data-path="each"] .card-head').click();
  await page.keyboard.press("F9");
  await page.keyboard.press("ControlOrMeta+k");
  await page.keyboard.type("breakpoints and watched");
  await page.keyboard.press("Enter");
  const condition = page.getByRole("textbox", { name: "Condition of the breakpoint of each" });
  await condition.fill("row.total > 20 && index < 2");
  await condition.press("Enter");
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.getByText("stopped before each[1]")).toBeVisible();
  await page.getByRole("tab", { name: "Debug" }).click();
  const value = page.getByRole("textbox", { name: "value of each[1]" });
  await expect(value).toHaveValue("100");
  for (const text of ["row.id", "list.size()", "nodes.list.status", "nothing"]) {
    await page.getByRole("textbox", { name: "An expression to watch" }).fill(text);
    await page.getByRole("button", { name: "Watch", exact: true }).click();
  }
  const watched = page.locator(".watches li");
  await expect(watched.nth(0).locator("output")).toHaveText("2");
  await expect(watched.nth(1).locator("output")).toHaveText("3");
  await expect(watched.nth(2).locator("output")).toHaveText("completed");
  await expect(watched.nth(3).locator("output")).toContainText("unknown name 'nothing'");
  await value.fill("7");
  await page.getByRole("button", { name: "Use these" }).click();
  await expect(page.locator(".next-inputs .chip")).toHaveText("changed");
  await shot(page, "debugger");
  await page.keyboard.press("F10"); // over: the item, with all of its tries
  await expect(page.getByText("next: each[2]")).toBeVisible();
  await page.getByRole("button", { name: "Step out" }).click();
  await expect(page.getByText("next: pack", { exact: true })).toBeVisible();
  await page.keyboard.press("F11");
  await expect(page.getByText("next: pack.a", { exact: true })).toBeVisible();
  await page.keyboard.press("Shift+F11");
  await expect(page.getByText("next: end", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.locator(".steering .chip-completed")).toBeVisible();
  await page.getByRole("tab", { name: "Output" }).click();
  await page.locator('[data-path="end"] .card-head').click();
  await expect(page.locator(".value-body")).toContainText("7");
  await expect(page.locator(".value-body")).toContainText("140");
  await page.locator('[data-path="each"] .card-head').click();
  await page.getByRole("button", { name: "Run again from each" }).click();
  await page.getByRole("button", { name: "Start paused" }).click();
  await expect(page.getByText(/^next: each/)).toBeVisible();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByText("next: each[1]")).toBeVisible();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
});

test("a run that has stopped stays so when the page is closed, and goes on from another one", async ({ studio: page, context, served }) => {
  await write(page, `atomiton: 1\nid: left-alone\nnodes:\n  a: {uses: data.value, with: {value: 1}}\n  b: {uses: data.value, with: {value: "\${{ a }}"}}\n`);
  await page.keyboard.press("ControlOrMeta+s");
  await page.locator('[data-path="b"] .card-head').click();
  await page.keyboard.press("F9");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.getByText("stopped before b")).toBeVisible();
  const other = await context.newPage();
  await page.goto("about:blank");
  await other.goto(`${served.address}/#/runs`);
  await other.getByRole("textbox", { name: "Blueprint" }).fill("left-alone");
  await expect(other.locator("tbody .chip-paused")).toBeVisible();
  await other.locator("tbody a").click();
  await expect(other.locator('[data-path="b"].here, [data-path="b"] .here-mark').first()).toBeVisible();
  await other.keyboard.press("F8"); // what the button says is so on this page as well
  await expect(other.locator(".steering .chip-completed")).toBeVisible();
  await other.close();
});

test("two windows look at one run: what one does with it, the other sees, and nothing is lost", async ({ studio: page, context, served }) => {
  await write(page, `atomiton: 1\nid: both-look\nnodes:\n  one: {uses: data.value, with: {value: 1}}\n  two: {uses: data.value, with: {value: "\${{ one + 1 }}"}}\n  three: {uses: data.value, with: {value: "\${{ two + 1 }}"}}\n`);
  await page.keyboard.press("ControlOrMeta+s");
  await page.keyboard.press("ControlOrMeta+Shift+Enter");
  await expect(page.getByText("next: one", { exact: true })).toBeVisible();
  const { run } = (await (await fetch(`${served.address}/api/v1/runs?blueprint=both-look`, { headers: { authorization: `Bearer ${await served.token()}` } })).json() as { runs: { run: string }[] }).runs[0]!;
  const other = await context.newPage();
  await other.goto(`${served.address}/#/runs/${run}`);
  await expect(other.getByText("next: one", { exact: true })).toBeVisible();
  await other.getByRole("button", { name: "Step", exact: true }).click();
  await page.bringToFront();
  await expect(page.getByText("next: two", { exact: true })).toBeVisible();
  await page.getByRole("tab", { name: "Debug" }).click();
  await page.getByRole("textbox", { name: "value of two" }).fill("40");
  await page.getByRole("button", { name: "Use these" }).click();
  await expect(page.locator(".next-inputs .chip")).toHaveText("changed");
  await other.bringToFront();
  await other.getByRole("tab", { name: "Debug" }).click();
  await expect(other.locator(".next-inputs .chip")).toHaveText("changed");
  await expect(other.getByRole("textbox", { name: "value of two" })).toHaveValue("40");
  await other.getByRole("button", { name: "Step", exact: true }).click();
  await expect(other.getByText("next: three", { exact: true })).toBeVisible();
  await page.bringToFront();
  await page.getByRole("button", { name: "Continue" }).click();
  for (const window of [page, other]) {
    await window.bringToFront();
    await expect(window.locator(".steering .chip-completed")).toBeVisible();
    await window.getByRole("tab", { name: "Events" }).click();
    await expect(window.locator(".event")).toHaveCount(11);
    await window.getByRole("tab", { name: "Output" }).click();
    await window.locator('[data-path="three"] .card-head').click();
    await expect(window.locator(".value-body")).toContainText("41");
  }
  await other.close();
});

test("pinned data stand in for a node, one node runs alone, slow motion and playing again", async ({ studio: page }) => {
  await write(page, `atomiton: 1
id: pinned-one
nodes:
  fetch: {uses: shop.slow, with: {seconds: 0.3, value: {total: 4}}}
  double: {uses: data.value, with: {value: "\${{ fetch.total * 2 }}"}}
  after: {uses: data.value, with: {value: "\${{ double + 1 }}"}}
`);
  await page.keyboard.press("ControlOrMeta+s");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator(".steering .chip-completed")).toBeVisible();
  await page.locator('[data-path="fetch"] .card-head').click();
  await page.getByRole("button", { name: "Pin", exact: true }).click();
  await expect(page.getByRole("img", { name: "fetch is pinned" })).toBeVisible();
  await expect(page.locator(".chip-pinned")).toBeVisible();
  await page.locator('[data-path="double"] .card-head').click();
  await page.getByRole("button", { name: "Run only this" }).click();
  await expect(page.getByText("fetch: pinned data instead of running")).toBeVisible();
  await expect(page.locator('[data-path="double"] .state-completed')).toBeVisible();
  await expect(page.locator('[data-path="after"] .state')).toHaveCount(0);
  await expect(page.locator(".value-body")).toContainText("8");
  await shot(page, "pinned");
  await page.locator('[data-path="fetch"] .card-head').click();
  await page.getByRole("button", { name: "Unpin" }).click();
  await expect(page.getByRole("img", { name: "fetch is pinned" })).toHaveCount(0);

  await page.keyboard.press("ControlOrMeta+k");
  await page.keyboard.type("slow motion");
  await page.keyboard.press("Enter");
  // Each mark is there for a moment only: all that come are noted.
  await page.evaluate(() => {
    const seen: string[] = [];
    new MutationObserver(() => {
      const here = [...document.querySelectorAll<HTMLElement>(".card.here")].map((card) => card.dataset["path"]).join(" ");
      if (here !== (seen[seen.length - 1] ?? "")) seen.push(here);
      document.documentElement.dataset["marks"] = seen.join(", ");
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
  });
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator(".card.here")).toBeVisible();
  await expect(page.locator(".steering .chip-completed")).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("data-marks", "fetch, double, after, "); // one after the other, without a gap
  await page.getByRole("button", { name: "Play the run again" }).click();
  await expect(page.getByRole("button", { name: "Stop playing" })).toBeVisible();
  await expect(page.locator('[data-path="after"] .state')).toHaveCount(0);
  await expect(page.locator('[data-path="after"] .state-completed')).toBeVisible({ timeout: 15_000 });
  await page.keyboard.press("ControlOrMeta+k");
  await page.keyboard.type("full speed");
  await page.keyboard.press("Enter");
});

test("tries, waits and pauses each have a style of their own on the timeline; two runs are compared", async ({ studio: page }) => {
  const text = (wait: string): string => `atomiton: 1
id: in-time
inputs: {n: {type: integer, default: 1}}
nodes:
  flaky: {uses: shop.flaky, retry: {attempts: 3, delay: 400ms}}
  nap: {wait: {for: ${wait}}, needs: [flaky]}
  sum: {uses: data.value, needs: [nap], with: {value: {n: "\${{ inputs.n }}", same: [1, 2]}}}
`;
  await write(page, text("500ms"));
  await page.keyboard.press("ControlOrMeta+s");
  for (const n of ["1", "2"]) {
    await page.locator(".react-flow__pane").click({ position: { x: 30, y: 300 } });
    await page.keyboard.press("ControlOrMeta+Enter");
    await page.getByRole("spinbutton", { name: "n", exact: true }).fill(n);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await expect(page.locator('[data-path="sum"] .state-completed')).toBeVisible();
    await expect(page.locator(".steering .chip-completed")).toBeVisible();
  }
  await page.getByRole("tab", { name: "Timeline" }).click();
  await expect(page.locator(".gantt .bar-retry")).toHaveCount(2);
  await expect(page.locator(".gantt .bar-wait")).toHaveCount(1);
  await expect(page.locator(".gantt .bar-failed")).toHaveCount(2);
  await expect(page.locator(".legend")).toContainText("before another try");
  await shot(page, "timeline-waits");
  await page.getByRole("link", { name: "Runs", exact: true }).click();
  await page.getByRole("textbox", { name: "Blueprint" }).fill("in-time");
  await expect(page.locator("tbody tr")).toHaveCount(2);
  for (const box of await page.getByRole("checkbox").all()) await box.check();
  await page.getByRole("link", { name: "Compare" }).click();
  await expect(page.getByText("They part at sum")).toBeVisible();
  await page.getByRole("button", { name: "Other data" }).click();
  await expect(page.locator(".compared > tbody > tr")).toHaveCount(1);
  await page.getByRole("button", { name: "differs" }).click();
  await expect(page.locator(".places").first().locator("tbody th")).toHaveText("n");
  await page.getByRole("button", { name: "Everything" }).click();
  await shot(page, "compare");
});

test("a run shows the text it began with, also after the blueprint was changed", async ({ studio: page }) => {
  const text = "atomiton: 1\nid: once-upon\nnodes:\n  first: {uses: data.value, with: {value: 1}} # as it was\n";
  await write(page, text);
  await page.keyboard.press("ControlOrMeta+s");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator(".steering .chip-completed")).toBeVisible();
  await write(page, text.replace("first:", "other:"));
  await page.goto(`${new URL(page.url()).origin}/#/runs`);
  await page.getByRole("textbox", { name: "Blueprint" }).fill("once-upon");
  await page.locator("tbody a").first().click();
  await expect(page.locator('[data-path="first"] .state-completed')).toBeVisible();
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await expect(page.locator(".run-yaml pre")).toContainText("# as it was");
  await expect(page.getByText("As it was written: revision 1.")).toBeVisible();
  await shot(page, "run-text");
});

test("triggers: what is next, pause, resume, fire, and why one could not", async ({ studio: page, served }) => {
  const put = async (id: string, triggers: string, inputs = ""): Promise<void> => {
    const body = `atomiton: 1\nid: ${id}\n${inputs}triggers:\n  - ${triggers}\nnodes:\n  a: {uses: data.value, with: {value: 1}}\n`;
    const answer = await fetch(`${served.address}/api/v1/blueprints/${id}`, { method: "PUT", body, headers: { "content-type": "application/yaml", authorization: `Bearer ${await served.token()}` } });
    expect(answer.status).toBe(201);
  };
  await put("nightly", 'schedule: {cron: "30 2 * * *", timezone: Europe/Berlin}');
  await put("orders", "event: {type: order.created}");
  await put("needs-input", 'schedule: {cron: "0 7 * * 1"}', "inputs: {customer: {type: string}}\n");
  await page.getByRole("link", { name: "Triggers" }).click();
  const row = page.getByRole("row", { name: /nightly/ });
  await expect(row).toContainText("30 2 * * *, Europe/Berlin");
  await expect(row).toContainText(/in \d+ (h|min)/);
  await row.getByRole("button", { name: "Pause nightly.schedule" }).click();
  await expect(row.locator(".chip-paused")).toBeVisible();
  await row.getByRole("button", { name: "Resume nightly.schedule" }).click();
  await expect(row.locator(".chip-paused")).toHaveCount(0);
  await page.getByRole("button", { name: "Fire orders.event now" }).click();
  await page.getByRole("button", { name: "Fire now" }).click();
  await expect(page.getByText(/orders.event was fired/)).toBeVisible();
  await expect(page.getByRole("row", { name: /orders/ }).getByRole("link", { name: "the run" })).toBeVisible();
  await page.getByRole("button", { name: "Fire needs-input.schedule now" }).click();
  await page.getByRole("button", { name: "Fire now" }).click();
  await expect(page.locator(".toast-bad")).toContainText("customer");
  await shot(page, "triggers");
  await page.getByRole("textbox", { name: "customer" }).fill("Ada");
  await page.getByRole("button", { name: "Fire now" }).click();
  await page.getByRole("button", { name: "Look at the run" }).last().click();
  await expect(page.locator(".steering .chip-completed")).toBeVisible();
});

test("the queue: why a run waits, and dead letters that are replayed", async ({ studio: page, served }) => {
  const token = await served.token();
  const post = async (path: string, body: unknown): Promise<{ run: string }> => {
    const answer = await fetch(`${served.address}/api/v1${path}`, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", authorization: `Bearer ${token}` } });
    expect(answer.status).toBeLessThan(300);
    return await answer.json() as { run: string };
  };
  const fails = "atomiton: 1\nid: dies\nnodes:\n  a: {uses: flow.fail, with: {message: nobody is there}}\n";
  for (let n = 0; n < 2; n++) await post("/runs", { source: fails, delay: 0.05 });
  const late = await post("/runs", { source: fails.replace("id: dies", "id: later"), delay: 3600 });
  await page.getByRole("link", { name: "Queue" }).click();
  const dead = page.getByRole("row", { name: /dies/ });
  await expect(dead).toHaveCount(2, { timeout: 15_000 });
  await expect(dead.first()).toContainText("nobody is there");
  await expect(page.getByRole("row", { name: /later/ })).toContainText(/its time|until/);
  await shot(page, "queue");
  await page.getByRole("textbox", { name: "Error" }).fill("nothing");
  await expect(page.getByText("None fits this.")).toBeVisible();
  await page.getByRole("textbox", { name: "Error" }).fill("");
  await dead.first().getByRole("button", { name: /Replay/ }).click();
  await expect(page.getByText("it is done again, as a new run")).toBeVisible();
  await post(`/runs/${late.run}/cancel`, {});
});
