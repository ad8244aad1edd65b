/** The table of forms, and what they do to the text. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { derive, update, type Model } from "../src/model/blueprint";
import { codesOf, durationOf, fieldsOfForm, FORMS, kindOf, SCHEDULES, strangersTo, TRIGGERS, type Form, type FormName } from "../src/model/forms";
import { keysAt, schemasAt } from "../src/model/format";
import { changeKind, moveDown, renameRoute, setValue } from "../src/model/operations";
import { applyEdits, type Edit } from "../src/model/text";

const bare = (): boolean => false;
const next = (now: Model, edits: readonly Edit[]): Model => update(now, edits, bare);
const after = (text: string, doing: (model: Model) => readonly Edit[]): string => applyEdits(text, doing(derive(text, bare)));
const NAMES = Object.keys(FORMS) as FormName[];
const controls = (name: FormName, kind: string | null = null): Record<string, string> => Object.fromEntries(fieldsOfForm(name, kind).map((f) => [f.name, f.control]));

describe("the table of forms", () => {
  it("knows no key that the format has not, and says of each what it is for", () => {
    for (const name of NAMES) {
      const form: Form = FORMS[name];
      for (const row of form.rows) {
        expect(schemasAt([...form.schema, ...row.key.split(".")]), `${name}.${row.key}`).not.toEqual([]);
      }
      for (const kind of [null, ...(form.kinds?.of ?? []).map((k) => k.key)]) {
        for (const field of fieldsOfForm(name, kind)) expect(field.hint, `${name}.${field.name}`).not.toBe("");
      }
      for (const { key } of form.kinds?.of ?? []) expect(form.rows.map((row) => row.key.split(".")[0])).toContain(key);
    }
  });

  it("leaves out no key of what it is a form of", () => {
    const whole: FormName[] = ["retry", "loop", "wait", "webhook", "schedule", "event", "watch"];
    for (const name of whole) {
      const form: Form = FORMS[name];
      const has = new Set(form.rows.map((row) => row.key.split(".")[0]));
      expect(keysAt(form.schema).map((k) => k.key).filter((key) => !has.has(key)), name).toEqual([]);
    }
    expect(TRIGGERS.map((t) => t.key).sort()).toEqual(keysAt(["triggers", 0]).map((k) => k.key).sort());
    expect(fieldsOfForm("wait", "approval").map((f) => f.at.join("."))).toEqual(["approval.title", "approval.description", "approval.fields", "timeout"]);
  });

  it("asks for each value as its schema has it", () => {
    expect(controls("retry")).toEqual({ attempts: "number", delay: "duration", factor: "number", max_delay: "duration", jitter: "number", on: "codes", not_on: "codes" });
    expect(controls("loop", "until")).toEqual({ until: "condition", start: "data", max: "number", delay: "duration" });
    expect(controls("wait", "signal")).toEqual({ signal: "text", match: "condition", timeout: "duration" });
    expect(controls("webhook")).toMatchObject({ method: "choice", respond: "choice", secret: "text" });
    expect(controls("place")).toEqual({ runtime: "choice", weight: "number" });
    expect(controls("compensation")).toMatchObject({ when_failed: "boolean" });
  });

  it("knows which kind a value is, and what does not belong to it", () => {
    expect(kindOf("wait", { signal: "go", timeout: "1h" })).toBe("signal");
    expect(kindOf("loop", "times")).toBeNull();
    expect(strangersTo("wait", "for").sort()).toEqual(["match", "timeout"]);
    expect(strangersTo("wait", "approval")).toEqual(["match"]);
    expect(strangersTo("loop", "times")).toEqual([]);
  });

  it("offers schedules of five fields", () => {
    for (const [cron] of SCHEDULES) expect(cron.split(" ")).toHaveLength(5);
  });
});

it("durations and codes are read as one types them", () => {
  expect(durationOf(" 10s ")).toBe("10s");
  expect(durationOf("1.5")).toBe(1.5);
  expect(durationOf("PT1M")).toBe("PT1M");
  expect(durationOf("")).toBeUndefined();
  expect(codesOf("timeout, HTTP_STATUS,", undefined)).toEqual(["TIMEOUT", "HTTP_STATUS"]);
  expect(codesOf("TIMEOUT", "IO_ERROR")).toBe("TIMEOUT");
  expect(codesOf(" , ", ["A"])).toBeUndefined();
});

const LOOP = `nodes:
  # asks again
  ask:
    loop: {until: acc.status == 200, max: 20}  # not for ever
    uses: data.value
  stop:
    wait:
      signal: paid   # by the shop
      match: payload.amount > 5
      timeout: 1h
    uses: x
`;

describe("another kind", () => {
  const change = (name: "loop" | "wait", path: string, from: string, to: string): string => {
    const form: Form = FORMS[name];
    return after(LOOP, (m) => changeKind(m, ["nodes", path, name], from, form.kinds!.of.find((k) => k.key === to)!, strangersTo(name, to), next));
  };

  it("keeps a condition, the other keys and comments", () => {
    expect(change("loop", "ask", "until", "while")).toBe(LOOP.replace("until:", "while:"));
    expect(change("loop", "ask", "until", "times")).toBe(LOOP.replace("until: acc.status == 200", "times: 3"));
  });

  it("takes away what does not belong to it", () => {
    expect(change("wait", "stop", "signal", "for")).toBe(LOOP.replace("signal: paid   # by the shop\n      match: payload.amount > 5\n      timeout: 1h\n", "for: 10s   # by the shop\n"));
    expect(change("wait", "stop", "signal", "approval")).toContain("      approval:\n        title: May this go on?");
  });
});

const BRANCH = `nodes:
  route:
    branch:
      # the most
      high: score > 80   # or so
      low: else
    mode: first
  a: {uses: x, needs: [route.high, other]}
  b: {uses: x, needs: route.high}
  c: {uses: x, needs: "route.low"}
  other: {uses: x}
`;

describe("routes", () => {
  it("get another name wherever they are waited for, and nothing else changes", () => {
    expect(after(BRANCH, (m) => renameRoute(m, "route", "high", "top", next))).toBe(BRANCH.replaceAll("route.high", "route.top").replace("high: score", "top: score"));
    expect(after(BRANCH, (m) => renameRoute(m, "route", "low", "rest", next))).toBe(BRANCH.replace('"route.low"', "route.rest").replace("low: else", "rest: else"));
  });

  it("change places, with their comments; twice is as before", () => {
    const swapped = BRANCH.replace("      # the most\n      high: score > 80   # or so\n      low: else\n", "      low: else\n      # the most\n      high: score > 80   # or so\n");
    expect(after(BRANCH, (m) => moveDown(m, ["nodes", "route", "branch", "high"]))).toBe(swapped);
    expect(after(swapped, (m) => moveDown(m, ["nodes", "route", "branch", "low"]))).toBe(BRANCH);
    const flow = "nodes:\n  r: {branch: {a: 'x > 1', b: else}}\n";
    expect(after(flow, (m) => moveDown(m, ["nodes", "r", "branch", "a"]))).toBe("nodes:\n  r: {branch: {b: else, a: 'x > 1'}}\n");
    expect(after(flow, (m) => moveDown(m, ["nodes", "r", "branch", "b"]))).toBe(flow);
  });
});

it("a trigger is added behind the others, and every other byte stays", () => {
  const text = "id: a\ntriggers:\n- webhook: {path: 'x'} # first\n\nnodes:\n  a: {uses: x}\n";
  expect(after(text, (m) => setValue(m, ["triggers", 1], { schedule: { cron: "0 7 * * *" } }))).toBe(text.replace("# first\n", "# first\n- schedule:\n    cron: 0 7 * * *\n"));
  expect(after("id: a\nnodes:\n  a: {uses: x}\n", (m) => setValue(m, ["triggers"], [{ event: { type: "x" } }]))).toBe("id: a\nnodes:\n  a: {uses: x}\ntriggers:\n  - event:\n      type: x\n");
});

it("the page of the format names every kind of trigger that there is a form of", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/reference/format.md"), "utf8");
  for (const { key } of TRIGGERS) expect(page).toContain(`| \`${key}\` |`);
});
