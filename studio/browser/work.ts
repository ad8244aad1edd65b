/** What something costs, whoever else works on the machine. */
import type { Page } from "@playwright/test";

/** Milliseconds of the processor that the page's own thread takes for something; a busy machine changes these little. */
export async function work(page: Page, doing: () => Promise<unknown>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const taken = async (): Promise<number> => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find((m) => m.name === "TaskDuration")!.value;
  };
  const before = await taken();
  await doing();
  const after = await taken();
  await session.detach();
  return after - before;
}
