/** What can be written inside of an expression, at a place in it. */
import { resolve, type Model } from "./blueprint";
import { wholeExpression } from "./expressions";
import { FUNCTIONS, METHODS, NAMESPACES } from "./functions";
import { outputOf } from "./ports";
import { asWords, fieldsOf, shortType, type Schema, type Types } from "./schemas";

export interface Offer {
  readonly label: string;
  readonly detail: string;
  readonly info: string;
}

export interface Offers {
  /** Where what is offered begins. */
  readonly from: number;
  readonly items: readonly Offer[];
}

const RUN = ["id", "blueprint", "version", "started_at"];
const STATUS = ["status", "attempts", "error", "duration_ms"];

/** What of the last run a node gave. */
type Data = (node: string) => unknown;

interface Place {
  readonly model: Model;
  readonly types: Types;
  /** The node whose expression it is. */
  readonly path: string;
  readonly data: Data;
  /** A text that gives the list whose items it is about. */
  readonly over?: string | undefined;
  /** What is before the cursor. */
  readonly before: string;
}

/** Offers for the text before the cursor of an expression of a node; data are those of the last run. */
export function offers(model: Model, types: Types, path: string, before: string, data: Data, over?: string): Offers {
  const place: Place = { model, types, path, data, over, before };
  const chain = /([A-Za-z_][\w.[\]]*)?$/.exec(before)?.[0] ?? "";
  const parts = chain.split(".");
  const last = parts.pop() ?? "";
  const from = before.length - last.length;
  // Behind a bracket, such as that of a call: a value of which no more is known.
  if (parts.length === 0 && before[from - 1] === "." && /[)\]"'}]$/.test(before.slice(0, from - 1))) return { from, items: methods() };
  return { from, items: parts.length === 0 ? [...names(model, types, path), ...globals()] : [...fields(place, parts), ...behind(parts)] };
}

const named = (labels: readonly string[], detail: string, info: string): Offer[] => labels.map((label) => ({ label, detail, info }));

function methods(): Offer[] {
  return Object.entries(METHODS).flatMap(([about, labels]) => named(labels, about, "A function of the expression language."));
}

function globals(): Offer[] {
  return [...named(FUNCTIONS, "function", "A function of the expression language."), ...named(Object.keys(NAMESPACES), "functions", "Functions of the expression language.")];
}

/** Functions that can be written behind a chain of names. */
function behind(parts: readonly string[]): Offer[] {
  const [root = ""] = parts;
  if (parts.length === 1 && ["run", "vars", "secrets", "inputs", "nodes", ...Object.keys(NAMESPACES)].includes(root)) return [];
  return methods();
}

function names(model: Model, types: Types, path: string): Offer[] {
  const node = model.nodes.get(path);
  const body = node?.parent ?? "";
  const found: Offer[] = [];
  if (node?.repeat?.kind === "map") found.push({ label: node.repeat.as, detail: "item", info: "The item of this turn." });
  for (let scope = body; scope !== ""; scope = scope.slice(0, Math.max(0, scope.lastIndexOf(".")))) {
    const around = model.nodes.get(scope)?.repeat;
    if (around) found.push({ label: around.as, detail: "item", info: `The item of '${scope}'.` });
  }
  const uses = node?.kind === "uses" ? node.type : "";
  if (uses.startsWith("data.") && !found.some((f) => f.label === "item")) found.push({ label: "item", detail: "item", info: "The item that is looked at." });
  if (node?.repeat) found.push({ label: "index", detail: "integer", info: "Number of the turn, from 0." });
  if (node?.repeat?.kind === "loop") found.push({ label: "acc", detail: "any", info: "What the turn before gave." });
  for (const other of model.nodes.values()) {
    if (other.path === path || path.startsWith(`${other.path}.`)) continue;
    if (resolve(other.id, body, (p) => model.nodes.has(p)) !== other.path) continue;
    found.push({ label: other.id, detail: shortType(outputOf(other, types)), info: other.name || other.type });
  }
  for (const [label, info] of [["inputs", "What the run was given."], ["vars", "Constants of the blueprint."], ["secrets", "Secrets, by name."], ["run", "The run itself."], ["nodes", "How nodes fared."]] as const) {
    found.push({ label, detail: "object", info });
  }
  return found;
}

function fields(place: Place, parts: readonly string[]): Offer[] {
  const { model } = place;
  const [root = "", ...rest] = parts;
  if (root === "run") return rest.length === 0 ? named(RUN, "run", "") : [];
  if (root === "vars") return rest.length === 0 ? named(model.head.variables, "constant", "") : [];
  if (root === "secrets") return rest.length === 0 ? named(model.head.secrets, "secret", "") : [];
  if (root === "inputs" && rest.length === 0) {
    return model.head.inputs.map((i) => ({ label: i.name, detail: shortType(i.schema), info: asWords(i.schema["description"]) }));
  }
  if (root === "nodes") return rest.length === 0 ? named([...model.nodes.values()].map((n) => n.id), "node", "") : named(STATUS, "status", "");
  if (rest.length === 0 && root in NAMESPACES) return named(NAMESPACES[root]!, "function", "");
  const known = knownOf(place, parts, 0);
  const found = new Map<string, Offer>();
  for (const [label, schema] of Object.entries(fieldsOf(known.schema))) {
    found.set(label, { label, detail: shortType(schema), info: asWords(schema["description"]) });
  }
  for (const [label, value] of isRecord(known.value) ? Object.entries(known.value) : []) {
    if (!found.has(label) && /^[A-Za-z_]\w*$/.test(label)) found.set(label, { label, detail: preview(value), info: "Seen in the last run." });
  }
  return [...found.values()];
}

/** What is known of a value: how it must be, and how it was. */
interface Known {
  readonly schema: Schema;
  readonly value: unknown;
}

const NOTHING: Known = { schema: {}, value: undefined };
/** Names that stand for parts of what other names stand for are followed this far. */
const DEEPEST = 8;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** What is known of a chain of names such as `read.rows[0].total`. */
function knownOf(place: Place, parts: readonly string[], depth: number): Known {
  const steps = parts.flatMap((part) => part.split(/[[\]]+/).filter((p) => p !== ""));
  const [root = "", ...rest] = steps;
  if (depth > DEEPEST || root === "") return NOTHING;
  const { model, types, path, data } = place;
  const item = listFor(place, root);
  if (item !== null) return rest.reduce(into, first(knownOfText(place, item.text, depth + 1, item.scope)));
  if (root === "inputs") {
    const input = model.head.inputs.find((i) => i.name === rest[0]);
    return input === undefined ? NOTHING : rest.slice(1).reduce(into, { schema: input.schema, value: input.schema["default"] });
  }
  const node = resolve(root, model.nodes.get(path)?.parent ?? "", (p) => model.nodes.has(p));
  return node === null ? NOTHING : rest.reduce(into, { schema: outputOf(model.nodes.get(node)!, types), value: data(node) });
}

function into({ schema, value }: Known, step: string): Known {
  const inner = /^\d+$/.test(step) ? (schema["items"] as Schema | undefined) : fieldsOf(schema)[step];
  return { schema: inner ?? {}, value: (value as Record<string, unknown> | null | undefined)?.[step] };
}

const first = (list: Known): Known => into(list, "0");

/** What is known of a list, from the text that gives it: names, or the list itself. */
function knownOfText(place: Place, text: string, depth: number, scope: string | null): Known {
  const inner = (wholeExpression(text) ?? text).trim();
  const from = scope === null ? place : { ...place, path: scope, over: undefined, before: "" };
  if (/^[A-Za-z_][\w.[\]]*$/.test(inner)) return knownOf(from, inner.split("."), depth);
  try {
    return { schema: {}, value: JSON.parse(inner) as unknown };
  } catch {
    return NOTHING;
  }
}

/** The text that gives the list of which a name is one item, and the node that it is a text of; null where it is no item. */
function listFor({ model, path, over, before }: Place, name: string): { text: string; scope: string | null } | null {
  const macro = [...before.matchAll(/([A-Za-z_][\w.[\]]*)\.(?:map|filter|all|exists|exists_one|sortBy)\(\s*([A-Za-z_]\w*)\s*,/g)].filter((m) => m[2] === name).pop();
  if (macro !== undefined && macro[1] !== name) return { text: macro[1]!, scope: null };
  for (let scope = path; scope !== ""; scope = scope.slice(0, Math.max(0, scope.lastIndexOf(".")))) {
    const repeat = model.nodes.get(scope)?.repeat;
    if (repeat?.kind === "map" && repeat.as === name) return { text: repeat.text, scope };
    if (scope === path && name === "item" && over !== undefined) return { text: over, scope: null };
  }
  return null;
}

export function preview(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
