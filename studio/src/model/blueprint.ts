/** A blueprint as the studio sees it: derived from its text, and again whenever that changes. */
import { isMap, type Pair } from "yaml";
import { asWords } from "./schemas";
import { mention, rawNodes, type IsExpression, type Mention, type RawNode } from "./nodes";
import { applyEdits, hull, type Edit } from "./text";
import { keyOf, nodeAt, pairIn, pairsOf, plain, rangeOf, read } from "./yaml";

export interface Trouble {
  readonly message: string;
  readonly from: number;
  readonly to: number;
}

/** A node and all that is in it, as one stretch of the text. */
export interface Entry {
  readonly id: string;
  /** Start of the line of its key. */
  readonly from: number;
  /** Start of what follows it. */
  readonly to: number;
  readonly nodes: readonly RawNode[];
}

export interface NodeView extends RawNode {
  readonly place: readonly [number, number] | null;
}

export type EdgeKind = "data" | "order" | "route" | "error";

export interface EdgeView {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly kind: EdgeKind;
  /** Field of the output, route, or `error`; empty for all of it. */
  readonly fromPort: string;
  /** Parameter that takes it; empty when it is only waited for. */
  readonly toPort: string;
  readonly mention: Mention | null;
}

export interface InputView {
  readonly name: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly required: boolean;
}

/** Something written on the canvas; kept in `metadata.notes`. */
export interface Note {
  /** Where it stands in the list. */
  readonly index: number;
  readonly text: string;
  readonly at: readonly [number, number];
}

/** What is not in `nodes`. */
export interface Head {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly inputs: readonly InputView[];
  readonly variables: readonly string[];
  readonly secrets: readonly string[];
  readonly layout: Readonly<Record<string, readonly [number, number]>>;
  readonly notes: readonly Note[];
  readonly output: readonly Mention[];
}

export interface Model {
  readonly text: string;
  readonly head: Head;
  readonly entries: readonly Entry[];
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Paths of the nodes at the top, in the order of the text. */
  readonly top: readonly string[];
  readonly edges: readonly EdgeView[];
  /** What is wrong with the YAML; with any of it the rest is that of the last good text. */
  readonly troubles: readonly Trouble[];
}

const EMPTY_HEAD: Head = {
  id: "", name: "", version: "", description: "", inputs: [], variables: [], secrets: [],
  layout: {}, notes: [], output: [],
};

export const EMPTY: Model = {
  text: "", head: EMPTY_HEAD, entries: [], nodes: new Map(), top: [], edges: [], troubles: [],
};

/** Derive everything from a text. */
export function derive(text: string, isExpression: IsExpression, before: Model = EMPTY): Model {
  const doc = read(text);
  const troubles = doc.errors.map((e) => ({ message: e.message, from: e.pos[0], to: Math.max(e.pos[1], e.pos[0] + 1) }));
  const root = doc.contents;
  if (troubles.length === 0 && root !== null && !isMap(root)) {
    troubles.push({ message: "a blueprint is a map: `atomiton: 1`, `id: ...`, `nodes: ...`", from: 0, to: 1 });
  }
  if (troubles.length > 0) return { ...before, text, troubles };
  const entries = entriesOf(text, root, isExpression);
  return link(text, headOf(root, isExpression), entries, before);
}

function entriesOf(text: string, root: unknown, isExpression: IsExpression): Entry[] {
  const nodes = nodeAt(root, ["nodes"]);
  const pairs = pairsOf(nodes);
  const end = rangeOf(nodes)?.[1] ?? text.length;
  return pairs.map((pair, index) => {
    const start = lineOf(text, rangeOf(pair.key)![0]);
    const next = pairs[index + 1];
    const to = next === undefined ? end : lineOf(text, rangeOf(next.key)![0]);
    return { id: keyOf(pair), from: start, to: Math.max(start, to), nodes: rawNodes(pair, "", start, isExpression) };
  });
}

function lineOf(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function headOf(root: unknown, isExpression: IsExpression): Head {
  const words = (key: string): string => asWords(plain(pairIn(root, key)?.value));
  const layout: Record<string, readonly [number, number]> = {};
  for (const pair of pairsOf(pairIn(root, "layout")?.value)) {
    const place = plain(pair.value);
    if (isPlace(place)) layout[keyOf(pair)] = place;
  }
  const output: Mention[] = [];
  mention(pairIn(root, "output")?.value, ["output"], "", isExpression, output);
  const secrets = plain(pairIn(root, "secrets")?.value);
  const notes = plain(nodeAt(root, ["metadata", "notes"]));
  return {
    id: words("id"),
    name: words("name"),
    version: words("version"),
    description: words("description"),
    inputs: pairsOf(pairIn(root, "inputs")?.value).map(inputOf),
    variables: pairsOf(pairIn(root, "variables")?.value).map(keyOf),
    secrets: Array.isArray(secrets) ? secrets.filter((s): s is string => typeof s === "string") : [],
    layout,
    notes: Array.isArray(notes) ? notes.flatMap((note: unknown, index) => (isNote(note) ? [{ index, text: note.text, at: note.at }] : [])) : [],
    output,
  };
}

function isPlace(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((n) => typeof n === "number" && Number.isFinite(n));
}

function isNote(value: unknown): value is Omit<Note, "index"> {
  const note = value as Partial<Note> | null;
  return typeof note === "object" && note !== null && typeof note.text === "string" && isPlace(note.at);
}

function inputOf(pair: Pair): InputView {
  const value = plain(pair.value);
  const isSchema = typeof value === "object" && value !== null && !Array.isArray(value);
  const schema = typeof value === "string" ? { type: value } : isSchema ? (value as Record<string, unknown>) : {};
  return { name: keyOf(pair), schema, required: !("default" in schema) };
}

/** Make nodes and edges of entries; what is as it was stays the same object. */
function link(text: string, head: Head, entries: readonly Entry[], before: Model): Model {
  const nodes = new Map<string, NodeView>();
  for (const entry of entries) {
    for (const raw of entry.nodes) {
      const place = head.layout[raw.path] ?? null;
      nodes.set(raw.path, same(before.nodes.get(raw.path), { ...raw, place }));
    }
  }
  const known = new Map(before.edges.map((edge) => [edge.id, edge]));
  const edges: EdgeView[] = [];
  const seen = new Set<string>();
  for (const node of nodes.values()) {
    for (const edge of edgesInto(node, nodes)) {
      if (seen.has(edge.id)) continue;
      seen.add(edge.id);
      edges.push(same(known.get(edge.id), edge));
    }
  }
  const top = entries.map((entry) => entry.id);
  return { text, head: same(before.head, head), entries, nodes, top: same(before.top, top), edges, troubles: [] };
}

function same<T>(old: T | undefined, made: T): T {
  return old !== undefined && JSON.stringify(old) === JSON.stringify(made) ? old : made;
}

/** The node that a name means inside of a body, looking outwards. */
export function resolve(name: string, body: string, has: (path: string) => boolean): string | null {
  for (let scope = body; ; scope = scope.slice(0, Math.max(0, scope.lastIndexOf(".")))) {
    const path = scope === "" ? name : `${scope}.${name}`;
    if (has(path)) return path;
    if (scope === "") return null;
  }
}

function edgesInto(node: NodeView, nodes: ReadonlyMap<string, NodeView>): EdgeView[] {
  const has = (path: string): boolean => nodes.has(path);
  const found: EdgeView[] = [];
  for (const need of node.needs) {
    const [name = "", port = ""] = need.split(".");
    const source = resolve(name, node.parent, has);
    if (source === null || source === node.path) continue;
    const kind = port === "error" ? "error" : port === "" ? "order" : "route";
    found.push({ id: `${source}.${port}>${node.path}`, source, target: node.path, kind, fromPort: port, toPort: "", mention: null });
  }
  for (const made of node.mentions) {
    if (made.at[0] === "compensate") continue;
    const isStatus = made.root === "nodes";
    const name = isStatus ? (made.fields[0] ?? "") : made.root;
    if (isStatus && node.needs.some((need) => need.split(".")[0] === name)) continue;
    if (node.repeat !== null && name === node.repeat.as) continue;
    const source = resolve(name, node.parent, has);
    if (source === null || source === node.path || node.path.startsWith(`${source}.`)) continue;
    const toPort = made.at[0] === "with" && made.at.length > 1 ? String(made.at[1]) : String(made.at[0]);
    const fromPort = isStatus ? "" : (made.fields[0] ?? "");
    const id = `${source}:${fromPort}>${node.path}:${toPort}`;
    found.push({ id, source, target: node.path, kind: "data", fromPort, toPort, mention: made });
  }
  return found;
}

/** The model after edits; only the node that they are in is read anew where that is enough. */
export function update(model: Model, edits: readonly Edit[], isExpression: IsExpression): Model {
  const edit = hull(model.text, edits);
  if (edit === null) return model;
  const text = applyEdits(model.text, [edit]);
  return (model.troubles.length === 0 && within(model, edit, text, isExpression)) || derive(text, isExpression, model);
}

function within(model: Model, edit: Edit, text: string, isExpression: IsExpression): Model | null {
  const index = model.entries.findIndex((e) => edit.from > e.from && edit.to < e.to - 1);
  const entry = model.entries[index];
  if (entry === undefined) return null;
  const by = edit.insert.length - (edit.to - edit.from);
  const slice = text.slice(entry.from, entry.to + by);
  // Anything that could mean something beyond the node is not for this way.
  if (!slice.endsWith("\n") || /^(---|\.\.\.|%|\t)/m.test(slice) || /[&*!]/.test(slice) || /^\s*[?:]/.test(slice)) return null;
  // Comments at the end of all nodes are nobody's.
  if (index === model.entries.length - 1 && /(^|\n)[ \t]*(#[^\n]*)?\n$/.test(slice)) return null;
  const indent = /^( *)\S/.exec(slice)?.[1];
  const next = /^( *)/.exec(text.slice(entry.to + by))?.[1]?.length ?? 0;
  // A node that is moved in or out is another body's, or nobody's.
  if (indent !== /^( *)\S/.exec(model.text.slice(entry.from, entry.to))?.[1]) return null;
  if (indent === undefined || indent.length === 0 || next > indent.length) return null;
  // What follows says where a value that is left out ends.
  const sibling = next === indent.length ? `${indent}${entry.id}_: 0\n` : "";
  const doc = read(slice + sibling);
  const [pair, behind, beyond] = pairsOf(doc.contents);
  const more = sibling === "" ? behind : beyond;
  if (sibling !== "" && (behind === undefined || keyOf(behind) !== `${entry.id}_`)) return null;
  if (doc.errors.length > 0 || pair === undefined || more !== undefined || keyOf(pair) !== entry.id) return null;
  if (isFlowPart(doc.contents)) return null;
  const made: Entry = { id: entry.id, from: entry.from, to: entry.to + by, nodes: rawNodes(pair, "", 0, isExpression) };
  const after = model.entries.slice(index + 1).map((e) => ({ ...e, from: e.from + by, to: e.to + by }));
  return link(text, model.head, [...model.entries.slice(0, index), made, ...after], model);
}

function isFlowPart(node: unknown): boolean {
  return isMap(node) && node.flow === true;
}
