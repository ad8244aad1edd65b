import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { derive, update, type Model } from "../src/model/blueprint";
import { change, redo, startHistory, undo } from "../src/model/history";
import { aligned, type Placed } from "../src/model/align";
import * as op from "../src/model/operations";
import { applyEdits, difference, invertEdits, type Edit } from "../src/model/text";

const isExpression = (type: string, name: string): boolean => type === "data.filter" && name === "where";
const make = (text: string): Model => derive(text, isExpression);
const next = (now: Model, edits: readonly Edit[]): Model => update(now, edits, isExpression);
const after = (model: Model, edits: readonly Edit[] | op.Refusal): string => {
  if (!Array.isArray(edits)) throw new Error((edits as op.Refusal).refused);
  return applyEdits(model.text, edits as Edit[]);
};

const ORDER = `# Orders.   Keep me
atomiton: 1
id: 'order-report'   # quoted on purpose
nodes:
  # what is read
  read:
    uses: sheet.read
    with: {path: "\${{ inputs.path }}"}  # flow

  big:
    uses: data.filter
    with:
      items: \${{ read.rows }}
      where: item.total > read.count
  route:
    branch: {high: big.count > 3, low: else}
  tell:
    uses: flow.log
    needs: [route.high]
    with: {message: 'it''s \${{ big.count }} of \${{ read.count }}'}
  each:
    map: \${{ big.items }}
    as: order
    nodes:
      inner:
        uses: data.value
        with: {value: "\${{ order.id }} \${{ read.count }}"}
      last:
        uses: data.value
        with:
          value: \${{ inner }}
output: \${{ tell }} # end
`;

const files = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((f) =>
    f.isDirectory() ? files(join(folder, f.name)) : f.name.endsWith(".yaml") ? [join(folder, f.name)] : []);
const EXAMPLES = files(join(import.meta.dirname, "../../examples")).map((f) => readFileSync(f, "utf8")).filter((t) => /^nodes:/m.test(t) && /^atomiton:/m.test(t));

const plainOf = (model: Model): unknown => JSON.parse(JSON.stringify({ ...model, nodes: [...model.nodes] }));

describe("deriving", () => {
  it("finds nodes, edges and what kind they are", () => {
    const model = make(ORDER);
    expect(model.top).toEqual(["read", "big", "route", "tell", "each"]);
    expect([...model.nodes.keys()]).toContain("each.inner");
    const lines = model.edges.map((e) => `${e.source}.${e.fromPort} -> ${e.target}.${e.toPort} ${e.kind}`);
    expect(lines).toEqual([
      "read.rows -> big.items data",
      "read.count -> big.where data",
      "big.count -> route.branch data",
      "route.high -> tell. route",
      "big.count -> tell.message data",
      "read.count -> tell.message data",
      "big.items -> each.map data",
      "read.count -> each.inner.value data",
      "each.inner. -> each.last.value data",
    ]);
  });

  it("keeps the last good picture while the text is broken", () => {
    const model = make(ORDER);
    const broken = derive(`${ORDER}\n  bad: [`, isExpression, model);
    expect(broken.troubles).not.toEqual([]);
    expect(broken.nodes).toBe(model.nodes);
  });

  it("reads every example of the house without trouble", () => {
    expect(EXAMPLES.length).toBeGreaterThan(20);
    for (const text of EXAMPLES) {
      const model = make(text);
      expect(model.troubles).toEqual([]);
      expect(model.nodes.size).toBeGreaterThan(0);
    }
  });
});

it("a change inside of one node is read without reading the rest", () => {
  const model = make(ORDER);
  const at = ORDER.indexOf("item.total");
  const changed = next(model, [{ from: at, to: at + 4, insert: "index" }]);
  expect(changed.head).toBe(model.head);
  expect(changed.entries[0]).toBe(model.entries[0]);
  expect(changed.nodes.get("read")).toBe(model.nodes.get("read"));
  expect(changed.nodes.get("big")).not.toBe(model.nodes.get("big"));
});

it("an input that is no schema yet breaks nothing", () => {
  expect(make(ORDER.replace("nodes:", "inputs: {a: 1, b: [x]}\nnodes:")).head.inputs.map((i) => i.name)).toEqual(["a", "b"]);
});

it("a value that is left out ends where the next node begins, read alone or not", () => {
  const model = make(ORDER);
  const at = ORDER.indexOf("{high");
  const edit = { from: at, to: at, insert: "#" };
  expect(plainOf(next(model, [edit]))).toEqual(plainOf(make(applyEdits(ORDER, [edit]))));
});

describe("changing", () => {
  it("sets a value and leaves every other byte alone", () => {
    const model = make(ORDER);
    expect(after(model, op.setValue(model, [...op.pathOf("big"), "with", "where"], "item.total > 5"))).toBe(
      ORDER.replace("item.total > read.count", "item.total > 5"));
    expect(after(model, op.setValue(model, [...op.pathOf("read"), "with", "sheet"], "A, B"))).toBe(
      ORDER.replace('inputs.path }}"}', 'inputs.path }}", sheet: "A, B"}'));
    expect(after(model, op.setValue(model, [...op.pathOf("big"), "retry"], { attempts: 3 }))).toBe(
      ORDER.replace("> read.count\n", "> read.count\n    retry:\n      attempts: 3\n"));
    expect(after(model, op.setValue(model, ["name"], "Orders: all"))).toBe(
      ORDER.replace("# end\n", '# end\nname: "Orders: all"\n'));
  });

  it("keeps the quotes that somebody chose, and not those that an empty text needed for a moment", () => {
    const through = (written: string, ...values: string[]): string => values.reduce(
      (text, value) => { const now = make(text); return after(now, op.setValue(now, [...op.pathOf("a"), "with", "value"], value)); },
      `nodes:\n  a:\n    with:\n      value: ${written}\n`).split("value: ")[1]!.trim();
    expect(through("item.total > 1", "", "item.total > 2")).toBe("item.total > 2");
    expect(through("plain", "007", "seven")).toBe("seven");
    expect(through("'chosen'", "other")).toBe("'other'");
    expect(through('"chosen"', "other")).toBe('"other"');
    expect(through('"a: b"', "c: d")).toBe('"c: d"');
  });

  it("connects and disconnects", () => {
    const model = make(ORDER);
    const made = after(model, op.connect(model, "read", "headers", "tell", "message"));
    expect(made).toContain('message: "${{ read.headers }}"');
    const needed = after(model, op.connect(model, "big", "", "tell", ""));
    expect(needed).toContain("needs: [route.high, big]");
    expect(after(make(needed), op.disconnect(make(needed), make(needed).edges.find((e) => e.source === "big" && e.kind === "order")!))).toBe(ORDER);
    const failed = after(model, op.connect(model, "read", "error", "each", ""));
    expect(failed).toContain("each:\n    map: ${{ big.items }}\n    needs: [read.error]\n");
  });

  it("refuses circles, and what cannot be seen", () => {
    const model = make(ORDER);
    expect(op.connect(model, "tell", "", "read", "")).toEqual({ refused: expect.stringContaining("circle") });
    expect(op.connect(model, "each.inner", "", "tell", "message")).toEqual({ refused: expect.stringContaining("cannot see into") });
    expect(op.connect(model, "read", "", "read", "")).toEqual({ refused: expect.any(String) });
  });

  it("renames in every place that means the node", () => {
    const model = make(ORDER);
    const text = after(model, op.rename(model, "read", "load", isExpression));
    expect(text).toBe(
      ORDER.replace("  read:\n", "  load:\n").replaceAll("read.rows", "load.rows").replaceAll("read.count", "load.count"));
    expect(after(make(text), op.rename(make(text), "load", "read", isExpression))).toBe(ORDER);
  });

  it("removes nodes with what only waited for them", () => {
    const model = make(ORDER);
    const text = after(model, op.removeNodes(model, ["route"], next));
    expect(text).not.toContain("route");
    expect(text).toContain("  tell:\n    uses: flow.log\n    with:");
    expect(make(text).nodes.size).toBe(model.nodes.size - 1);
  });

  it("copies and pastes under free ids, with comments", () => {
    const model = make(ORDER);
    const copied = op.copyNodes(model, ["read", "big"]);
    expect(copied).toContain("# what is read");
    const pasted = op.pasteNodes(model, "", copied, make, next, isExpression);
    if ("refused" in pasted) throw new Error(pasted.refused);
    expect(pasted.paths).toEqual(["read_2", "big_2"]);
    const text = after(model, pasted.edits);
    expect(text).toContain("items: ${{ read_2.rows }}");
    expect(text.startsWith(ORDER.slice(0, ORDER.indexOf("output:")))).toBe(true);
    const inside = op.pasteNodes(model, "each", copied, make, next, isExpression);
    if ("refused" in inside) throw new Error(inside.refused);
    expect([...make(after(model, inside.edits)).nodes.keys()]).toContain("each.read_2");
  });

  it("adds a first node to an empty text, and to an empty body", () => {
    const empty = make("atomiton: 1\nid: a\n");
    expect(make(after(empty, op.addNode(empty, "", "x", { uses: "data.value" }))).top).toEqual(["x"]);
    const none = make("atomiton: 1\nid: a\nnodes: {}\noutput: 1\n");
    expect(after(none, op.addNode(none, "", "x", { uses: "data.value" }))).toBe("atomiton: 1\nid: a\nnodes:\n  x:\n    uses: data.value\noutput: 1\n");
  });

  it("places nodes by lines of the layout alone", () => {
    const model = make(ORDER);
    const once = after(model, op.place(model, new Map([["read", [10.4, 20]], ["each.inner", [1, 2]]]), next));
    expect(once).toBe(`${ORDER}layout:\n  read: [10, 20]\n  each.inner: [1, 2]\n`);
    const twice = make(once);
    expect(after(twice, op.place(twice, new Map([["read", [11, 20]]]), next))).toBe(once.replace("[10, 20]", "[11, 20]"));
    expect(twice.nodes.get("each.inner")!.place).toEqual([1, 2]);
  });
});

describe("notes", () => {
  it("stand in the metadata, and change nothing else", () => {
    const model = make(ORDER);
    const once = after(model, op.addNote(model, "First: read\nthen \"think\"", [10.4, -20]));
    expect(once.startsWith(ORDER)).toBe(true);
    expect(make(once).head.notes).toEqual([{ index: 0, text: "First: read\nthen \"think\"", at: [10, -20] }]);
    const two = make(after(make(once), op.addNote(make(once), "second", [1, 2])));
    expect(two.head.notes.map((n) => n.text)).toEqual(["First: read\nthen \"think\"", "second"]);
    const moved = make(after(two, op.moveNote(two, 1, [7, 8])));
    expect(moved.head.notes[1]!.at).toEqual([7, 8]);
    expect(op.moveNote(moved, 1, [7, 8])).toEqual([]);
    expect(after(moved, op.removeNotes(moved, [0, 1], next))).toBe(ORDER);
    expect(make(after(moved, op.writeNote(moved, 0, "  "))).head.notes.map((n) => n.text)).toEqual(["second"]);
  });

  it("leave what else is in the metadata, and what is no note, alone", () => {
    const text = "atomiton: 1\nid: a\nmetadata: {tags: [x], notes: [just words, {text: mine, at: [1, 2]}]}\nnodes: {}\n";
    const model = make(text);
    expect(model.head.notes).toEqual([{ index: 1, text: "mine", at: [1, 2] }]);
    expect(after(model, op.writeNote(model, 1, "yours"))).toBe(text.replace("mine", "yours"));
    expect(after(model, op.addNote(model, "more", [3, 4]))).toContain("{text: mine, at: [1, 2]}, {text: more, at: [3, 4]}]}");
    expect(after(model, op.removeNotes(model, [1], next))).toContain("metadata: {tags: [x], notes: [just words]}");
  });
});

describe("putting in line", () => {
  const placed = fc.array(fc.record({ x: fc.integer({ min: -500, max: 500 }), y: fc.integer({ min: -500, max: 500 }), width: fc.integer({ min: 10, max: 300 }), height: fc.integer({ min: 10, max: 90 }) }), { minLength: 2, maxLength: 8 })
    .map((boxes) => boxes.map((box, i) => ({ id: `n${i}`, ...box })));
  type At = { left: number; right: number; top: number; bottom: number };
  const ends = (boxes: readonly Placed[], places: ReadonlyMap<string, readonly [number, number]>): At[] =>
    boxes.map((b) => { const [x, y] = places.get(b.id)!; return { left: x, right: x + b.width, top: y, bottom: y + b.height }; });

  it("makes edges and middles agree, and moves along one axis only", () => {
    fc.assert(fc.property(placed, (boxes) => {
      for (const [how, key] of [["left", "left"], ["right", "right"], ["top", "top"], ["bottom", "bottom"]] as const) {
        expect(new Set(ends(boxes, aligned(boxes, how)).map((e) => e[key])).size).toBe(1);
      }
      const middles = ends(boxes, aligned(boxes, "center")).map((e) => (e.left + e.right) / 2);
      expect(Math.max(...middles) - Math.min(...middles)).toBeLessThanOrEqual(1);
      for (const how of ["left", "center", "right", "across"] as const) expect(boxes.every((b) => aligned(boxes, how).get(b.id)![1] === b.y)).toBe(true);
      for (const how of ["top", "middle", "bottom", "down"] as const) expect(boxes.every((b) => aligned(boxes, how).get(b.id)![0] === b.x)).toBe(true);
    }));
  });

  it("makes gaps even, between the outermost, and is done after once", () => {
    fc.assert(fc.property(placed, (boxes) => {
      const places = aligned(boxes, "across");
      const sorted = ends(boxes, places).sort((a, b) => a.left - b.left || a.right - b.right);
      const gaps = sorted.slice(1).map((e, i) => e.left - sorted[i]!.right);
      expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(2);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(-1);
      expect(sorted[0]!.left).toBe(Math.min(...boxes.map((b) => b.x)));
      const again = aligned(boxes.map((b) => ({ ...b, x: places.get(b.id)![0] })), "across");
      for (const [id, [x]] of places) expect(Math.abs(again.get(id)![0] - x)).toBeLessThanOrEqual(boxes.length);
    }));
    expect(aligned([{ id: "a", x: 0, y: 0, width: 1, height: 1 }], "left").size).toBe(0);
  });
});

/** One thing that people do, on whatever model there is; a refusal changes nothing. */
function act(model: Model, kind: number, a: number, b: number, word: string): readonly Edit[] {
  const paths = [...model.nodes.keys()];
  const one = paths[a % paths.length];
  const two = paths[b % paths.length];
  if (one === undefined || two === undefined) return op.addNode(model, "", op.freeId(model, "", word), { uses: "data.value" });
  const got = ((): readonly Edit[] | op.Refusal => {
    switch (kind) {
      case 0: { const parent = model.nodes.get(one)!.kind === "group" ? one : ""; return op.addNode(model, parent, op.freeId(model, parent, word), { uses: "data.value", with: { value: word } }); }
      case 1: return op.removeNodes(model, [one], next);
      case 2: return op.connect(model, one, "", two, "value");
      case 3: return op.connect(model, one, b % 2 ? "error" : "", two, "");
      case 4: return op.rename(model, one, op.freeId(model, model.nodes.get(one)!.parent, word), isExpression);
      case 5: return op.place(model, new Map([[one, [a * 10, b * 10]]]), next);
      case 6: return op.setValue(model, [...op.pathOf(one), "description"], word);
      case 7: { const e = model.edges[b % Math.max(1, model.edges.length)]; return e === undefined ? [] : op.disconnect(model, e); }
      case 8: { const p = op.pasteNodes(model, "", op.copyNodes(model, [one, two]), make, next, isExpression); return "refused" in p ? p : p.edits; }
      case 10: return op.addNote(model, word, [a * 10, b * 10]);
      case 11: { const n = model.head.notes[a % Math.max(1, model.head.notes.length)]; return n === undefined ? [] : op.writeNote(model, n.index, word); }
      case 12: { const n = model.head.notes[b % Math.max(1, model.head.notes.length)]; return n === undefined ? [] : op.moveNote(model, n.index, [a, b]); }
      case 13: return op.removeNotes(model, model.head.notes.filter((_, i) => i % 2 === a % 2).map((n) => n.index), next);
      default: return op.setValue(model, [...op.pathOf(one), "with", "value"], { list: [1, word], text: `\${{ ${model.nodes.get(two)!.id} }}` });
    }
  })();
  return "refused" in got ? [] : got;
}

const action = fc.tuple(fc.nat(14), fc.nat(20), fc.nat(20), fc.string({ maxLength: 12 }));
const start = fc.constantFrom(ORDER, ...EXAMPLES);

describe("properties", () => {
  it("incremental is recomputed, the text stays good, and undoing everything is identity", () => {
    fc.assert(
      fc.property(start, fc.array(action, { maxLength: 8 }), (text, actions) => {
        let model = make(text);
        let history = startHistory(text);
        const texts = [text];
        for (const [kind, a, b, word] of actions) {
          const edits = act(model, kind, a, b, word);
          if (edits.length === 0) continue;
          expect(applyEdits(applyEdits(model.text, edits), invertEdits(model.text, edits))).toBe(model.text);
          model = next(model, edits);
          history = change(history, edits, { label: "x" });
          expect(history.text).toBe(model.text);
          expect(model.troubles, model.text).toEqual([]);
          expect(plainOf(model)).toEqual(plainOf(make(model.text)));
          texts.push(model.text);
        }
        const done = history;
        for (const expected of texts.slice(0, -1).reverse()) {
          history = undo(history)!.history;
          expect(history.text).toBe(expected);
        }
        expect(undo(history)).toBeNull();
        for (let moved = redo(history); moved !== null; moved = redo(history)) history = moved.history;
        expect(history.text).toBe(done.text);
      }),
      { numRuns: 300 },
    );
  });

  it("typing anywhere: incremental is recomputed, broken texts included", () => {
    fc.assert(
      fc.property(start, fc.array(fc.tuple(fc.nat(), fc.nat(6), fc.constantFrom("", "x", " ", "\n", ":", "'", '"', "{", "- ", "#", "\n    if: read\n", "|", ">-", "${{ read }}", "&a", "\n  ", ": 1")), { maxLength: 6 }), (text, typed) => {
        let model = make(text);
        for (const [at, cut, insert] of typed) {
          const from = at % (model.text.length + 1);
          const edit = { from, to: Math.min(model.text.length, from + cut), insert };
          const fresh = derive(applyEdits(model.text, [edit]), isExpression, model);
          model = next(model, [edit]);
          expect(plainOf(model)).toEqual(plainOf(fresh));
        }
      }),
      { numRuns: 400 },
    );
  });

  it("a difference leads from any text to any other", () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => { expect(applyEdits(a, difference(a, b))).toBe(b); }));
  });
});
