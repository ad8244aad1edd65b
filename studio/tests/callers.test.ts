import { expect, it } from "vitest";
import { derive, update } from "../src/model/blueprint";
import { callsTo, withCallsTo } from "../src/model/callers";
import { ticks } from "../src/model/timeline";

const never = (): boolean => false;
const TEXT = `atomiton: 1
id: caller   # calls
nodes:
  one: {call: report, with: {day: 1}}   # first
  each:
    map: \${{ [1, 2] }}
    nodes:
      inner:
        call: "report"
  other: {call: reports, needs: [one]}
`;

it("calls follow the id of what they call, also inside of groups, and no other byte changes", () => {
  const model = derive(TEXT, never);
  expect(callsTo(model, "report")).toEqual(["one", "each.inner"]);
  const text = withCallsTo(model, "report", "daily", (now, edits) => update(now, edits, never));
  expect(callsTo(derive(text, never), "daily")).toEqual(["one", "each.inner"]);
  expect(text.replace("{call: daily,", "{call: report,").replace(/call: "?daily"?/, 'call: "report"')).toBe(TEXT);
});

it("moments above a timeline are round, and at most seven", () => {
  expect(ticks(1769)).toEqual([0, 500, 1000, 1500]);
  expect(ticks(60_000)).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  for (const ms of [0.4, 3, 7, 99, 12_345, 3_599_000, 86_400_000 * 40]) {
    const found = ticks(ms);
    expect(found.length, String(ms)).toBeGreaterThanOrEqual(2);
    expect(found.length, String(ms)).toBeLessThanOrEqual(7);
    expect(found.at(-1)!).toBeLessThanOrEqual(ms);
  }
});
