import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { derive, update } from "../src/model/blueprint";
import { compare, differences, same } from "../src/model/compare";
import { alone, sourcesOf, whyNotPinned, withPins, written } from "../src/model/pins";
import { startLog, takeIn, type RunEvent, type RunLog, type Seen } from "../src/model/runs";
import { timelineOf } from "../src/model/timeline";

const never = (): boolean => false;
const read = (text: string): ReturnType<typeof derive> => derive(text, never);
const next = (now: ReturnType<typeof derive>, edits: Parameters<typeof update>[1]): ReturnType<typeof derive> => update(now, edits, never);

const TEXT = `atomiton: 1
id: pinned
# what comes first
nodes:
  read: {uses: http.request, with: {url: "http://a.example"}, retry: {attempts: 3}}
  also: {uses: data.value, with: {value: 2}}
  way:
    needs: [read]
    branch: {yes: "true"}
  sum:
    uses: data.value   # the sum
    with: {value: "\${{ read.total + also }}"}
  last: {uses: flow.log, with: {message: "\${{ sum }}"}}
output: \${{ sum }}
`;

function log(...events: readonly (readonly [string, string | null, number, Record<string, unknown>?])[]): RunLog {
  const made = startLog();
  takeIn(made, events.map(([kind, node, time, fact], n): RunEvent => ({ number: n + 1, kind, node, fact: { ...fact, time } })));
  return made;
}

const seen = (more: Partial<Seen>): Seen => ({ status: "completed", attempts: 1, duration_ms: null, error: null, ...more });

describe("pinned data", () => {
  it("stands in the place of what a node does, and nothing else changes", () => {
    const made = withPins(read(TEXT), { read: { total: 7, text: "${{ not an expression }}" }, gone: 1 }, next);
    expect(made.troubles).toEqual([]);
    expect(made.text).toContain("# what comes first");
    expect(made.text).toContain("# the sum");
    expect(made.text).not.toContain("http.request");
    expect(made.text).not.toContain("attempts");
    expect(made.text).toContain("$${{ not an expression }}");
    expect(made.nodes.get("sum")).toBeDefined();
    expect(withPins(read(TEXT), {}, next).text).toBe(TEXT);
  });

  it("lets one node run alone, on what it needs", () => {
    const data: Record<string, unknown> = { read: { total: 7 }, also: 2 };
    const made = alone(read(TEXT), "sum", (path) => data[path], next);
    if (typeof made === "string") throw new Error(made);
    expect(made.top).toEqual(["read", "also", "sum"]);
    expect(made.text).not.toContain("output:");
    expect(made.text).not.toContain("http.request");
    expect(sourcesOf(read(TEXT), "sum")).toEqual(["read", "also"]);
  });

  it("says what is missing", () => {
    expect(alone(read(TEXT), "sum", (path) => (path === "also" ? 2 : undefined), next)).toMatch(/read has given nothing yet/);
    expect(whyNotPinned(read(TEXT), "way")).toMatch(/a branch/);
    expect(whyNotPinned(read(TEXT), "nowhere")).toMatch(/no node/);
    expect(whyNotPinned(read(TEXT), "read")).toBeNull();
  });

  it("is read back as it was pinned", () => {
    const unwritten = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll("$${{", "${{")) as unknown;
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      expect(same(unwritten(written(value)), unwritten(value))).toBe(true);
    }));
  });
});

describe("the timeline", () => {
  it("tells work, the time before another try, waits, the queue and pauses apart", () => {
    const run = log(
      ["run_requested", null, 100, { paused: true, inputs: {} }],
      ["resumed", null, 103, { by: "queue" }],
      ["attempt_started", "a", 103, { attempt: 1 }],
      ["attempt_failed", "a", 104, { attempt: 1, error: { code: "X", message: "no" } }],
      ["attempt_started", "a", 106, { attempt: 2 }],
      ["attempt_completed", "a", 107, { attempt: 2, output: 1 }],
      ["breakpoint_checked", "b", 107, { stops: true }],
      ["resumed", null, 110, { by: "me" }],
      ["breakpoint_checked", "b", 111, { stops: false }],
      ["paused", null, 112, {}],
    );
    const rows = timelineOf(run, { a: seen({ attempts: 2 }), w: seen({ status: "waiting", since: 105 }), v: seen({ since: 104, duration_ms: 2000 }) });
    const told = rows.map((row) => [row.label, ...row.spans.map((span) => [span.kind, span.from, span.to])]);
    expect(told).toEqual([
      ["the run", ["queue", 100, 103], ["paused", 107, 110], ["paused", 112, null]],
      ["a", ["attempt", 103, 104], ["retry", 104, 106], ["attempt", 106, 107]],
      ["v", ["wait", 104, 106]],
      ["w", ["wait", 105, null]],
    ]);
  });

  it("lets the items of a large map share a row", () => {
    const events: [string, string, number, Record<string, unknown>][] = [];
    for (let i = 0; i < 10_000; i++) events.push(["attempt_started", `each[${i}]`, 1 + i, { attempt: 1 }]);
    const rows = timelineOf(log(["run_requested", null, 0, {}], ...events), null);
    expect(rows.map((row) => row.label)).toEqual(["each × 10,000"]);
    expect(rows[0]!.spans.length).toBeLessThanOrEqual(2000);
  });

  it("shows nothing where nothing was", () => {
    expect(timelineOf(startLog(), null)).toEqual([]);
    const began = log(["run_requested", null, 5, { paused: true }]);
    expect(timelineOf(began, null).map((row) => row.spans[0]!.kind)).toEqual(["paused"]);
  });
});

describe("two runs", () => {
  const one = log(["run_requested", null, 0, {}], ["attempt_started", "a", 1, { attempt: 1 }], ["attempt_completed", "a", 2, { attempt: 1, output: { x: 1, y: [1] } }], ["attempt_started", "b", 2, { attempt: 1 }]);
  const two = log(["run_requested", null, 50, {}], ["attempt_started", "a", 51, { attempt: 1 }], ["attempt_completed", "a", 54, { attempt: 1, output: { y: [1], x: 2 } }]);

  it("are compared by their way, their data and their time, in the order of what happened", () => {
    const found = compare(
      { log: one, nodes: { b: seen({ status: "failed" }), a: seen({ duration_ms: 1000 }), c: seen({}) } },
      { log: two, nodes: { b: seen({ status: "skipped", attempts: 0 }), a: seen({ duration_ms: 3000 }) } },
    );
    expect(found.map((row) => [row.path, row.way, row.data, row.longer])).toEqual([["a", false, true, 2000], ["b", true, false, null], ["c", true, false, null]]);
  });

  it("differ in the smallest places that do", () => {
    expect(differences({ x: 1, y: [1, { z: 2 }] }, { y: [1, { z: 3 }], x: 1 })).toEqual([{ at: "y[1].z", one: 2, two: 3 }]);
    expect(differences([1], { 0: 1 })).toEqual([{ at: "", one: [1], two: { 0: 1 } }]);
    expect(differences({ a: 1 }, {})).toEqual([{ at: "a", one: 1, two: undefined }]);
    expect(differences(Array.from({ length: 99 }, (_, i) => i), [], 10)).toHaveLength(10);
  });

  it("the same is the same, whatever the order of keys", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const again = JSON.parse(JSON.stringify(value)) as unknown;
      expect(same(value, again)).toBe(JSON.stringify(value) === JSON.stringify(again));
      expect(differences(again, again)).toEqual([]);
    }));
  });
});

describe("a kept result", () => {
  it("says which run gave it, until the node is called again", () => {
    const told = (cached?: string): RunLog => log(["attempt_completed", "a", 1, { attempt: 1, output: 5, ...(cached === undefined ? {} : { cached }) }]);
    expect(told("run_earlier").nodes.get("a")).toMatchObject({ output: 5, kept: "run_earlier" });
    expect(told().nodes.get("a")?.kept).toBe("");
  });
});
