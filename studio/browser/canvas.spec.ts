import { expect, settled, shot, test, write } from "./server";

const CROWDED = `atomiton: 1
id: crowded
nodes:
  read: {uses: data.value, with: {value: [3, 1, 2]}}
  sorted: {uses: data.sort, with: {items: "\${{ read }}"}}
  unique: {uses: data.unique, with: {items: "\${{ sorted.items }}"}}
  slice: {uses: data.slice, with: {items: "\${{ unique.items }}", end: 2}}
  both:
    uses: data.value
    with: {value: "\${{ [read, slice.items, sorted.count] }}"}
  late: {uses: flow.log, needs: [read], with: {message: "\${{ slice.count }} of \${{ sorted.count }}"}}
layout:
  read: [0, 0]
  sorted: [320, 0]
  unique: [640, 0]
  slice: [960, 0]
  both: [1280, 0]
  late: [1280, 140]
`;

test("no line runs behind a node, wherever the nodes stand, and its words can be read", async ({ studio: page }) => {
  await write(page, CROWDED);
  await expect(page.locator(".card")).toHaveCount(6);
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.locator('[data-path="late"] .state-completed')).toBeVisible();
  await page.keyboard.press("Escape");
  await page.locator(".react-flow__pane").click({ position: { x: 20, y: 300 } });
  await page.keyboard.press("r");
  await settled(page);
  await shot(page, "lines");
  const touched = await page.evaluate(() => {
    const found: string[] = [];
    const cards = [...document.querySelectorAll<HTMLElement>(".card:not(.frame)")].map((card) => ({ id: card.dataset["path"]!, box: card.getBoundingClientRect() }));
    for (const edge of document.querySelectorAll<SVGPathElement>(".react-flow__edge-path")) {
      const name = edge.closest(".react-flow__edge")!.getAttribute("aria-label")!;
      const own = new Set(name.split(",")[0]!.split(" to "));
      const matrix = edge.getScreenCTM()!;
      const length = edge.getTotalLength();
      for (let at = 0; at <= length; at += 4) {
        const { x, y } = edge.getPointAtLength(at).matrixTransform(matrix);
        for (const { id, box } of cards) if (!own.has(id) && x > box.left + 1 && x < box.right - 1 && y > box.top + 1 && y < box.bottom - 1) found.push(`${name} touches ${id}`);
      }
    }
    for (const label of document.querySelectorAll<HTMLElement>(".line-label")) {
      const a = label.getBoundingClientRect();
      for (const { id, box } of cards) if (a.left < box.right - 4 && a.right > box.left + 4 && a.top < box.bottom && a.bottom > box.top) found.push(`'${label.textContent}' lies on ${id}`);
    }
    return [...new Set(found)];
  });
  expect(touched).toEqual([]);
});

test("the Python code stands beside form and text, follows them, and is copied", async ({ studio: page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await write(page, CROWDED);
  await page.getByRole("button", { name: "Python", exact: true }).click();
  const code = page.getByRole("textbox", { name: "The blueprint as Python" });
  await expect(code).toContainText("def crowded() -> object:");
  await expect(code).toContainText('sorted_ = lists.sort.with_(id="sorted")(items=read)');
  await shot(page, "python");
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("@blueprint(id=\"crowded\")\ndef crowded() -> object:\n");
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+End");
  await page.keyboard.insertText("name: [\n");
  await page.getByRole("button", { name: "Python", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("not up to date");
});

test("notes: written, moved, kept in the file, and removed, by keyboard alone", async ({ studio: page, served }) => {
  await write(page, CROWDED);
  await page.locator(".react-flow__pane").click({ position: { x: 20, y: 400 } });
  await page.keyboard.press("Shift+N");
  const text = page.getByRole("textbox", { name: "Text of the note" });
  await expect(text).toBeFocused();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("Why twice?\nAsk: Ada # later");
  await page.keyboard.press("Escape");
  const note = page.locator(".note");
  await expect(note).toHaveText("Why twice?\nAsk: Ada # later");
  await shot(page, "notes");
  await page.locator(".react-flow__node-note").focus();
  await page.keyboard.press("Enter");
  await expect(text).toBeFocused();
  await page.keyboard.press("Escape");
  await page.locator(".react-flow__node-note").focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown");
  await expect(page.locator(".cm-content")).toContainText(/at: \[0, -1[01]\d\]/);
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved crowded, revision 1")).toBeVisible();
  const { readFileSync } = await import("node:fs");
  const { join } = await import("node:path");
  const kept = readFileSync(join(served.folder, "crowded.yaml"), "utf8");
  expect(kept.startsWith(CROWDED)).toBe(true);
  const y = Number(/(-1\d\d)\]\n$/.exec(kept)?.[1]);
  expect(kept.slice(CROWDED.length)).toBe(`metadata:\n  notes:\n    - text: |-\n        Why twice?\n        Ask: Ada # later\n      at: [0, ${y}]\n`);
  expect(y).toBeGreaterThan(-120);
  await page.locator(".react-flow__node-note").focus();
  await page.keyboard.press("Delete");
  await expect(note).toHaveCount(0);
  await page.keyboard.press("ControlOrMeta+z");
  await expect(note).toHaveCount(1);
});

test("several nodes are put in line and at even distances, by keyboard and by buttons", async ({ studio: page }) => {
  await write(page, CROWDED.replace("sorted: [320, 0]", "sorted: [350, 60]").replace("unique: [640, 0]", "unique: [600, 200]"));
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await page.locator(".react-flow__pane").click({ position: { x: 20, y: 500 } });
  await page.locator('[data-path="read"] .card-head').click();
  await page.keyboard.down("Shift");
  for (const id of ["sorted", "unique", "slice"]) await page.locator(`[data-path="${id}"] .card-head`).click();
  await page.keyboard.up("Shift");
  await page.keyboard.press("Alt+w");
  const text = page.locator(".cm-content");
  await expect(text).toContainText("sorted: [350, 0]");
  await expect(text).toContainText("unique: [600, 0]");
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await shot(page, "several");
  await page.getByRole("button", { name: "Distribute from left to right" }).click();
  await page.getByRole("button", { name: "YAML", exact: true }).click();
  await expect(text).toContainText("sorted: [320, 0]");
  await expect(text).toContainText("unique: [640, 0]");
  await page.locator('[data-path="read"] .card-head').focus().catch(() => undefined);
  await page.keyboard.press("ControlOrMeta+k");
  await page.getByRole("combobox", { name: "Search commands" }).fill("align left");
  await page.keyboard.press("Enter");
  await expect(text).toContainText("slice: [0, 0]");
});

test("what an expression gives is shown while it is written, as a run would evaluate it", async ({ studio: page }) => {
  await write(page, CROWDED.replace("id: crowded", "id: previewed").replace("late: {uses: flow.log", "pick: {uses: data.filter, with: {items: \"${{ sorted.items }}\", where: item > 1}}\n  late: {uses: flow.log"));
  await page.keyboard.press("ControlOrMeta+s");
  await expect(page.getByText("saved previewed")).toBeVisible();
  await page.getByRole("button", { name: "Execute", exact: true }).click();
  await expect(page.locator('[data-path="late"] .state-completed')).toBeVisible();
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.locator('[data-path="late"] .card-head').click();
  const message = page.getByRole("textbox", { name: "message" });
  const seen = page.locator('[data-field="message"] .seen');
  await expect(seen).toHaveText('= "2 of 3"');
  await message.fill("${{ sorted.items.map(n, n * 10).sum() }} and ${{ read.size() }}");
  await expect(seen).toHaveText('= "60 and 3"');
  await message.fill("${{ sorted.itmes }}");
  await expect(seen).toContainText("itmes");
  await expect(seen).toHaveClass(/seen-bad/);
  await message.fill("${{ both[0] }}");
  await expect(seen).toHaveText("= [3,1,2]");
  await shot(page, "preview");
  await page.locator('[data-path="pick"] .card-head').click();
  await expect(page.locator('[data-field="where"] .seen')).toHaveText("= false");
  await page.getByRole("textbox", { name: "where" }).fill("item > 0 && index == 0");
  await expect(page.locator('[data-field="where"] .seen')).toHaveText("= true");
  // A page that is opened anew has what was not saved, and looks at the latest run by itself.
  await page.goto("about:blank");
  await page.goBack();
  await page.goto(`${new URL(page.url()).origin}/#/b/previewed`);
  await page.locator('[data-path="late"] .card-head').click();
  await expect(page.locator('[data-field="message"] .seen')).toHaveText("= [3,1,2]");
});

test("a node at an end offers to go on, and so does a line that is drawn to where nothing is", async ({ studio: page }) => {
  await write(page, `atomiton: 1
id: going-on
nodes:
  list: {uses: data.value, with: {value: [1, 2]}}
  big: {uses: data.filter, with: {items: "\${{ list }}", where: item > 1}}
`);
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await page.locator('[data-path="list"] .card-head').click();
  await expect(page.getByRole("button", { name: /Add a node behind/ })).toHaveCount(0); // it leads somewhere
  await page.locator('[data-path="big"] .card-head').click();
  await shot(page, "going-on");
  await page.getByRole("button", { name: "Add a node behind big" }).click();
  await expect(page.getByRole("searchbox", { name: "Search nodes" })).toBeFocused();
  await page.keyboard.type("sort");
  await page.keyboard.press("Enter");
  await expect(page.locator(".react-flow__edge")).toHaveCount(2);
  await page.getByRole("button", { name: "Close the list of nodes" }).click();
  const port = (await page.locator('[data-path="sort"] .head-port.source').boundingBox())!;
  await page.mouse.move(port.x + port.width / 2, port.y + port.height / 2);
  await page.mouse.down();
  await page.mouse.move(port.x + 40, port.y + 220, { steps: 6 });
  await page.mouse.up();
  await expect(page.getByRole("searchbox", { name: "Search nodes" })).toBeFocused();
  await page.keyboard.type("slice");
  await page.keyboard.press("Enter");
  await expect(page.locator(".react-flow__edge")).toHaveCount(3);
});
