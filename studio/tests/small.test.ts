/** Small things that are looked up: times, what is needed, names, what follows a rename. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { derive } from "../src/model/blueprint";
import { change, redo, startHistory, undo } from "../src/model/history";
import { whyNotBlueprintId } from "../src/model/names";
import { neededBy } from "../src/model/needed";
import { idFrom, periodOf } from "../src/model/period";

describe("a time of runs", () => {
  it("is told by ids, which begin with the moment", () => {
    expect(idFrom(0x019aa4c7b3d2 / 1000)).toBe("run_0019aa4c7b3d20000000000000");
    expect(idFrom(1_795_305_600)).toHaveLength("run_019aa4c7b3d2f04c1f6a1f9bd1".length);
    expect(idFrom(1000) < idFrom(1000.001)).toBe(true);
  });

  it("is the last hours and days, a day, or any", () => {
    expect(periodOf("hour", 10_000)).toEqual({ since: 6400, before: "" });
    expect(periodOf("", 10_000)).toEqual({ since: null, before: "" });
    expect(periodOf("on", 10_000)).toEqual({ since: null, before: "" });
    const { since, before } = periodOf("2026-11-22", 0);
    expect(since).toBe(new Date(2026, 10, 22).getTime() / 1000);
    expect(before).toBe(idFrom(new Date(2026, 10, 23).getTime() / 1000));
  });
});

describe("what a template needs", () => {
  const needed = (text: string): string[] => neededBy(derive(text, () => false));
  it("is told in words, with what undoes nodes and what stands in groups", () => {
    expect(needed("nodes:\n  a: {uses: data.value}\n")).toEqual([]);
    expect(needed("secrets: [KEY]\nnodes:\n  g:\n    nodes:\n      a: {uses: llm.chat}\n")).toEqual(["a language model", "the secret KEY"]);
    expect(needed("nodes:\n  a: {uses: data.value, compensate: {uses: http.request}}\n")).toEqual(["a web service"]);
  });

  it("is told of each template of the house that has a request or a secret", () => {
    const folder = join(import.meta.dirname, "../../src/atomiton/templates");
    const files = readdirSync(folder, { recursive: true }).map(String).filter((name) => name.endsWith(".yaml"));
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const text = readFileSync(join(folder, file), "utf8");
      expect(needed(text).length > 0, file).toBe(/uses: (http|webhook|mail|s3|sftp|llm)\.|^secrets:/m.test(text));
    }
  });
});

it("ids of blueprints are refused with the reason", () => {
  expect(whyNotBlueprintId("a-1")).toBeNull();
  expect(whyNotBlueprintId("reports/daily")).toContain("no '/'");
  expect(whyNotBlueprintId("Big")).toContain("small letters");
  expect(whyNotBlueprintId("")).toContain("needs an id");
  expect(whyNotBlueprintId("a".repeat(65))).toContain("at most 64");
});

it("undo and redo tell which way a rename goes", () => {
  const begun = change(startHistory("a"), [{ from: 0, to: 1, insert: "b" }], { label: "rename", renamed: ["a", "b"] });
  const back = undo(begun)!;
  expect(back.renamed).toEqual(["b", "a"]);
  expect(redo(back.history)!.renamed).toEqual(["a", "b"]);
  expect(undo(change(begun, [{ from: 0, to: 1, insert: "c" }], { label: "x" }))!.renamed).toBeNull();
});
