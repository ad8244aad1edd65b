/** How fast a canvas of 1,000 nodes is, beside the least that the library itself takes for as many. */
import { createServer, type Server } from "node:http";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "@playwright/test";
import { build } from "vite";
import { derive } from "../src/model/blueprint";
import { portPlaces, sceneOf } from "../src/model/scene";
import type { NodeType } from "../src/model/schemas";
import { expect, settled, SHOTS, test } from "./server";
import { work } from "./work";

const BENCH = join(import.meta.dirname, "../bench");
let plain: Server;

test.beforeAll(async () => {
  const out = join(SHOTS, "plain");
  await build({ root: BENCH, base: "./", logLevel: "error", configFile: false, build: { outDir: out, emptyOutDir: true, target: "es2022" }, esbuild: { jsx: "automatic" } } as never);
  plain = createServer((request, answer) => {
    const name = new URL(request.url ?? "/", "http://x").pathname;
    const file = join(out, name === "/" ? "index.html" : name.replaceAll("..", ""));
    try {
      const content = readFileSync(file);
      const kind = file.endsWith(".js") ? "text/javascript" : file.endsWith(".css") ? "text/css" : "text/html";
      answer.writeHead(200, { "content-type": kind }).end(content);
    } catch {
      answer.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => plain.once("listening", resolve));
});
test.afterAll(() => { plain.close(); });

interface Speed { readonly zoom: number; readonly pan: number }

const FRAMES = 40;

/** Milliseconds of the processor that the browser takes for each frame while one turns the wheel, and while one drags the pane: of the page and of what draws it. */
async function speed(page: Page, browser: Browser): Promise<Speed> {
  const session = await browser.newBrowserCDPSession();
  const taken = async (): Promise<number> => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer" || type === "GPU").reduce((sum, { cpuTime }) => sum + 1000 * cpuTime, 0);
  };
  const box = (await page.locator(".react-flow__pane").boundingBox())!;
  const move = async (kind: "zoom" | "pan"): Promise<number> => {
    const before = await taken();
    await page.evaluate(async ([what, frames, x, y, middle, height]) => {
      const pane = document.querySelector(".react-flow__pane")!;
      const send = (type: string, dx: number, on: EventTarget): void => { on.dispatchEvent(new MouseEvent(type, { clientX: x + dx, clientY: y, bubbles: true, cancelable: true, view: window, button: 0, buttons: 1 })); };
      if (what === "pan") send("mousedown", 0, pane);
      for (let n = 0; n < frames; n++) {
        if (what === "pan") send("mousemove", (n % 20 < 10 ? n % 20 : 20 - (n % 20)) * 12, window);
        else pane.dispatchEvent(new WheelEvent("wheel", { deltaY: n % 20 < 10 ? -3 : 3, ctrlKey: true, clientX: middle, clientY: height, bubbles: true, cancelable: true }));
        await new Promise(requestAnimationFrame);
      }
      if (what === "pan") for (const type of ["mousemove", "mouseup"]) send(type, 0, window); // where it began, as the zoom is
    }, [kind, FRAMES, box.x + 8, box.y + box.height - 160, box.x + box.width / 2, box.y + box.height / 2] as const);
    return (await taken() - before) / FRAMES;
  };
  const result = { zoom: await move("zoom"), pan: await move("pan") };
  await session.detach();
  return result;
}

interface Beside { readonly ours: Speed; readonly bare: Speed }

/** In turns, since others work here as well; the least of each is what it costs when it is not disturbed. */
async function inTurns(page: Page, bare: Page, browser: Browser): Promise<Beside> {
  const least = { ours: { zoom: Infinity, pan: Infinity }, bare: { zoom: Infinity, pan: Infinity } };
  for (let turn = 0; turn < 3; turn++) {
    for (const [name, one] of [["ours", page], ["bare", bare]] as const) {
      await one.bringToFront();
      const now = await speed(one, browser);
      least[name] = { zoom: Math.min(least[name].zoom, now.zoom), pan: Math.min(least[name].pan, now.pan) };
    }
  }
  return least;
}

/** Milliseconds from a navigation inside of the page until nodes are drawn. */
const appear = (page: Page, selector: string, least: number, go: string): Promise<number> => page.evaluate(async ([what, count, hash]) => {
  const began = performance.now();
  if (hash !== "") location.hash = hash;
  await new Promise<void>((resolve) => {
    const look = (): void => { if (document.querySelectorAll(what).length >= count) requestAnimationFrame(() => resolve()); else requestAnimationFrame(look); };
    look();
  });
  return performance.now() - began;
}, [selector, least, go] as const);

test("ports are drawn where lines to nodes out of sight begin and end", async ({ studio: page, served }) => {
  const source = `atomiton: 1
id: ports
nodes:
  read: {uses: data.value, with: {value: [1]}}
  pick: {uses: data.filter, with: {items: "\${{ read }}", where: item > 0}}
  way: {branch: {many: pick.items.size() > 1, few: else}}
  save: {uses: data.sort, needs: [way.many], with: {items: "\${{ pick.items }}", by: item}}
  bad: {uses: flow.log, needs: [save.error], with: {message: "\${{ nodes.save.error }}"}}
  each:
    map: \${{ pick.items }}
    nodes:
      in: {uses: data.value, with: {value: "\${{ item }}"}, compensate: {uses: flow.log, with: {message: x}}}
      out: {uses: data.value, with: {value: "\${{ in }}"}}
`;
  await fetch(`${served.address}/api/v1/blueprints/ports`, { method: "PUT", body: source, headers: { "content-type": "application/yaml", authorization: `Bearer ${await served.token()}` } });
  await page.goto(`${served.address}/#/b/ports`);
  await expect(page.locator(".card")).toHaveCount(8);
  await settled(page);
  const { nodes: known } = await page.evaluate(async () => (await (await fetch("/api/v1/nodes")).json()) as { nodes: NodeType[] });
  const types = new Map(known.map((type) => [type.name, type]));
  const boxes = sceneOf(derive(source, () => false), types, new Set());
  const drawn = await page.evaluate(() => [...document.querySelectorAll<HTMLElement>(".react-flow__handle")].map((handle) => {
    const card = handle.closest<HTMLElement>(".card")!;
    const [box, outer] = [handle.getBoundingClientRect(), card.getBoundingClientRect()];
    const zoom = outer.width / card.offsetWidth;
    return { path: card.dataset["path"]!, input: handle.classList.contains("target"), id: handle.dataset["handleid"]!, x: (box.x + box.width / 2 - outer.x) / zoom, y: (box.y + box.height / 2 - outer.y) / zoom };
  }));
  const wrong = boxes.flatMap((box) => portPlaces(box, "=").flatMap((port) => {
    const found = drawn.find((one) => one.path === box.path && one.id === port.id && one.input === port.input);
    if (found === undefined) return [`${box.path}.${port.id} is not drawn`];
    const off = Math.max(Math.abs(found.x - port.x), Math.abs(found.y - port.y));
    return off > 2 ? [`${box.path}.${port.id} is at ${found.x.toFixed(1)}, ${found.y.toFixed(1)} instead of ${port.x}, ${port.y}`] : [];
  }));
  expect(wrong).toEqual([]);
  expect(drawn.length).toBeGreaterThan(20);
});

test("1,000 nodes beside the least that the library takes", async ({ studio: page, served, browser }) => {
  test.setTimeout(240_000);
  const lines = Array.from({ length: 1000 }, (_, i) => `  n${i}:\n    uses: data.value\n    with:\n      value: ${i < 20 ? i : `\${{ n${i - 20} + 1 }}`}`);
  const text = `atomiton: 1\nid: many\nnodes:\n${lines.join("\n")}\n`;
  await fetch(`${served.address}/api/v1/blueprints/many`, { method: "PUT", body: text, headers: { "content-type": "application/yaml", authorization: `Bearer ${await served.token()}` } });
  await page.goto(`${served.address}/#/b/new`); // so that the editor itself is loaded
  await page.locator(".react-flow__pane").waitFor();
  await page.evaluate(() => { location.hash = "#/"; });
  await page.getByRole("heading", { name: "Blueprints" }).waitFor();
  await settled(page);
  await page.evaluate(() => {
    const seen = new Set<Node>();
    new MutationObserver((records) => {
      for (const { addedNodes } of records) for (const added of addedNodes) if (added instanceof Element) for (const node of added.matches(".react-flow__node") ? [added] : added.querySelectorAll(".react-flow__node")) seen.add(node);
      document.documentElement.dataset["drawn"] = String(seen.size);
    }).observe(document.body, { childList: true, subtree: true });
  });
  let draw = 0;
  const drawing = await work(page, async () => { draw = await appear(page, ".card", 60, "#/b/many"); });
  await settled(page);
  const count = await page.locator(".card").count();
  const everDrawn = Number(await page.locator("html").getAttribute("data-drawn"));
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const bare = await context.newPage();
  const library = `http://127.0.0.1:${(plain.address() as AddressInfo).port}`;
  // As many of its nodes in sight: where ours are half as large as they can be, its own stand closer.
  await bare.goto(`${library}/?wait&visible&zoom=0.6`);
  const bareDrawing = await work(bare, async () => { await appear(bare, ".react-flow__node", 60, "#go"); });
  await settled(bare);
  const bareCount = await bare.locator(".react-flow__node").count();
  const near = await inTurns(page, bare, browser);
  await page.bringToFront();
  await page.keyboard.press("1");
  await expect.poll(() => page.locator(".card").count()).toBe(1000);
  await settled(page);
  await bare.goto(`${library}/?zoom=0.06`);
  await expect.poll(() => bare.locator(".react-flow__node").count()).toBe(1000);
  await settled(bare);
  const far = await inTurns(page, bare, browser);
  await context.close();
  const words = ({ ours, bare: its }: Beside): string => `zoom ${ours.zoom.toFixed(1)} and its ${its.zoom.toFixed(1)}, pan ${ours.pan.toFixed(1)} and its ${its.pan.toFixed(1)} ms of work a frame: ${(ours.zoom / its.zoom).toFixed(2)} and ${(ours.pan / its.pan).toFixed(2)} of it`;
  const told = [
    `${count} of 1,000 on the screen: first drawn in ${draw.toFixed(0)} ms with ${drawing.toFixed(0)} ms of work; the library draws ${bareCount} with ${bareDrawing.toFixed(0)} ms`,
    `as many in sight: ${words(near)}`,
    `all 1,000 in sight: ${words(far)}`,
  ];
  for (const line of told) console.log(line);
  writeFileSync(join(SHOTS, "speed.txt"), `${told.join("\n")}\n`);
  expect(everDrawn, "nodes that were drawn at all").toBeLessThan(count + 40); // nothing where nobody looks
  expect(drawing).toBeLessThan(1000); // of the processor: what a clock says depends on who else works here
  expect(drawing).toBeLessThan(1.5 * bareDrawing); // as many cards, with all that ours show; it is drawn once, so one figure is all there is
  // Moving about takes about what a canvas of the library takes with as many of its plainest nodes, and from afar less: all is one picture then.
  expect(near.ours.zoom + near.ours.pan).toBeLessThan(1.3 * (near.bare.zoom + near.bare.pan)); // on a busy machine figures stray
  expect(far.ours.zoom + far.ours.pan).toBeLessThan(far.bare.zoom + far.bare.pan);
});
