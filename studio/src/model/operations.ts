/** What people do on the canvas, as changes of the text. */
import { isMap, isScalar, isSeq, Scalar, visit } from "yaml";
import { resolve, type EdgeView, type Model, type NodeView } from "./blueprint";
import { holes, namesIn, reference } from "./expressions";
import { isBare, needsOf, type IsExpression } from "./nodes";
import type { KindOf } from "./forms";
import { applyEdits, type Edit } from "./text";
import {
  behindKey,
  columnOf,
  deleteIn,
  indented,
  inFlow,
  insertPair,
  keyOf,
  linesOf,
  nodeAt,
  pairIn,
  pairsOf,
  plain,
  rangeOf,
  read,
  renameKey,
  setIn,
  swapWithNext,
  type Key,
  type Path,
} from "./yaml";

export const RESERVED = new Set([
  "inputs", "vars", "secrets", "run", "nodes", "item", "index", "acc", "as", "break", "const", "continue",
  "else", "false", "for", "function", "if", "import", "in", "let", "loop", "namespace", "null", "package",
  "return", "true", "var", "void", "while",
]);

/** Where a node stands in the document: `a.b` is `["nodes", "a", "nodes", "b"]`. */
export function pathOf(node: string): string[] {
  return node === "" ? [] : node.split(".").flatMap((id) => ["nodes", id]);
}

/** Set a value anywhere; nodes are addressed by `pathOf`. */
export function setValue(model: Model, path: Path, value: unknown): Edit[] {
  const root = read(model.text).contents;
  if (root === null) return [{ from: 0, to: 0, insert: `${String(path[0])}:${behindKey(path.slice(1).reduceRight<unknown>((v, k) => ({ [k]: v }), value), 0)}\n` }];
  return setIn(model.text, root, path, value);
}

export function deleteValue(model: Model, path: Path): Edit[] {
  const root = read(model.text).contents;
  const keep = path[0] === "nodes" && path.length <= 2 && model.top.length === 1;
  if (keep) return setIn(model.text, root, ["nodes"], {});
  return deleteIn(model.text, root, path, path[path.length - 2] === "nodes");
}

/** Put another of several kinds in the place of the one that is there; a value that fits both stays. */
export function changeKind(model: Model, path: Path, from: string, to: KindOf, strangers: readonly string[], next: (now: Model, edits: readonly Edit[]) => Model): Edit[] {
  const kept = (value: unknown): boolean => typeof value === "string" && typeof to.sample === "string" && !["for", "until", "signal"].includes(to.key);
  const stays = path[path.length - 1] === "loop" && kept(plain(nodeAt(read(model.text).contents, [...path, from])));
  return inTurn(model, [
    ...strangers.map((key) => (now: Model) => deleteValue(now, [...path, key])),
    (now) => (stays ? [] : setValue(now, [...path, from], to.sample)),
    (now) => renameKey(read(now.text).contents, [...path, from], to.key),
  ], next);
}

/** Give a route another name, also where others wait for it. */
export function renameRoute(model: Model, path: string, from: string, to: string, next: (now: Model, edits: readonly Edit[]) => Model): Edit[] {
  const waits = model.edges.filter((edge) => edge.source === path && edge.fromPort === from && edge.mention === null).map((edge) => edge.target);
  const id = path.split(".").pop()!;
  return inTurn(model, [
    (now) => renameKey(read(now.text).contents, [...pathOf(path), "branch", from], to),
    ...waits.map((target) => (now: Model) => {
      const edits: Edit[] = [];
      visit(nodeAt(read(now.text).contents, [...pathOf(target), "needs"]) as never, {
        Scalar(_key, item) {
          if (item.value === `${id}.${from}` && item.range) edits.push({ from: item.range[0], to: item.range[1], insert: inFlow(`${id}.${to}`) });
        },
      });
      return edits;
    }),
  ], next);
}

/** Let an entry of a map and the one after it change places. */
export function moveDown(model: Model, path: Path): Edit[] {
  return swapWithNext(model.text, read(model.text).contents, path);
}

/** Do one thing after the other, as one change. */
export function inTurn(model: Model, steps: readonly ((now: Model) => readonly Edit[])[], next: (now: Model, edits: readonly Edit[]) => Model): Edit[] {
  let now = model;
  for (const step of steps) {
    const edits = step(now);
    if (edits.length > 0) now = next(now, edits);
  }
  if (now.text === model.text) return [];
  return minimal(model.text, now.text);
}

/** The lines that differ, as few edits: what is the same in between is left alone. */
export function minimal(before: string, after: string): Edit[] {
  const a = before.split(/(?<=\n)/);
  const b = after.split(/(?<=\n)/);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const from = a.slice(0, start).join("").length;
  const to = before.length - a.slice(a.length - end).join("").length;
  const insert = b.slice(start, b.length - end).join("");
  return from === to && insert === "" ? [] : [{ from, to, insert }];
}

/** An id that is free in a body, made of what it is to be called. */
export function freeId(model: Model, parent: string, wish: string): string {
  let base = wish.toLowerCase().replace(/[^a-z0-9_]+/g, "_").replace(/^[^a-z]+/, "").replace(/_+$/, "").slice(0, 56) || "node";
  if (RESERVED.has(base)) base = `${base}_node`;
  const prefix = parent === "" ? "" : `${parent}.`;
  const taken = (id: string): boolean => model.nodes.has(prefix + id) || resolve(id, parent, (p) => model.nodes.has(p)) !== null;
  if (!taken(base)) return base;
  let n = 2;
  while (taken(`${base}_${n}`)) n++;
  return `${base}_${n}`;
}

/** Why an id cannot be given to a node; null if it can. */
export function whyNotId(model: Model, parent: string, id: string): string | null {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(id)) return "an id is lower-case letters, digits and _, and begins with a letter";
  if (RESERVED.has(id)) return `'${id}' has a meaning of its own in expressions`;
  if (model.nodes.has(parent === "" ? id : `${parent}.${id}`)) return `there is a node '${id}' already`;
  return null;
}

/** Add a node to a body; `parent` is empty for the top. */
export function addNode(model: Model, parent: string, id: string, body: Readonly<Record<string, unknown>>): Edit[] {
  return addText(model, parent, `${id}:${behindKey(body, 0)}`);
}

/** Add entries, as lines at the left edge. */
export function addText(model: Model, parent: string, lines: string): Edit[] {
  const { text } = model;
  const root = read(text).contents;
  const owner = parent === "" ? root : nodeAt(root, pathOf(parent));
  const nodes = pairIn(owner, "nodes");
  const map = nodes?.value;
  if (isMap(map) && map.items.length > 0 && map.flow !== true) {
    const items = map.items;
    const column = columnOf(text, rangeOf(items[0]!.key)![0]);
    const [edit] = insertPair(text, map, "x", null);
    return [{ from: edit!.from, to: edit!.to, insert: `\n${indented(lines, column)}` }];
  }
  if (nodes === undefined) {
    const value = plain(read(lines).contents);
    return root === null
      ? [{ from: text.length, to: text.length, insert: `nodes:\n${indented(lines, 2)}\n` }]
      : setIn(text, root, [...pathOf(parent), "nodes"], value);
  }
  if (isMap(map) && map.items.length > 0) {
    const [pair] = pairsOf(read(lines).contents);
    return pair === undefined ? [] : setIn(text, map, [keyOf(pair)], plain(pair.value));
  }
  const column = columnOf(text, rangeOf(nodes.key)![0]);
  const colon = text.indexOf(":", rangeOf(nodes.key)![1]) + 1;
  const end = Math.max(colon, rangeOf(map)?.[1] ?? colon);
  return [{ from: colon, to: end, insert: `\n${indented(lines, column + 2)}` }];
}

export interface Refusal {
  readonly refused: string;
}

/** Remove nodes, what needs them only to wait, and parameters that are nothing but a reference to them. */
export function removeNodes(model: Model, paths: readonly string[], next: (now: Model, edits: readonly Edit[]) => Model): Edit[] {
  const gone = new Set(paths.filter((p) => !paths.some((q) => p.startsWith(`${q}.`))));
  const isGone = (path: string): boolean => gone.has(path) || [...gone].some((g) => path.startsWith(`${g}.`));
  const steps: ((now: Model) => readonly Edit[])[] = [];
  for (const edge of model.edges) {
    if (!isGone(edge.source) || isGone(edge.target)) continue;
    if (edge.mention === null || edge.mention.whole) steps.push((now) => removeEdge(now, edge));
  }
  for (const path of gone) steps.push((now) => deleteValue(now, pathOf(path)));
  for (const key of Object.keys(model.head.layout)) {
    if (isGone(key)) steps.push((now) => deleteValue(now, ["layout", key]));
  }
  return inTurn(model, steps, next);
}

function removeEdge(model: Model, edge: EdgeView): Edit[] {
  const made = disconnect(model, edge);
  return Array.isArray(made) ? made : [];
}

/** Take a line away: the need, or the parameter that is nothing but this reference. */
export function disconnect(model: Model, edge: EdgeView): Edit[] | Refusal {
  const node = model.nodes.get(edge.target);
  if (node === undefined) return { refused: "the node is not there any more" };
  if (edge.mention === null) {
    const id = edge.source.split(".").pop()!;
    const gone = edge.fromPort === "" ? id : `${id}.${edge.fromPort}`;
    return writeNeeds(model, node, node.needs.filter((need) => need !== gone));
  }
  if (!edge.mention.whole) return { refused: "this reference is a part of a longer expression: change it in the form or in the text" };
  if (edge.mention.at[0] !== "with") return { refused: `'${String(edge.mention.at[0])}' cannot be left out here: change it in the form` };
  return deleteValue(model, [...pathOf(edge.target), ...edge.mention.at]);
}

function writeNeeds(model: Model, node: NodeView, needs: readonly string[]): Edit[] {
  const path = [...pathOf(node.path), "needs"];
  const root = read(model.text).contents;
  const old = nodeAt(root, path);
  if (needs.length === 0) return deleteIn(model.text, root, path);
  if (isSeq(old)) {
    const before = needsOf(plain(old));
    const added = needs.filter((need) => !before.includes(need));
    const index = before.findIndex((need) => !needs.includes(need));
    if (added.length === 1 && index < 0) return setIn(model.text, root, [...path, before.length], added[0]);
    if (added.length === 0 && index >= 0) return deleteIn(model.text, root, [...path, index]);
  }
  if (old !== undefined) return setIn(model.text, root, path, needs.length === 1 && !isSeq(old) ? needs[0] : [...needs]);
  const owner = nodeAt(root, pathOf(node.path));
  if (isMap(owner) && owner.flow !== true && owner.items.length > 0) {
    const [first] = owner.items;
    const [edit] = insertPair(model.text, owner, "needs", null, keyOf(first!) === "nodes" ? undefined : keyOf(first!));
    const column = columnOf(model.text, rangeOf(first!.key)![0]);
    return [{ ...edit!, insert: `\n${" ".repeat(column)}needs: ${inFlow(needs)}` }];
  }
  return setIn(model.text, root, path, [...needs]);
}

/** Whether following the lines from one node leads to another. */
export function leadsTo(model: Model, from: string, to: string): boolean {
  const next = new Map<string, string[]>();
  for (const edge of model.edges) (next.get(edge.source) ?? next.set(edge.source, []).get(edge.source)!).push(edge.target);
  const seen = new Set<string>();
  const open = [from];
  while (open.length > 0) {
    const at = open.pop()!;
    if (at === to || at.startsWith(`${to}.`)) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    open.push(...(next.get(at) ?? []));
    const parent = at.slice(0, Math.max(0, at.lastIndexOf(".")));
    if (parent !== "") open.push(...(next.get(parent) ?? []));
  }
  return false;
}

/** Whether a node can see another by its name. */
export function sees(target: string, source: string): boolean {
  const body = source.slice(0, Math.max(0, source.lastIndexOf(".")));
  return body === "" || target.startsWith(`${body}.`);
}

/** Why a line from a node to another cannot be drawn; null if it can. Types are looked at elsewhere. */
export function whyNotConnect(model: Model, source: string, target: string): string | null {
  if (source === target) return "a node cannot wait for itself";
  if (!model.nodes.has(source) || !model.nodes.has(target)) return "there is no such node";
  if (!sees(target, source)) return `'${target}' cannot see into '${source.slice(0, source.lastIndexOf("."))}': give it an output, and connect that`;
  if (target.startsWith(`${source}.`)) return "a node inside of another cannot wait for it";
  if (leadsTo(model, target, source)) return "this would be a circle: a blueprint runs forward only, a loop repeats";
  return null;
}

/** Draw a line. `toPort` is a parameter, or empty to wait only; `fromPort` a field, a route or `error`. */
export function connect(model: Model, source: string, fromPort: string, target: string, toPort: string): Edit[] | Refusal {
  const refused = whyNotConnect(model, source, target);
  if (refused !== null) return { refused };
  const from = model.nodes.get(source)!;
  const to = model.nodes.get(target)!;
  const isOrder = toPort === "" || fromPort === "error" || from.routes.includes(fromPort);
  if (!isOrder) {
    const path = toPort === "map" ? ["map"] : ["with", toPort];
    return setValue(model, [...pathOf(target), ...path], reference(from.id, fromPort === "" ? [] : [fromPort]));
  }
  const need = fromPort === "" ? from.id : `${from.id}.${fromPort}`;
  if (fromPort !== "error" && !from.routes.includes(fromPort)) {
    return to.needs.includes(from.id) ? [] : writeNeeds(model, to, [...to.needs, from.id]);
  }
  return to.needs.includes(need) ? [] : writeNeeds(model, to, [...to.needs, need]);
}

/** Put nodes at places; only the lines of `layout` change. */
export function place(model: Model, places: ReadonlyMap<string, readonly [number, number]>, next: (now: Model, edits: readonly Edit[]) => Model): Edit[] {
  const entries = [...places].map(([path, at]) => [path, [Math.round(at[0]), Math.round(at[1])]] as const);
  const changed = entries.filter(([path, at]) => JSON.stringify(model.head.layout[path]) !== JSON.stringify(at));
  if (changed.length === 0) return [];
  const root = read(model.text).contents;
  const layout = nodeAt(root, ["layout"]);
  if (layout === undefined || layout === null || !isMap(layout) || layout.items.length === 0) {
    const lines = changed.map(([path, at]) => `  ${path}: [${at.join(", ")}]`).join("\n");
    if (layout !== undefined) return setIn(model.text, root, ["layout"], Object.fromEntries(changed));
    const gap = model.text === "" || model.text.endsWith("\n") ? "" : "\n";
    return [{ from: model.text.length, to: model.text.length, insert: `${gap}layout:\n${lines}\n` }];
  }
  return inTurn(model, changed.map(([path, at]) => (now: Model) => onePlace(now, path, at)), next);
}

/** Write something on the canvas. */
export function addNote(model: Model, text: string, at: readonly [number, number]): Edit[] {
  const note = { text, at: [Math.round(at[0]), Math.round(at[1])] };
  const old = nodeAt(read(model.text).contents, ["metadata", "notes"]);
  return isSeq(old) && old.items.length > 0 ? setValue(model, ["metadata", "notes", old.items.length], note) : setValue(model, ["metadata", "notes"], [note]);
}

/** Change what a note says; one that says nothing is taken away. */
export function writeNote(model: Model, index: number, text: string): Edit[] {
  return text.trim() === "" ? deleteValue(model, ["metadata", "notes", index]) : setValue(model, ["metadata", "notes", index, "text"], text);
}

export function moveNote(model: Model, index: number, at: readonly [number, number]): Edit[] {
  const place = [Math.round(at[0]), Math.round(at[1])];
  const note = model.head.notes.find((n) => n.index === index);
  return note === undefined || JSON.stringify(note.at) === JSON.stringify(place) ? [] : setValue(model, ["metadata", "notes", index, "at"], place);
}

/** Take notes away, the last first, so that the numbers of the others hold. */
export function removeNotes(model: Model, indexes: readonly number[], next: (now: Model, edits: readonly Edit[]) => Model): Edit[] {
  const steps = [...indexes].sort((a, b) => b - a).map((index) => (now: Model) => deleteValue(now, ["metadata", "notes", index]));
  return inTurn(model, steps, next);
}

function onePlace(model: Model, path: string, at: readonly number[]): Edit[] {
  const root = read(model.text).contents;
  const layout = nodeAt(root, ["layout"]);
  const old = pairIn(layout, path);
  const range = rangeOf(old?.value);
  const text = `[${at.join(", ")}]`;
  if (range !== null) return [{ from: range[0], to: range[1], insert: text }];
  if (isMap(layout) && layout.flow !== true) {
    const [edit] = insertPair(model.text, layout, path, null);
    const column = columnOf(model.text, rangeOf(layout.items[0]!.key)![0]);
    return [{ ...edit!, insert: `\n${" ".repeat(column)}${path}: ${text}` }];
  }
  return setIn(model.text, root, ["layout", path], at);
}

/** Nodes as YAML that can be pasted into this or another blueprint. */
export function copyNodes(model: Model, paths: readonly string[]): string {
  const root = read(model.text).contents;
  const chosen = paths.filter((p) => !paths.some((q) => p.startsWith(`${q}.`)));
  const lines = [...model.nodes.keys()].filter((p) => chosen.includes(p)).map((path) => {
    const at = pathOf(path);
    const owner = nodeAt(root, at.slice(0, -1));
    const pair = pairIn(owner, at[at.length - 1]!)!;
    if (isMap(owner) && owner.flow === true) return `${keyOf(pair)}:${behindKey(plain(pair.value), 0)}`;
    return linesOf(model.text, pair);
  });
  const layout = chosen.flatMap((path) => {
    const at = model.nodes.get(path)?.place;
    return at ? [`  ${path.split(".").pop()!}: [${at.join(", ")}]`] : [];
  });
  return `nodes:\n${indented(lines.join("\n"), 2)}\n${layout.length > 0 ? `layout:\n${layout.join("\n")}\n` : ""}`;
}

export interface Pasted {
  readonly edits: readonly Edit[];
  readonly paths: readonly string[];
}

/** Add nodes of a text that `copyNodes` made, or of a whole blueprint, under ids that are free. */
export function pasteNodes(
  model: Model,
  parent: string,
  text: string,
  derived: (text: string) => Model,
  next: (now: Model, edits: readonly Edit[]) => Model,
  isExpression: IsExpression,
): Pasted | Refusal {
  let source = derived(text);
  if (source.troubles.length > 0 || source.top.length === 0) return { refused: "the clipboard holds no nodes" };
  const ids: string[] = [];
  for (const id of [...source.top]) {
    const taken = new Set([...source.top, ...ids]);
    taken.delete(id);
    let free = freeId(model, parent, id);
    for (let n = 2; taken.has(free); n++) free = freeId(model, parent, `${id}_${n}`);
    if (free !== id) source = next(source, rename(source, id, free, isExpression));
    ids.push(free);
  }
  const root = read(source.text).contents;
  const flow = (nodeAt(root, ["nodes"]) as { flow?: boolean } | undefined)?.flow === true;
  const steps = pairsOf(nodeAt(root, ["nodes"])).map((pair) => (now: Model) =>
    addText(now, parent, flow ? `${keyOf(pair)}:${behindKey(plain(pair.value), 0)}` : linesOf(source.text, pair)));
  const prefix = parent === "" ? "" : `${parent}.`;
  const places = new Map(Object.entries(source.head.layout).map(([path, [x, y]]) => [prefix + path, [x + 40, y + 40] as const]));
  if (places.size > 0) steps.push((now) => place(now, places, next));
  return { edits: inTurn(model, steps, next), paths: ids.map((id) => prefix + id) };
}

/** Give a node another id, in every expression, need and place that names it. */
export function rename(model: Model, path: string, to: string, isExpression: IsExpression): Edit[] {
  const { text } = model;
  const root = read(text).contents;
  const parent = path.slice(0, Math.max(0, path.lastIndexOf(".")));
  const id = path.slice(parent === "" ? 0 : parent.length + 1);
  const edits: Edit[] = [];
  const own = pathOf(path);
  const key = pairIn(nodeAt(root, own.slice(0, -1)), own[own.length - 1]!);
  const range = rangeOf(key?.key);
  if (range === null) return [];
  edits.push({ from: range[0], to: range[1], insert: to });
  const has = (p: string): boolean => model.nodes.has(p);
  const means = (name: string, body: string): boolean => name === id && resolve(name, body, has) === path;
  for (const node of model.nodes.values()) {
    const value = nodeAt(root, pathOf(node.path));
    const uses = node.kind === "uses" ? node.type.replace(/@\d+$/, "") : "";
    for (const pair of pairsOf(value)) {
      const name = keyOf(pair);
      if (["nodes", "name", "description", "uses", "call", "as"].includes(name)) continue;
      const body = name === "output" ? node.path : node.parent;
      if (name === "needs") renameNeeds(pair.value, (n) => means(n, node.parent), to, edits);
      else renameIn(text, pair.value, [name], uses, isExpression, (n) => means(n, body) && n !== node.repeat?.as, to, edits);
    }
  }
  if (parent === "") {
    for (const name of ["output", "on"]) renameIn(text, pairIn(root, name)?.value, [name], "", isExpression, (n) => n === id, to, edits);
  }
  for (const pair of pairsOf(pairIn(root, "layout")?.value)) {
    const named = keyOf(pair);
    if (named !== path && !named.startsWith(`${path}.`)) continue;
    const [from, end] = rangeOf(pair.key)!;
    edits.push({ from, to: end, insert: (parent === "" ? to : `${parent}.${to}`) + named.slice(path.length) });
  }
  return edits;
}

function renameNeeds(node: unknown, means: (name: string) => boolean, to: string, out: Edit[]): void {
  visit(node as never, {
    Scalar(_key, item) {
      if (typeof item.value !== "string" || !item.range) return;
      const [name = "", ...rest] = item.value.split(".");
      if (means(name)) out.push({ from: item.range[0], to: item.range[1], insert: inFlow([to, ...rest].join(".")) });
    },
  });
}

function renameIn(
  text: string, node: unknown, at: readonly Key[], uses: string, isExpression: IsExpression,
  means: (name: string) => boolean, to: string, out: Edit[],
): void {
  if (isMap(node)) {
    for (const pair of node.items) renameIn(text, pair.value, [...at, keyOf(pair)], uses, isExpression, means, to, out);
  } else if (isSeq(node)) {
    node.items.forEach((item, i) => renameIn(text, item, [...at, i], uses, isExpression, means, to, out));
  } else if (isScalar(node) && typeof node.value === "string" && node.range) {
    const bare = isBare(at, uses, isExpression);
    const [from, end] = node.range;
    const raw = text.slice(from, end);
    const escaped = (node.type === Scalar.QUOTE_DOUBLE && raw.includes("\\")) || (node.type === Scalar.QUOTE_SINGLE && raw.slice(1, -1).includes("''"));
    if (!escaped) {
      for (const edit of renamesOf(raw, bare, means, to, node.type)) out.push({ from: from + edit.from, to: from + edit.to, insert: edit.insert });
      return;
    }
    const value = applyEdits(node.value, renamesOf(node.value, bare, means, to));
    if (value === node.value) return;
    const insert = node.type === Scalar.QUOTE_DOUBLE ? JSON.stringify(value) : `'${value.replaceAll("'", "''")}'`;
    out.push({ from, to: end, insert });
  }
}

function renamesOf(value: string, bare: boolean, means: (name: string) => boolean, to: string, type?: string): Edit[] {
  const found = holes(value);
  const quoted = type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE ? 1 : 0;
  const header = type === Scalar.BLOCK_FOLDED || type === Scalar.BLOCK_LITERAL ? value.indexOf("\n") + 1 : 0;
  const parts = found.length > 0 ? found : bare ? [{ from: quoted + header, to: value.length - quoted }] : [];
  return parts.flatMap((hole) => {
    const part = value.slice(hole.from, hole.to);
    return namesIn(part).flatMap((name) => {
      if (means(name.root)) return [{ from: hole.from + name.at, to: hole.from + name.at + name.root.length, insert: to }];
      if (name.root !== "nodes" || name.fields[0] === undefined || !means(name.fields[0])) return [];
      const at = hole.from + name.at + part.slice(name.at).indexOf(name.fields[0]);
      return [{ from: at, to: at + name.fields[0].length, insert: to }];
    });
  });
}
