import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "browser",
  workers: 2, // each has a server, a store and a folder of its own
  retries: 1, // on a busy machine; what passes the second time only is named as flaky
  timeout: 120_000,
  expect: { timeout: 20_000 }, // patience for a machine that others use as well
  forbidOnly: true,
  reporter: "list",
  use: {
    viewport: { width: 1440, height: 900 },
    // Nothing moves by itself: what is looked at is so at once, and the processor is there for the tests.
    contextOptions: { reducedMotion: "reduce" },
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
    screenshot: "only-on-failure",
    // Following all that a page does takes half as long again: TRACE=1 asks for it.
    trace: process.env["TRACE"] === undefined ? "off" : "retain-on-failure",
  },
});
