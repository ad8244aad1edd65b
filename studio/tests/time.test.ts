/** Times, and what else is shown in one way on every page. */
import { renderToStaticMarkup } from "react-dom/server";
import { createElement } from "react";
import { describe, expect, it } from "vitest";
import { ago, duration, moment, shortRun } from "../src/ui/time";
import { Words } from "../src/ui/Words";

describe("times", () => {
  it("say how long something took", () => {
    expect([0, 0.25, 12.4, 999, 1500, 61_000, 7_200_000].map(duration)).toEqual(["0", "0.25 ms", "12 ms", "999 ms", "1.5 s", "1 min 1 s", "2.0 h"]);
  });
  it("say when something was, with its day where that is not today", () => {
    const noon = new Date(2026, 10, 22, 12, 0, 0);
    const at = (...parts: [number, number, number, number, number, number]): string => moment(new Date(...parts).getTime() / 1000, noon);
    expect(at(2026, 10, 22, 9, 5, 7)).toBe("09:05:07");
    expect(at(2026, 10, 21, 23, 5, 7)).toBe("21 Nov, 23:05:07");
    expect(at(2025, 10, 21, 23, 5, 7)).toBe("21 Nov 2025, 23:05:07");
    const now = Date.now() / 1000;
    expect([ago(now - 5), ago(now - 130), ago(now - 7300)]).toEqual(["just now", "2 min ago", "2 h ago"]);
  });
});

it("a run is told from others by the end of its id", () => {
  expect(shortRun("run_001a2022c53eeaaa3cefc2a5e6")).toBe("…efc2a5e6");
  expect(shortRun("run_1")).toBe("run_1");
});

it("words between backticks are code, and nothing else is", () => {
  const shown = (text: string): string => renderToStaticMarkup(createElement(Words, { text }));
  expect(shown("over `item` and `index`")).toBe("over <code>item</code> and <code>index</code>");
  expect(shown("one ` alone <b>")).toBe("one ` alone &lt;b&gt;");
});
