/** Nodes and lines: adding, connecting, copying, renaming, removing. */
import type { EdgeView, Model } from "../model/blueprint";
import * as op from "../model/operations";
import { fitting, whyNot } from "../model/ports";
import type { NodeType, Types } from "../model/schemas";
import type { Edit } from "../model/text";
import { edit } from "./changing";
import { reveal, select } from "./looking";
import { get, isExpression, next, set } from "./state";
import { tell } from "./telling";

/** The body that new nodes go to: that of the selected container, or the one around what is selected. */
export function body(): string {
  const { selected, model } = get();
  const [one] = selected;
  const node = one === undefined ? undefined : model.nodes.get(one);
  if (node === undefined) return "";
  return node.kind === "group" ? node.path : node.parent;
}

export interface Adding {
  readonly title: string;
  readonly wish: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export function addingOf(type: NodeType): Adding {
  const given: Record<string, unknown> = {};
  for (const parameter of type.parameters) {
    if (!parameter.required) continue;
    given[parameter.name] = parameter.expression ? "true" : sample(parameter.schema);
  }
  const wish = type.name.split(".").pop()!;
  return { title: type.title, wish: type.name.startsWith("data.value") ? "value" : wish, body: { uses: type.name, ...(Object.keys(given).length > 0 ? { with: given } : {}) } };
}

function sample(schema: Readonly<Record<string, unknown>>): unknown {
  const { type } = schema;
  const [first] = (schema["enum"] as unknown[] | undefined) ?? [];
  if (first !== undefined) return first;
  if (type === "array") return [];
  if (type === "object") return {};
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  return type === "string" ? "" : null;
}

/** Add a node, and connect it behind what is selected where that makes sense. */
export function add(adding: Adding, at?: { readonly parent: string; readonly place: readonly [number, number] }): string | null {
  const { model, selected, types } = get();
  const parent = at?.parent ?? body();
  const [one] = selected;
  const behind = at === undefined && selected.size === 1 && one !== undefined && model.nodes.get(one)?.parent === parent ? one : null;
  const id = op.freeId(model, parent, adding.wish);
  const path = parent === "" ? id : `${parent}.${id}`;
  const steps: ((now: Model) => readonly Edit[])[] = [(now) => op.addNode(now, parent, id, adding.body)];
  if (at !== undefined) steps.push((now) => op.place(now, new Map([[path, at.place]]), next));
  if (behind !== null) {
    const from = model.nodes.get(behind)!;
    steps.push((now) => {
      const fit = replaceable(now, types, behind, path);
      const made = fit === null ? op.connect(now, behind, from.routes[0] ?? "", path, "") : op.connect(now, behind, fit.fromPort, path, fit.toPort);
      return "refused" in made ? [] : made;
    });
    if (at === undefined && from.place !== null) steps.push((now) => op.place(now, new Map([[path, [from.place![0] + 320, from.place![1]] as const]]), next));
  }
  if (!edit(op.inTurn(model, steps, next), `add ${adding.title}`)) return null;
  if (at === undefined) reveal(path);
  else select([path]);
  return path;
}

/** A parameter of a new node that could take an output: one that still has its sample. */
function replaceable(model: Model, types: Types, source: string, target: string): { fromPort: string; toPort: string } | null {
  const node = model.nodes.get(target)!;
  return fitting({ ...model, nodes: new Map(model.nodes).set(target, { ...node, parameters: [] }) }, types, source, target);
}

export function connectPorts(source: string, fromPort: string, target: string, toPort: string): void {
  const { model, types } = get();
  let [from, to] = [fromPort, toPort];
  if (to === "*") {
    const fit = from === "" ? fitting(model, types, source, target) : null;
    [from, to] = fit === null ? [from, ""] : [fit.fromPort, fit.toPort];
  }
  const reason = whyNot(model, types, source, from, target, to);
  if (reason !== null) return tell(reason, "bad");
  const what = to === "" ? `${target} now waits for ${source}` : `${target}.${to} takes ${source}${from === "" ? "" : `.${from}`}`;
  if (edit(op.connect(model, source, from, target, to), `connect ${source} to ${target}`)) tell(what);
}

export function removeSelected(): void {
  const { model, selected, edge, notes } = get();
  const line = model.edges.find((e) => e.id === edge);
  if (line !== undefined) return removeEdge(line);
  if (notes.size > 0) {
    edit(op.inTurn(model, [(now) => op.removeNotes(now, [...notes], next), (now) => op.removeNodes(now, [...selected], next)], next), notes.size === 1 ? "remove a note" : "remove notes");
    return set({ notes: new Set(), writing: null });
  }
  if (selected.size > 0) edit(op.removeNodes(model, [...selected], next), `remove ${[...selected].join(", ")}`);
}

export function removeEdge(line: EdgeView): void {
  edit(op.disconnect(get().model, line), `disconnect ${line.source} from ${line.target}`);
}

export function renameNode(path: string, to: string): void {
  const { model } = get();
  const node = model.nodes.get(path);
  if (node === undefined || node.id === to) return;
  const reason = op.whyNotId(model, node.parent, to);
  if (reason !== null) return tell(reason, "bad");
  const now = node.parent === "" ? to : `${node.parent}.${to}`;
  if (edit(op.rename(model, path, to, isExpression), `rename ${path} to ${to}`, { renamed: [path, now] })) select([now]);
}

export function toggleEnabled(): void {
  const { model, selected } = get();
  const steps = [...selected].map((path) => (now: Model) => {
    const at = [...op.pathOf(path), "enabled"];
    return now.nodes.get(path)?.enabled === false ? op.deleteValue(now, at) : op.setValue(now, at, false);
  });
  if (steps.length > 0) edit(op.inTurn(model, steps, next), "switch on or off");
}
