/** What a node can read, and how a part of it gets into a field. */
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { derive } from "../src/model/blueprint";
import { asExpression } from "../src/model/data";
import { holes, wholeExpression } from "../src/model/expressions";
import { partOf, readable, taken } from "../src/model/given";

const TEXT = `atomiton: 1
id: given
inputs: {limit: {type: integer}}
nodes:
  first: {uses: data.value, with: {value: 1}}
  other: {uses: data.value, with: {value: 2}}
  waits: {uses: data.value, needs: [other], with: {value: "\${{ first }}"}}
  each:
    map: \${{ first }}
    as: row
    nodes:
      inner: {uses: data.value, with: {value: "\${{ row }}"}}
      next: {uses: data.value, with: {value: "\${{ inner }}"}}
  again:
    loop: {times: 3}
    nodes: {step: {uses: data.value, with: {value: "\${{ index }}"}}}
  last: {uses: data.value, with: {value: "\${{ each }}"}}
`;

describe("what a node can read", () => {
  const model = derive(TEXT, () => false);
  const told = (path: string): string[] => readable(model, path).map((s) => `${s.root}${s.read ? "!" : ""}`);
  it("is what it reads, then the inputs, what it waits for, and all that makes no circle", () => {
    expect(told("waits")).toEqual(["first!", "inputs", "other", "each", "again", "last"]);
    expect(told("first")).toEqual(["inputs", "other", "again"]);
  });
  it("is, in a map, the item and what is beside it; a map itself does not know its item", () => {
    expect(told("each.next")).toEqual(["inner!", "row", "index", "inputs", "first", "other", "waits", "again"]);
    expect(told("each.inner")).toEqual(["row", "index", "inputs", "first", "other", "waits", "again"]);
    expect(told("each")).toEqual(["first!", "inputs", "other", "waits", "again"]);
    expect(told("again.step")).toEqual(["acc", "index", "inputs", "first", "other", "waits", "each", "last"]);
  });
  it("is nothing of a node that is not there", () => expect(readable(model, "nobody")).toEqual([]));
});

describe("a part of a value", () => {
  it("is said by names and numbers, and in quotes where it is no name", () => {
    expect(partOf(partOf(partOf("read", "rows"), 0), "unit price")).toBe('read.rows[0]["unit price"]');
    expect(partOf("read", 'a"b')).toBe('read["a\\"b"]');
  });
});

describe("what is taken into a field", () => {
  it.each([
    ["", null, false, "${{ read.rows }}"],
    ["${{ }}", null, false, "${{ read.rows }}"],
    ["${{ old.rows }}", null, false, "${{ read.rows }}"],
    ["${{ old.rows }}", 0, false, "${{ read.rows }}"],
    ["${{ size() }}", 9, false, "${{ size(read.rows) }}"],
    ["Hello ", null, false, "Hello ${{ read.rows }}"],
    ["Hello !", 6, false, "Hello ${{ read.rows }}!"],
    ["", null, true, "read.rows"],
    ["item in ", 8, true, "item in read.rows"],
  ])("%j with the cursor at %j, bare: %j", (text, at, bare, wanted) => {
    expect(taken(text, at, "read.rows", bare).text).toBe(wanted);
  });
  it("is in the text once, behind the cursor, and what stood around it stays", () => {
    fc.assert(fc.property(fc.string(), fc.nat(40), fc.boolean(), (text, n, bare) => {
      const at = Math.min(n, text.length);
      const now = taken(text, at, "read.rows", bare);
      expect(now.text.slice(0, now.at)).toContain("read.rows");
      if (holes(text).length === 0 && text.trim() !== "" && wholeExpression(text) === null) expect(now.text.replace(bare ? "read.rows" : "${{ read.rows }}", "")).toBe(text);
    }));
  });
});

describe("a value with expressions in it", () => {
  it("is one expression that gives it", () => {
    expect(asExpression({ total: "${{ sum.sum }}", "a b": ["${{ x }}", 1, null, true, 'say "no"'] })).toBe('{"total": (sum.sum), "a b": [(x), 1, null, true, "say \\"no\\""]}');
    expect(asExpression({})).toBe("{}");
  });
  it("is none where a text is one in part, or none yet", () => {
    expect(asExpression({ a: "Hello ${{ x }}" })).toBeNull();
    expect(asExpression(["${{ }}"])).toBeNull();
  });
});
