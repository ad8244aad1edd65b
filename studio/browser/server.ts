/** A real server for each test file: its own store, its own folder of blueprints, on loopback. */
import { test as base, expect, type Page } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Served {
  readonly address: string;
  readonly folder: string;
  readonly token: () => Promise<string>;
  /** A link that logs in once. */
  login(): Promise<string>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const ROOT = join(import.meta.dirname, "../..");
export const SHOTS = join(import.meta.dirname, "../shots");
mkdirSync(SHOTS, { recursive: true });

async function begin(folder: string, port: number): Promise<{ child: ChildProcess; address: string; link: string }> {
  const words = (process.env["ATOMITON"] ?? "uv run --no-sync atomiton").split(" ");
  const args = [...words.slice(1), "studio", join(folder, "blueprints"), "--no-browser", "--store", join(folder, "runs.db"), "--port", String(port), "--nodes", join(import.meta.dirname, "nodes.py")];
  const child = spawn(words[0]!, args, { cwd: ROOT, env: { ...process.env, XDG_RUNTIME_DIR: folder }, detached: true });
  let out = "";
  child.stderr.on("data", (data: Buffer) => { out += data.toString(); });
  const link = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      out += data.toString();
      const found = /log in at (\S+)/.exec(out);
      if (found !== null) resolve(found[1]!);
    });
    child.on("exit", () => reject(new Error(`the server ended: ${out}`)));
  });
  return { child, address: new URL(link).origin, link };
}

export const test = base.extend<{ studio: Page }, { served: Served }>({
  served: [
    async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), "studio-"));
      mkdirSync(join(folder, "blueprints"));
      let now = await begin(folder, 0);
      const port = Number(new URL(now.address).port);
      let fresh: string | null = now.link;
      const end = async (): Promise<void> => {
        const ended = new Promise((resolve) => now.child.on("exit", resolve));
        process.kill(-now.child.pid!, "SIGTERM");
        await ended;
      };
      const served: Served = {
        address: now.address,
        folder: join(folder, "blueprints"),
        async token() {
          const { readFile } = await import("node:fs/promises");
          return (await readFile(join(folder, "runs.db.server", "token"), "utf8")).trim();
        },
        async login() {
          if (fresh !== null) {
            const link = fresh;
            fresh = null;
            return link;
          }
          const answer = await fetch(`${served.address}/api/v1/logins`, { method: "POST", headers: { authorization: `Bearer ${await served.token()}`, "content-type": "application/json" }, body: "{}" });
          return served.address + ((await answer.json()) as { path: string }).path;
        },
        stop: end,
        async start() {
          now = await begin(folder, port);
          fresh = now.link;
        },
      };
      await use(served);
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: "worker" },
  ],
  /** A page that is logged in; whatever the browser complains of fails the test. */
  studio: async ({ page, served }, use) => {
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => { if (message.type() === "error" && !message.text().includes("Failed to load resource")) complaints.push(message.text()); });
    page.on("dialog", (dialog) => { if (dialog.type() === "alert") complaints.push(`alert: ${dialog.message()}`); void dialog.accept(); });
    await page.goto(await served.login());
    await page.waitForURL(`${served.address}/`);
    await page.getByRole("navigation", { name: "Studio" }).waitFor();
    await use(page);
    expect(complaints).toEqual([]);
  },
});

export { expect };

/** Begin a blueprint of a text. */
export async function write(page: Page, text: string): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/b/new`);
  await page.getByRole("button", { name: "YAML" }).click();
  await page.locator(".cm-content").waitFor();
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete"); // what Chromium puts over a selection has a style of its own for a moment
  await page.keyboard.insertText(text);
}

/** Wait until nothing of the page has changed for a moment; what changes for ever is waited for a few seconds. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        watch.disconnect();
        clearTimeout(quiet);
        clearTimeout(late);
        resolve();
      };
      const watch = new MutationObserver(() => {
        clearTimeout(quiet);
        quiet = setTimeout(end, 120);
      });
      let quiet = setTimeout(end, 120);
      const late = setTimeout(end, 3000);
      watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    });
  });
}

export type Theme = "light" | "dark";

/** Show the page light or dark; nothing moves where one has asked for less of that, so it is so at once. */
export async function inTheme(page: Page, theme: Theme): Promise<void> {
  await page.evaluate(async (value) => {
    document.documentElement.dataset["theme"] = value;
    await new Promise(requestAnimationFrame);
  }, theme);
}

/** Keep pictures of what is seen, light and dark. */
export async function shot(page: Page, name: string): Promise<void> {
  await settled(page);
  for (const theme of ["light", "dark"] as const) {
    await inTheme(page, theme);
    await page.screenshot({ path: join(SHOTS, `${name}-${theme}.png`) });
  }
  await inTheme(page, "light");
}
