import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { barriers } from "./barriers";
import { expect, settled, shot, test, write } from "./server";
import { work } from "./work";

test.describe("without barriers", () => {
  // The checker is put into the page by the test alone; the policy of the page would not let it in.
  test.use({ bypassCSP: true });
  test("no page has any that axe knows", async ({ studio: page }) => {
    test.setTimeout(300_000); // each of many views is looked at twice, light and dark
    const all: string[] = [];
    const look = async (where: string): Promise<void> => {
      all.push(...(await barriers(page)).map((b) => `${where}: ${b}`));
    };
    await page.getByRole("button", { name: /First look/ }).waitFor();
    await look("home");
    await page.getByRole("button", { name: /First look/ }).click();
    await expect(page.locator(".card")).toHaveCount(9);
    await page.locator('[data-path="sorted"] .card-head').click();
    await page.keyboard.press("o");
    await page.getByRole("region", { name: "Node sorted, large" }).waitFor();
    await look("a node, large, before a run");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Execute", exact: true }).click();
    await look("inputs");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await expect(page.locator('[data-path="big"] .state-completed')).toBeVisible();
    await look("executed");
    await page.locator('[data-path="sorted"] .card-head').click();
    await page.keyboard.press("n");
    await look("node and palette");
    for (const tab of ["Timeline", "Events", "Debug", "Problems"]) {
      await page.getByRole("tab", { name: tab }).click();
      await look(tab);
    }
    await page.getByRole("tab", { name: "Timeline" }).click();
    await shot(page, "timeline");
    await page.getByRole("tab", { name: "Policies" }).click();
    await look("policies");
    await page.getByRole("button", { name: "YAML", exact: true }).click();
    await page.locator(".cm-content").waitFor();
    await look("text");
    await page.getByRole("button", { name: "Python", exact: true }).click();
    await expect(page.getByRole("textbox", { name: "The blueprint as Python" })).toContainText("@blueprint");
    await look("python");
    await page.keyboard.press("Shift+N");
    await page.getByRole("textbox", { name: "Text of the note" }).waitFor();
    await look("writing a note");
    await page.keyboard.press("Escape");
    await look("note");
    await page.getByRole("button", { name: "Form", exact: true }).click();
    await page.keyboard.press("ControlOrMeta+a");
    await look("several nodes");
    await page.keyboard.press("Escape");
    await page.locator('[data-path="big"] .card-head').click();
    await expect(page.locator('[data-field="where"] .seen')).toBeVisible();
    await look("previews");
    await page.keyboard.press("o");
    await page.getByRole("region", { name: "Node big, large" }).waitFor();
    await look("a node, large");
    await page.keyboard.press("Escape");
    await page.keyboard.press("h");
    await expect(page.locator(".one-run").first()).toBeVisible();
    await look("runs of the blueprint");
    await page.getByRole("button", { name: "Close the list of runs" }).click();
    await page.locator('[data-path="big"] .card-head').click();
    await page.keyboard.press("c");
    await look("connecting");
    await page.keyboard.press("Escape");
    await page.keyboard.press("ControlOrMeta+k");
    await look("commands");
    await page.keyboard.press("Escape");
    await page.keyboard.press("ControlOrMeta+s");
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await expect(page.locator("tbody tr").first()).toBeVisible();
    await look("runs");
    await page.getByRole("link", { name: "Approvals" }).click();
    await look("approvals");
    await page.getByRole("link", { name: "Triggers" }).click();
    await expect(page.getByRole("heading", { name: "Triggers" })).toBeVisible();
    await look("triggers");
    await page.getByRole("link", { name: "Queue" }).click();
    await expect(page.getByText("No run waits for its turn.")).toBeVisible();
    await look("queue");
    expect(all).toEqual([]);
  });
});

test.describe("without barriers, while a run is debugged, compared and read", () => {
  test.use({ bypassCSP: true });
  test("no view has any that axe knows", async ({ studio: page, served }) => {
    const all: string[] = [];
    const look = async (where: string): Promise<void> => {
      all.push(...(await barriers(page)).map((b) => `${where}: ${b}`));
    };
    const send = async (method: string, path: string, body: string, type = "application/json"): Promise<Response> =>
      fetch(`${served.address}/api/v1${path}`, { method, body, headers: { "content-type": type, authorization: `Bearer ${await served.token()}` } });
    const text = `atomiton: 1
id: every-view
triggers: [{schedule: {cron: "30 2 * * *"}}, {event: {type: x}}]
nodes:
  a: {uses: data.value, with: {value: {n: 1, m: [1, 2]}}}
  b: {uses: shop.flaky, retry: {attempts: 3, delay: 100ms}}
  c: {uses: data.value, needs: [a, b], with: {value: "\${{ run.id }}"}}
`;
    await send("PUT", "/blueprints/every-view", text, "application/yaml");
    await send("POST", "/runs", JSON.stringify({ source: "atomiton: 1\nid: fails\nnodes: {a: {uses: flow.fail, with: {message: no}}}\n", delay: 0.05 }));
    await send("POST", "/runs", JSON.stringify({ source: "atomiton: 1\nid: late\nnodes: {a: {uses: data.value, with: {value: 1}}}\n", delay: 3600 }));
    await page.goto(`${served.address}/#/b/every-view`);
    await page.locator('[data-path="c"] .card-head').click();
    await page.keyboard.press("F9");
    await page.keyboard.press("ControlOrMeta+Enter");
    await expect(page.getByText("stopped before c")).toBeVisible();
    await page.getByRole("tab", { name: "Debug" }).click();
    await page.getByRole("textbox", { name: "An expression to watch" }).fill("a.n + 1");
    await page.getByRole("button", { name: "Watch", exact: true }).click();
    await page.getByRole("textbox", { name: "value of c" }).fill("other");
    await expect(page.locator(".watches li output")).toHaveText("2");
    await look("debugger, stopped");
    await page.keyboard.press("F8");
    await expect(page.locator(".steering .chip-completed")).toBeVisible();
    await page.getByRole("tab", { name: "Timeline" }).click();
    await look("timeline with tries");
    await page.getByRole("tab", { name: "Output" }).click();
    await page.locator('[data-path="a"] .card-head').click();
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    await look("pinned");
    await page.getByRole("button", { name: "Unpin" }).click();
    await page.locator('[data-path="c"] .card-head').click();
    await page.keyboard.press("F9");
    const begun = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().endsWith("/runs"));
    await page.keyboard.press("ControlOrMeta+Enter");
    await begun;
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await page.getByRole("textbox", { name: "Blueprint" }).fill("every-view");
    await expect(page.locator("tbody tr")).toHaveCount(2);
    for (const box of await page.getByRole("checkbox").all()) await box.check();
    await page.getByRole("link", { name: "Compare" }).click();
    await page.getByRole("button", { name: "differs" }).first().click();
    await look("comparison");
    await page.locator(".versus a").first().click();
    await page.getByRole("button", { name: "YAML", exact: true }).click();
    await expect(page.locator(".run-yaml pre")).toBeVisible();
    await look("text of a run");
    await page.getByRole("link", { name: "Triggers" }).click();
    await page.getByRole("button", { name: "Fire every-view.event now" }).click();
    await look("triggers, firing");
    await page.getByRole("link", { name: "Queue" }).click();
    await expect(page.getByRole("row", { name: /late/ })).toBeVisible();
    await expect(page.getByRole("row", { name: /fails/ })).toBeVisible({ timeout: 15_000 });
    await look("queue with runs");
    expect(all).toEqual([]);
  });
});

test("a thousand nodes: drawn soon, and moving one draws one", async ({ studio: page, served }) => {
  const lines = Array.from({ length: 1000 }, (_, i) => `  n${i}:\n    uses: data.value\n    with:\n      value: ${i < 20 ? i : `\${{ n${i - 20} + 1 }}`}`);
  const text = `atomiton: 1\nid: thousand\nnodes:\n${lines.join("\n")}\n`;
  const answer = await fetch(`${served.address}/api/v1/blueprints/thousand`, { method: "PUT", body: text, headers: { "content-type": "application/yaml", authorization: `Bearer ${await served.token()}` } });
  expect(answer.status).toBe(201);
  await page.goto(`${served.address}/#/b/new`); // so that the editor itself is loaded
  await page.locator(".react-flow__pane").waitFor();
  await page.evaluate(() => { location.hash = "#/"; });
  await page.getByRole("heading", { name: "Blueprints" }).waitFor();
  let took = 0;
  const drawing = await work(page, async () => { took = await page.evaluate(async () => {
    const began = performance.now();
    location.hash = "#/b/thousand";
    await new Promise<void>((resolve) => {
      const look = (): void => { if (document.querySelectorAll(".card").length >= 15) requestAnimationFrame(() => resolve()); else requestAnimationFrame(look); };
      look();
    });
    return performance.now() - began;
  }); });
  await settled(page);
  await shot(page, "thousand");
  const shown = await page.locator(".card").count();
  const frames = await page.evaluate(async () => {
    const pane = document.querySelector(".react-flow__pane")!;
    const box = pane.getBoundingClientRect();
    let count = 0;
    const began = performance.now();
    while (performance.now() - began < 2000) {
      pane.dispatchEvent(new WheelEvent("wheel", { deltaY: count % 20 < 10 ? -12 : 12, ctrlKey: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, bubbles: true, cancelable: true }));
      await new Promise(requestAnimationFrame);
      count++;
    }
    return count / 2;
  });
  const drawn = await page.evaluate(() => {
    const changed = new Set<string>();
    const watch = new MutationObserver((all) => { for (const m of all) { const card = (m.target as Element).closest?.(".react-flow__node"); if (card) changed.add(card.getAttribute("data-id")!); } });
    watch.observe(document.querySelector(".react-flow__nodes")!, { subtree: true, attributes: true, childList: true });
    (window as unknown as { drawn: () => string[] }).drawn = () => [...changed];
    return changed.size;
  });
  expect(drawn).toBe(0);
  const card = (await page.locator(".card").nth(40).boundingBox())!;
  await page.mouse.move(card.x + card.width / 2, card.y + card.height / 3);
  await page.mouse.down();
  await page.mouse.move(card.x + 60, card.y + 60, { steps: 6 });
  const moved = await page.evaluate(() => (window as unknown as { drawn: () => string[] }).drawn());
  await page.mouse.up();
  console.log(`1,000 nodes: first drawn in ${Math.round(took)} ms, ${Math.round(drawing)} of them work (${shown} on the screen), zoom at ${frames.toFixed(0)} frames a second, ${moved.length} node(s) drawn while one is dragged`);
  expect(drawing).toBeLessThan(1000); // of the processor: what a clock says depends on who else works here
  if (process.env["FIRST_DRAW_MS"] !== undefined) expect(took).toBeLessThan(Number(process.env["FIRST_DRAW_MS"])); // on a quiet machine
  expect(moved.length).toBeLessThanOrEqual(2);
});

test("a map of ten thousand does not flood the page", async ({ studio: page }) => {
  test.setTimeout(180_000);
  await write(page, `atomiton: 1
id: huge-map
durability: none
nodes:
  list: {uses: data.value, with: {value: "\${{ lists.range(10000) }}"}}
  each:
    map: \${{ list }}
    concurrency: 64
    uses: data.value
    with: {value: "\${{ item * 2 }}"}
`);
  await settled(page);
  await expect(page.locator(".dock-head .chip")).toHaveText("no problems");
  const began = Date.now();
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  let slowest = 0;
  while ((await page.locator(".steering .chip-completed").count()) === 0 && Date.now() - began < 120_000) {
    const at = Date.now();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    slowest = Math.max(slowest, Date.now() - at);
  }
  await expect(page.locator('[data-path="each"] .counts')).toContainText("10,000 of 10,000", { timeout: 60_000 });
  expect(await page.locator(".card").count()).toBeLessThan(5);
  await page.getByRole("tab", { name: "Timeline" }).click();
  await expect(page.locator(".gantt").filter({ hasText: "each × 10,000" })).toHaveCount(1);
  expect(await page.locator(".gantt").count()).toBeLessThanOrEqual(2);
  await page.getByRole("tab", { name: "Events" }).click();
  expect(await page.locator(".event").count()).toBeLessThanOrEqual(300);
  // What is drawn does not grow with the items, and the page stays quick.
  expect(await page.evaluate(() => document.querySelectorAll("*").length)).toBeLessThan(5_000);
  const began2 = Date.now();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  expect(Date.now() - began2).toBeLessThan(2_000);
  console.log(`a map of 10,000: shown whole after ${Date.now() - began} ms, the slowest frame took ${slowest} ms`);
});

test("the server goes away and comes back: the run is followed from where it was", async ({ studio: page, served }) => {
  await write(page, `atomiton: 1
id: outlives
nodes:
  slow: {uses: shop.slow, with: {seconds: 4}, retry: {attempts: 3, delay: 10ms}}
  after: {uses: data.value, needs: [slow], with: {value: 1}}
`);
  await page.keyboard.press("ControlOrMeta+s");
  await page.keyboard.press("ControlOrMeta+Enter");
  await expect(page.locator('[data-path="slow"] .state-running')).toBeVisible();
  await served.stop();
  await expect(page.getByText("reconnecting…")).toBeVisible();
  await served.start();
  // Sessions end with the process: a second window logs in, and the cookie is that of both.
  const again = await page.context().newPage();
  await again.goto(await served.login());
  await again.close();
  await page.bringToFront();
  await expect(page.getByText("reconnecting…")).toBeHidden({ timeout: 20_000 });
});

test("the first page loads little: at most 350 KB of script, packed", async ({ studio: page, served }) => {
  const scripts = new Set<string>();
  page.on("response", (answer) => { if (answer.url().endsWith(".js")) scripts.add(answer.url()); });
  await page.goto(`${served.address}/?again`).catch(() => undefined);
  await page.goto(`${served.address}/`);
  await page.reload();
  await page.getByRole("navigation", { name: "Studio" }).waitFor();
  const folder = join(import.meta.dirname, "../../src/atomiton/studio/static/assets");
  const html = readFileSync(join(folder, "../index.html"), "utf8");
  const first = readdirSync(folder).filter((name) => name.endsWith(".js") && html.includes(name));
  const size = (names: readonly string[]): number => names.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
  const all = readdirSync(folder).filter((name) => name.endsWith(".js"));
  console.log(`script: first page ${(size(first) / 1024).toFixed(0)} KB, everything ${(size(all) / 1024).toFixed(0)} KB, packed`);
  expect(first.length).toBeGreaterThan(0);
  expect(size(first)).toBeLessThan(350 * 1024);
});
