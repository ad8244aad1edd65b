/** What can be written inside of an expression, at a place in it. */
import { resolve, type Model } from "./blueprint";
import { outputOf } from "./ports";
import { asWords, fieldsOf, shortType, type Types } from "./schemas";

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

/** Offers for the text before the cursor of an expression of a node; data are those of the last run. */
export function offers(model: Model, types: Types, path: string, before: string, data: (node: string) => unknown): Offers {
  const chain = /([A-Za-z_][\w.[\]]*)?$/.exec(before)?.[0] ?? "";
  const parts = chain.split(".");
  const last = parts.pop() ?? "";
  const from = before.length - last.length;
  return { from, items: parts.length === 0 ? names(model, types, path) : fields(model, types, path, parts, data) };
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

function fields(model: Model, types: Types, path: string, parts: readonly string[], data: (node: string) => unknown): Offer[] {
  const [root = "", ...rest] = parts;
  const simple = (list: readonly string[], detail: string): Offer[] => list.map((label) => ({ label, detail, info: "" }));
  if (root === "run") return rest.length === 0 ? simple(RUN, "run") : [];
  if (root === "vars") return rest.length === 0 ? simple(model.head.variables, "constant") : [];
  if (root === "secrets") return rest.length === 0 ? simple(model.head.secrets, "secret") : [];
  if (root === "inputs" && rest.length === 0) {
    return model.head.inputs.map((i) => ({ label: i.name, detail: shortType(i.schema), info: asWords(i.schema["description"]) }));
  }
  if (root === "nodes") return rest.length === 0 ? simple([...model.nodes.values()].map((n) => n.id), "node") : simple(STATUS, "status");
  const node = resolve(root, model.nodes.get(path)?.parent ?? "", (p) => model.nodes.has(p));
  if (node === null) return [];
  const found = new Map<string, Offer>();
  if (rest.length === 0) {
    for (const [label, schema] of Object.entries(fieldsOf(outputOf(model.nodes.get(node)!, types)))) {
      found.set(label, { label, detail: shortType(schema), info: asWords(schema["description"]) });
    }
  }
  for (const [label, value] of Object.entries(valueAt(data(node), rest) ?? {})) {
    if (!found.has(label) && /^[A-Za-z_]\w*$/.test(label)) found.set(label, { label, detail: preview(value), info: "Seen in the last run." });
  }
  return [...found.values()];
}

function valueAt(value: unknown, path: readonly string[]): Record<string, unknown> | null {
  let at = value;
  for (const part of path) {
    const [name = "", ...indexes] = part.split(/[[\]]+/).filter((p) => p !== "");
    at = (at as Record<string, unknown> | null | undefined)?.[name];
    for (const index of indexes) at = (at as Record<string, unknown> | null | undefined)?.[index];
  }
  return typeof at === "object" && at !== null && !Array.isArray(at) ? (at as Record<string, unknown>) : null;
}

export function preview(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
