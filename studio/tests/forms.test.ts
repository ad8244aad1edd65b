/** What forms know: completion, values as they are typed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { derive } from "../src/model/blueprint";
import { offers } from "../src/model/completion";
import { asTyped, fromTyped } from "../src/model/data";
import { freeId, whyNotName } from "../src/model/names";
import { FUNCTIONS, METHODS, NAMESPACES } from "../src/model/functions";

const TEXT = `atomiton: 1
id: offered
inputs:
  user: {type: object, properties: {name: {type: string}, home: {type: object, properties: {city: {type: string}}}}}
nodes:
  read: {uses: data.value, with: {value: 1}}
  each:
    map: \${{ read.rows }}
    as: row
    nodes:
      lines:
        map: \${{ row.lines }}
        uses: data.value
        with: {value: "\${{ item }}"}
  big: {uses: data.filter, with: {items: "\${{ read.rows }}", where: "true"}}
`;
const DATA: Readonly<Record<string, unknown>> = { read: { rows: [{ total: 3, lines: [{ sku: "a" }] }] } };
const labels = (path: string, before: string, over?: string): string[] =>
  offers(derive(TEXT, () => false), new Map(), path, before, (node) => DATA[node], over).items.map((o) => o.label);

describe("completion", () => {
  it("knows the fields of items: of a list that a parameter holds, of maps, of maps in maps, of macros", () => {
    expect(labels("big", "item.", "${{ read.rows }}")).toEqual(expect.arrayContaining(["total", "lines", "size()"]));
    expect(labels("big", "item.", '${{ [{"own": 1}] }}')).toContain("own");
    expect(labels("each.lines", "row.")).toContain("total");
    expect(labels("each.lines", "item.")).toContain("sku");
    expect(labels("each", "row.lines[0].")).toContain("sku");
    expect(labels("big", "read.rows.filter(r, r.")).toContain("total");
    expect(labels("big", "read.rows[0].")).toContain("total");
    expect(labels("big", "nowhere.")).not.toContain("total");
  });

  it("knows the fields of inputs", () => {
    expect(labels("read", "inputs.")).toEqual(["user"]);
    expect(labels("read", "inputs.user.")).toEqual(expect.arrayContaining(["name", "home"]));
    expect(labels("read", "inputs.user.home.")).toContain("city");
  });

  it("knows functions: alone, of a namespace, and behind a value", () => {
    expect(labels("big", "ma")).toContain("math");
    expect(labels("big", "math.")).toContain("round(");
    expect(labels("big", "math.")).not.toContain("filter(");
    expect(labels("big", "read.rows.map(r, r.total).")).toContain("sum()");
    expect(labels("big", "read.rows.map(r, r.total).")).not.toContain("inputs");
  });

  it("offers the functions that the reference tells of, and no other", () => {
    const text = readFileSync(join(import.meta.dirname, "../../docs/reference/expressions.md"), "utf8");
    const told = text.slice(text.indexOf("## Fields, items"), text.indexOf("## Limits"));
    const known = [...FUNCTIONS, ...Object.values(METHODS).flat(), ...Object.entries(NAMESPACES).flatMap(([name, all]) => all.map((one) => `${name}.${one}`))].map((name) => name.replace(/\(\)?$/, ""));
    for (const name of known) expect(told).toMatch(new RegExp(`\\b${name.replace(".", "\\.")}\\b`));
    const written = [...told.matchAll(/`(?:[a-z]\.)?([A-Za-z_][\w.]*)\(/g)].map((m) => m[1]!);
    expect(written.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe("values as they are typed", () => {
  it("are bare where that is clear, and quoted where they would be read as something else", () => {
    expect(asTyped("hello there")).toBe("hello there");
    expect(asTyped("007")).toBe('"007"');
    expect(asTyped("true")).toBe('"true"');
    expect(asTyped("")).toBe('""');
    expect(asTyped("a: b")).toBe('"a: b"');
    expect(asTyped("${{ {'a': 1}.a }}")).toBe("${{ {'a': 1}.a }}");
    expect(fromTyped("${{ in")).toBe("${{ in");
    expect(fromTyped(" ")).toBeUndefined();
    expect(() => fromTyped("[1, ")).toThrow();
  });

  it("are the same when they are read again", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.jsonValue(), fc.constantFrom("0x1F", "1e3", "null", "~", ".inf", "- a", "# x", " lead", "trail ", "two\nlines", "'q'", '"q"', "*a", "&a", "!t", "%d", "@a", "`b", "a #b", "|", ">", "{", "[", "? a")), (value) => {
      // YAML knows no zero below zero.
      expect(JSON.stringify(fromTyped(asTyped(value)))).toBe(JSON.stringify(value));
    }));
  });
});

it("a name that is taken, or is none, is refused with the reason", () => {
  expect(whyNotName("high", ["low"], "route")).toBeNull();
  expect(whyNotName("high", ["high"], "route")).toContain("already a route 'high'");
  expect(whyNotName("to-do", [], "input")).toContain("letters, digits and _");
  expect(whyNotName("", [], "input")).toContain("needs a name");
});

it("a free id is like the one that is taken", () => {
  expect(freeId("report", ["report"])).toBe("report-2");
  expect(freeId("report-2", ["report", "report-2", "report-3"])).toBe("report-4");
});
