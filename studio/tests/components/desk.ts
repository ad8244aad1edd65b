/** What components are tested on: the real state, a blueprint that is open, and a server of which each answer is written down. */
import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import { startLog, takeIn, type RunEvent } from "../../src/model/runs";
import type { NodeType, ParameterInfo, Schema } from "../../src/model/schemas";
import type { RunView } from "../../src/app/api";
import { useRun } from "../../src/app/run";
import { openText } from "../../src/app/store";
import { get, set } from "../../src/app/state";

export interface Asked { readonly method: string; readonly path: string; readonly body: unknown }

/** What was asked of the server, in order. */
export const asked: Asked[] = [];
/** What it answers, by method and beginning of the path; nothing is refused. */
export const answers = new Map<string, unknown>();

beforeEach(() => {
  asked.length = 0;
  answers.clear();
  sessionStorage.clear();
  localStorage.clear();
  useRun.setState(useRun.getInitialState(), true);
  vi.stubGlobal("fetch", (address: string, init: RequestInit = {}) => {
    const path = address.replace("/api/v1", "");
    const method = init.method ?? "GET";
    const text = typeof init.body === "string" ? init.body : "";
    asked.push({ method, path, body: text === "" ? null : new Headers(init.headers).get("content-type") === "application/json" ? JSON.parse(text) : text });
    const answer = [...answers].find(([what]) => `${method} ${path}`.startsWith(what))?.[1] ?? (path === "/validate" ? { valid: true, problems: [] } : {});
    return Promise.resolve(new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } }));
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const parameter = (name: string, schema: Schema, more: Partial<ParameterInfo> = {}): ParameterInfo => ({ name, schema, required: false, default: undefined, expression: false, variadic: false, description: "", ...more });
const type = (name: string, title: string, parameters: ParameterInfo[], result: Schema = {}, description = ""): NodeType => ({ name, version: 1, title, description, category: name.split(".")[0]!, effect: "pure", timeout: null, parameters, result, example: "", details: "", icon: "", deprecated: "" });

/** Node types with a parameter of each kind. */
export const TYPES: readonly NodeType[] = [
  type("data.value", "Value", [parameter("value", {}, { required: true })], {}, "Give a value."),
  type("data.filter", "Filter", [parameter("items", { type: "array" }, { required: true }), parameter("where", { type: "boolean" }, { expression: true, required: true })], { type: "object", properties: { items: { type: "array" }, count: { type: "integer" } } }, "Keep what fits."),
  type("own.all", "All kinds", [
    parameter("text", { type: "string" }, { required: true, description: "Any words" }), parameter("number", { type: "number", minimum: 1 }, { default: 3 }), parameter("flag", { type: "boolean" }),
    parameter("choice", { enum: ["red", "green"] }), parameter("list", { type: "array" }),
  ]),
  type("own.<b>bad</b>", "<img src=x onerror=alert(1)>", [], {}, "<script>alert(2)</script>"),
];

/** Open a text as its owner. */
export function open(text: string, selected: readonly string[] = []): void {
  set({ info: { role: "owner" } as never, types: new Map(TYPES.map((one) => [one.name, one])), toasts: [], dialog: null, problems: [] });
  openText(text);
  set({ selected: new Set(selected) });
}

export const textNow = (): string => get().model.text;
export const told = (): string[] => get().toasts.map((toast) => toast.text);

/** Look at a run that these facts tell of: kind, node, seconds from its beginning, and what else is known. */
export function look(facts: readonly (readonly [string, string | null, number, Record<string, unknown>?])[], view: Partial<RunView> = {}): void {
  const events = facts.map(([kind, node, time, fact], n): RunEvent => ({ number: n + 1, kind, node, fact: { ...fact, time: 1000 + time } }));
  const log = startLog();
  takeIn(log, events);
  const whole: RunView = { run: "run_1", blueprint: "desk", status: "completed", output: null, error: null, reason: null, duration_ms: 1000, nodes: {}, compensation: {}, forked_from: null, ...view };
  useRun.setState({ run: "run_1", blueprint: "desk", view: whole, log, events, version: 1, connection: "ended", tallies: log.tallies });
}
