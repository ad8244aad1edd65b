/** What may be written where: from the JSON Schema, at places of a text that is half written. */
import { describe, expect, it } from "vitest";
import { keysAt, wordsAt } from "../src/model/format";
import { placeOf, type TextPlace } from "../src/model/place";

const at = (marked: string): TextPlace | null => placeOf(marked.replace("|", ""), marked.indexOf("|"));
const keys = (path: readonly (string | number)[]): string[] => keysAt(path).map((k) => k.key);

describe("keys of the format", () => {
  it("are those of the schema, also deep inside", () => {
    expect(keys([])).toEqual(expect.arrayContaining(["atomiton", "triggers", "compensate_on", "durability", "layout"]));
    expect(keys(["nodes", "a"])).toEqual(expect.arrayContaining(["uses", "cache", "weight", "runtime", "race", "mode", "deadline"]));
    expect(keys(["nodes", "g", "nodes", "b", "retry"])).toEqual(["attempts", "delay", "factor", "max_delay", "jitter", "on", "not_on"]);
    expect(keys(["nodes", "a", "wait", "approval"])).toEqual(["title", "description", "fields"]);
    expect(keys(["nodes", "a", "wait", "approval", "fields", "amount"])).toEqual(expect.arrayContaining(["type", "minimum", "enum"]));
    expect(keys(["nodes", "a", "compensate"])).toContain("when_failed");
    expect(keys(["nodes", "a", "compensate"])).not.toContain("compensate");
    expect(keys(["triggers", 0])).toEqual(["webhook", "schedule", "event", "watch"]);
    expect(keys(["triggers", 1, "schedule"])).toEqual(["cron", "timezone", "overlap", "catch_up"]);
    expect(keys(["nodes", "a", "cache"])).toEqual(["ttl", "key"]);
    expect(keys(["nodes"])).toEqual([]);
    expect(keys(["nowhere", "at", "all"])).toEqual([]);
  });

  it("say what they are for, and whether a block follows", () => {
    const retry = keysAt(["nodes", "a"]).find((k) => k.key === "retry")!;
    expect(retry).toEqual({ key: "retry", about: "When a failed attempt is tried again.", block: true });
    expect(keysAt(["nodes", "a"]).find((k) => k.key === "timeout")!.block).toBe(false);
    expect(keysAt(["nodes", "a"]).find((k) => k.key === "join")!.block).toBe(false);
  });

  it("have the words that they may have", () => {
    expect(wordsAt(["nodes", "a", "mode"])).toEqual(["first", "all"]);
    expect(wordsAt(["nodes", "a", "runtime"])).toEqual(["inline", "thread", "process"]);
    expect(wordsAt(["nodes", "a", "race"])).toEqual(["true", "false"]);
    expect(wordsAt(["nodes", "a", "join"])).toEqual(["all", "any", "first", "settled"]);
    expect(wordsAt(["nodes", "a", "on_error"])).toEqual(["continue"]);
    expect(wordsAt(["triggers", 0, "webhook", "method"])).toContain("PATCH");
    expect(wordsAt(["nodes", "a", "timeout"])).toEqual([]);
    expect(wordsAt(["inputs", "x"])).toContain("date-time");
  });
});

describe("the place of a cursor", () => {
  it("is told by indentation", () => {
    expect(at("atomiton: 1\n|")).toMatchObject({ path: [], key: null, word: "", taken: ["atomiton"] });
    expect(at("nodes:\n  a:\n    uses: x\n    re|\n    timeout: 1s\nid: b\n")).toMatchObject({ path: ["nodes", "a"], word: "re", taken: ["uses", "timeout"] });
    expect(at("nodes:\n  g:\n    nodes:\n      b:\n        retry:\n          |")).toMatchObject({ path: ["nodes", "g", "nodes", "b", "retry"] });
    expect(at("nodes:\n  a:\n    mode: f|")).toMatchObject({ path: ["nodes", "a"], key: "mode", word: "f" });
    expect(at("nodes:\n  a:\n    uses: data.value # no| thing")).toBeNull();
    expect(at("nodes:\n  a:\n    retry:\n      attempts: 3\n\n  # more\n  b:\n    |")).toMatchObject({ path: ["nodes", "b"], taken: [] });
  });

  it("counts the entries of lists, where they are indented and where they are not", () => {
    expect(at("triggers:\n  - webhook: {path: a}\n  - schedule:\n      cr|")).toMatchObject({ path: ["triggers", 1, "schedule"], word: "cr" });
    expect(at("triggers:\n- event:\n    type: a\n- w|")).toMatchObject({ path: ["triggers", 1], word: "w" });
    expect(at("triggers:\n- event:\n    ty|")).toMatchObject({ path: ["triggers", 0, "event"] });
    expect(at("metadata:\n  tags:\n    - a\n    - - b: |")).toMatchObject({ path: ["metadata", "tags", 1, 0], key: "b" });
  });

  it("is found between braces too", () => {
    expect(at("nodes:\n  a:\n    retry: {attempts: 3, de|")).toMatchObject({ path: ["nodes", "a", "retry"], key: null, word: "de", taken: ["attempts"], flow: true });
    expect(at("nodes:\n  a: {uses: data.value, with: {value: 1}, ru|")).toMatchObject({ path: ["nodes", "a"], word: "ru", taken: ["uses", "with"] });
    expect(at("nodes:\n  a: {branch: {x: 'a, {b'}, mode: |")).toMatchObject({ path: ["nodes", "a"], key: "mode", word: "" });
    expect(at("triggers:\n  - webhook: {path: orders, |}")).toMatchObject({ path: ["triggers", 0, "webhook"], taken: ["path"] });
    expect(at("triggers: [{webhook: {path: a}}, {schedule: {|")).toMatchObject({ path: ["triggers", 1, "schedule"] });
    expect(at("nodes:\n  a:\n    with: {value: \"${{ {'a': 1} }}\", |")).toMatchObject({ path: ["nodes", "a", "with"] });
  });
});
