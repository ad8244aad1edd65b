/** Reading YAML, and changing a text by the smallest edit that does it. */
import {
  Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseDocument,
  Scalar,
  visit,
  YAMLMap,
  YAMLParseError,
  YAMLSeq,
  type Node,
  type Pair,
} from "yaml";
import type { Edit } from "./text";

export type Key = string | number;
export type Path = readonly Key[];
type Parsed = Document.Parsed;

/** The texts that were read last: a change and the forms ask for the same one again and again. */
const known: { readonly text: string; readonly doc: Parsed }[] = [];
const KNOWN = 3;

/** Read a text; what is given is for all who ask, and is not to be changed. */
export function read(text: string): Parsed {
  const found = known.find((k) => k.text === text);
  if (found !== undefined) return found.doc;
  // Whether keys stand there once the library would look up by comparing each with each.
  const doc = parseDocument(text, { version: "1.2", schema: "core", merge: false, strict: true, uniqueKeys: false, logLevel: "silent", prettyErrors: false });
  for (const key of repeated(doc.contents)) {
    doc.errors.push(new YAMLParseError(rangeOf(key) ?? [0, 1], "DUPLICATE_KEY", `the key '${String((key as Scalar).value)}' stands there already`));
  }
  known.unshift({ text, doc });
  known.length = Math.min(known.length, KNOWN);
  return doc;
}

/** Keys that stand in a map for the second time. */
function repeated(node: unknown): unknown[] {
  if (isSeq(node)) return node.items.flatMap(repeated);
  if (!isMap(node)) return [];
  const seen = new Set<unknown>();
  return node.items.flatMap((pair) => {
    const name = isScalar(pair.key) ? pair.key.value : pair.key;
    const again = seen.has(name) ? [pair.key] : [];
    seen.add(name);
    return [...again, ...repeated(pair.value)];
  });
}

export function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : "";
}

export function pairsOf(node: unknown): Pair[] {
  return isMap(node) ? node.items : [];
}

export function pairIn(node: unknown, key: Key): Pair | undefined {
  return pairsOf(node).find((pair) => keyOf(pair) === String(key));
}

export function nodeAt(root: unknown, path: Path): unknown {
  let at: unknown = root;
  for (const key of path) {
    if (isMap(at)) at = pairIn(at, key)?.value;
    else if (isSeq(at) && typeof key === "number") at = at.items[key];
    else return undefined;
    if (at === undefined) return undefined;
  }
  return at;
}

export function plain(node: unknown): unknown {
  if (isScalar(node)) return node.value;
  if (isMap(node)) return Object.fromEntries(node.items.map((pair) => [keyOf(pair), plain(pair.value)]));
  if (isSeq(node)) return node.items.map(plain);
  return null;
}

export function rangeOf(node: unknown): [number, number] | null {
  const range = (node as Node | null | undefined)?.range;
  return range ? [range[0], range[1]] : null;
}

/** A value as it stands inside `[...]` or `{...}`: on one line. */
export function inFlow(value: unknown): string {
  const doc = new Document([value], { version: "1.2" });
  visit(doc, {
    Collection(_key, node) {
      node.flow = true;
    },
    Scalar(_key, node) {
      if (typeof node.value === "string" && node.value.includes("\n")) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  const text = doc.toString({ lineWidth: 0, flowCollectionPadding: false }).trim();
  return text.slice(1, -1);
}

/** Most numbers of a list that stand on one line, as places do. */
const SHORT = 6;

/** A value as it stands behind `key:` of a block, with what separates it: ` 1` or a block below. */
export function behindKey(value: unknown, indent: number, quote?: Scalar.Type): string {
  if (value === null || typeof value !== "object") return ` ${scalar(value, indent, quote)}`;
  if (Object.keys(value).length === 0) return Array.isArray(value) ? " []" : " {}";
  const doc = new Document(value, { version: "1.2" });
  visit(doc, { Seq(_key, node) { if (node.items.length <= SHORT && node.items.every((item) => isScalar(item) && typeof item.value === "number")) node.flow = true; } });
  if (isSeq(doc.contents) && doc.contents.flow === true) return ` ${inFlow(value)}`;
  const text = doc.toString({ lineWidth: 0, indentSeq: true, flowCollectionPadding: false }).trimEnd();
  return `\n${indented(text, indent + 2)}`;
}

function scalar(value: unknown, indent: number, quote?: Scalar.Type): string {
  const made = new Scalar(value);
  if (typeof value === "string") {
    if (quote === Scalar.QUOTE_DOUBLE || quote === Scalar.QUOTE_SINGLE) made.type = quote;
    if (value.includes("\n")) made.type = Scalar.BLOCK_LITERAL;
  }
  const text = new Document(made, { version: "1.2" }).toString({ lineWidth: 0 }).replace(/\n$/, "");
  const [first = "", ...rest] = text.split("\n");
  if (rest.length === 0) return first;
  const pad = " ".repeat(indent + 2);
  return [first, ...rest.map((line) => (line === "" ? "" : pad + line.replace(/^ {2}/, "")))].join("\n");
}

export function indented(text: string, by: number): string {
  const pad = " ".repeat(by);
  return text.split("\n").map((line) => (line === "" ? "" : pad + line)).join("\n");
}

function keyText(key: string): string {
  return inFlow(key);
}

export function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf("\n", at - 1) + 1);
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function isFlow(node: unknown): boolean {
  return isCollection(node) && node.flow === true;
}

/** Where what belongs to a node ends: blank lines and comments behind it do not. */
function trimmedEnd(text: string, from: number, to: number): number {
  return from + text.slice(from, to).trimEnd().length;
}

function endOfPair(text: string, pair: Pair): number {
  const key = rangeOf(pair.key)!;
  const value = rangeOf(pair.value);
  const colon = colonOf(text, pair);
  return value === null || value[1] <= colon ? colon : endOfNode(text, pair.value) || trimmedEnd(text, key[0], value[1]);
}

/** The end of the last thing in a node; that of a block collection in the tree may lie further. */
function endOfNode(text: string, node: unknown): number {
  if (isFlow(node) || !isCollection(node)) {
    const range = rangeOf(node);
    return range === null ? 0 : trimmedEnd(text, range[0], range[1]);
  }
  const last = node.items[node.items.length - 1];
  if (last === undefined) return rangeOf(node)![1];
  return isPair(last) ? endOfPair(text, last) : endOfNode(text, last);
}

function colonOf(text: string, pair: Pair): number {
  const colon = text.indexOf(":", rangeOf(pair.key)![1]);
  return colon + 1;
}

/** Set what stands at a path, making the maps that lead there. */
export function setIn(text: string, root: unknown, path: Path, value: unknown): Edit[] {
  for (let length = path.length; length > 0; length--) {
    const parent = nodeAt(root, path.slice(0, length - 1));
    const key = path[length - 1]!;
    const whole = path.slice(length).reduceRight<unknown>((inner, k) => ({ [k]: inner }), value);
    if (isMap(parent)) {
      const pair = pairIn(parent, key);
      if (pair === undefined) return insertPair(text, parent, String(key), whole);
      if (length === path.length || !isCollection(pair.value)) return replace(text, parent, pair, whole);
    } else if (isSeq(parent) && typeof key === "number") {
      const item = parent.items[key];
      if (item === undefined) return appendItem(text, parent, whole);
      if (length === path.length || !isCollection(item)) return replaceItem(text, parent, item, whole);
    }
  }
  return [];
}

function replace(text: string, map: YAMLMap, pair: Pair, value: unknown): Edit[] {
  const range = rangeOf(pair.value);
  const colon = colonOf(text, pair);
  const old = pair.value;
  const simple = value === null || typeof value !== "object";
  const indent = columnOf(text, rangeOf(pair.key)![0]);
  if (isFlow(map)) {
    const [from, to] = range !== null && range[1] > range[0] ? range : [colon, colon];
    return [{ from, to, insert: (from === colon ? " " : "") + flowText(old, value) }];
  }
  if (range === null || range[1] <= colon || range[1] === range[0]) {
    return [{ from: colon, to: colon, insert: behindKey(value, indent) }];
  }
  const to = endOfNode(text, old);
  if (simple && isScalar(old) && !isBlock(old) && !(typeof value === "string" && value.includes("\n"))) {
    const made = behindKey(value, indent, quoteFor(old, value)).slice(1);
    return [{ from: range[0], to: range[1], insert: made }];
  }
  if (isFlow(old) && !simple) return [{ from: range[0], to, insert: inFlow(value) }];
  return [{ from: colon, to, insert: behindKey(value, indent) }];
}

function isBlock(node: Scalar): boolean {
  return node.type === Scalar.BLOCK_FOLDED || node.type === Scalar.BLOCK_LITERAL;
}

const isPlain = (value: unknown): boolean => !/^["']/.test(inFlow(value));

/** The quotes of the value before, where its author chose them; those that it only needed go with it, as `""` does. */
function quoteFor(old: Scalar, value: unknown): Scalar.Type | undefined {
  return isPlain(old.value) || !isPlain(value) ? old.type : undefined;
}

function flowText(old: unknown, value: unknown): string {
  if (typeof value === "string" && isScalar(old) && quoteFor(old, value) === Scalar.QUOTE_DOUBLE) return JSON.stringify(value);
  return inFlow(value);
}

function replaceItem(text: string, seq: YAMLSeq, item: unknown, value: unknown): Edit[] {
  const range = rangeOf(item);
  if (range === null) return [];
  const insert = isFlow(seq) ? flowText(item, value) : itemText(value, columnOf(text, range[0]));
  return [{ from: range[0], to: endOfNode(text, item), insert }];
}

function itemText(value: unknown, indent: number): string {
  if (value === null || typeof value !== "object" || Object.keys(value).length === 0) {
    return behindKey(value, Math.max(0, indent - 2)).trimStart();
  }
  return behindKey(value, indent - 2).slice(1).trimStart();
}

function appendItem(text: string, seq: YAMLSeq, value: unknown): Edit[] {
  const last = seq.items[seq.items.length - 1];
  if (isFlow(seq) || last === undefined) {
    return [flowInsertion(text, seq, last === undefined ? 0 : rangeOf(last)![1], inFlow(value))];
  }
  const start = rangeOf(last)![0];
  const dash = text.lastIndexOf("-", start - 1);
  const column = columnOf(text, dash);
  const at = endOfLine(text, endOfNode(text, last));
  return [{ from: at, to: at, insert: `\n${" ".repeat(column)}- ${itemText(value, column + 2)}` }];
}

function flowInsertion(text: string, node: YAMLMap | YAMLSeq, end: number, made: string): Edit {
  const [from, to] = rangeOf(node)!;
  if (node.items.length === 0) {
    return { from: from + 1, to: to - 1, insert: made };
  }
  const comma = text.slice(end, to - 1).indexOf(",");
  if (comma >= 0) return { from: end + comma + 1, to: end + comma + 1, insert: ` ${made}` };
  return { from: end, to: end, insert: `, ${made}` };
}

/** Add a key to a map, at its end or behind another key. */
export function insertPair(text: string, map: YAMLMap, key: string, value: unknown, behind?: string): Edit[] {
  const items = map.items;
  const last = items[items.length - 1];
  if (isFlow(map) || last === undefined) {
    const made = `${keyText(key)}: ${inFlow(value)}`;
    if (last === undefined && !isFlow(map)) return [];
    return [flowInsertion(text, map, last === undefined ? 0 : endOfPair(text, last), made)];
  }
  const indent = columnOf(text, rangeOf(items[0]!.key)![0]);
  const before = (behind === undefined ? undefined : items.find((pair) => keyOf(pair) === behind)) ?? last;
  const at = endOfLine(text, endOfPair(text, before));
  return [{ from: at, to: at, insert: `\n${" ".repeat(indent)}${keyText(key)}:${behindKey(value, indent)}` }];
}

/** Give a key of a map another name, where it stands; its value stays as it is. */
export function renameKey(root: unknown, path: Path, to: string): Edit[] {
  const pair = pairIn(nodeAt(root, path.slice(0, -1)), path[path.length - 1]!);
  const range = rangeOf(pair?.key);
  return range === null ? [] : [{ from: range[0], to: range[1], insert: keyText(to) }];
}

/** Let an entry of a map and the one after it change places, each with the comments that belong to it. */
export function swapWithNext(text: string, root: unknown, path: Path): Edit[] {
  const parent = nodeAt(root, path.slice(0, -1));
  if (!isMap(parent)) return [];
  const index = parent.items.findIndex((pair) => keyOf(pair) === String(path[path.length - 1]));
  const [one, other] = [parent.items[index], parent.items[index + 1]];
  if (one === undefined || other === undefined) return [];
  const [a, b] = [reach(text, parent, one), reach(text, parent, other)];
  return [{ from: a[0], to: b[1], insert: text.slice(...b) + text.slice(a[1], b[0]) + text.slice(...a) }];
}

/** From where to where an entry of a map stands: in a block with the comments right above it and behind it. */
function reach(text: string, map: YAMLMap, pair: Pair): [number, number] {
  const [from, to] = [startOf(pair), endOfPair(text, pair)];
  if (isFlow(map)) return [from, to];
  const column = columnOf(text, from);
  let start = from;
  while (text.slice(start - column, start).trim() === "") {
    const above = text.lastIndexOf("\n", start - column - 2) + 1;
    if (start - column < 2 || !text.startsWith(`${" ".repeat(column)}#`, above)) break;
    start = above + column;
  }
  return [start, endOfLine(text, to)];
}

/** Take away what stands at a path; a map or list that is left empty goes as well. */
export function deleteIn(text: string, root: unknown, path: Path, comments = false): Edit[] {
  const parent = nodeAt(root, path.slice(0, -1));
  const key = path[path.length - 1]!;
  if (!isCollection(parent)) return [];
  const items = parent.items as unknown[];
  const index = isMap(parent) ? items.findIndex((pair) => keyOf(pair as Pair) === String(key)) : Number(key);
  const item = items[index];
  if (item === undefined) return [];
  if (items.length === 1) {
    if (path.length > 1) return deleteIn(text, root, path.slice(0, -1), comments);
    return removeLines(text, startOf(item), endOf(text, item), comments);
  }
  if (isFlow(parent)) {
    const next = items[index + 1];
    if (next !== undefined) return [{ from: startOf(item), to: startOf(next), insert: "" }];
    return [{ from: endOf(text, items[index - 1]), to: endOf(text, item), insert: "" }];
  }
  let from = startOf(item);
  if (isSeq(parent)) from = text.lastIndexOf("-", from - 1);
  const next = items[index + 1];
  if (isMap(parent) && text.slice(text.lastIndexOf("\n", from - 1) + 1, from).trim() !== "" && next !== undefined) {
    return [{ from, to: startOf(next), insert: "" }];
  }
  return removeLines(text, from, endOf(text, item), comments);
}

function startOf(item: unknown): number {
  return rangeOf(isPair(item) ? item.key : item)![0];
}

function endOf(text: string, item: unknown): number {
  return isPair(item) ? endOfPair(text, item) : endOfNode(text, item);
}

function removeLines(text: string, from: number, to: number, comments: boolean): Edit[] {
  let start = text.lastIndexOf("\n", from - 1) + 1;
  const column = from - start;
  while (comments && start > 0) {
    const above = text.lastIndexOf("\n", start - 2) + 1;
    const line = text.slice(above, start - 1);
    if (!line.startsWith(`${" ".repeat(column)}#`)) break;
    start = above;
  }
  let end = endOfLine(text, to);
  if (end < text.length) end++;
  else if (start > 0) start--;
  return [{ from: start, to: end, insert: "" }];
}

/** The lines of an entry of a block map, with the comments right above it, moved to the left edge. */
export function linesOf(text: string, pair: Pair): string {
  const from = startOf(pair);
  let start = text.lastIndexOf("\n", from - 1) + 1;
  const column = from - start;
  for (;;) {
    const above = start < 2 ? -1 : text.lastIndexOf("\n", start - 2) + 1;
    if (above < 0 || !text.slice(above, start - 1).startsWith(`${" ".repeat(column)}#`)) break;
    start = above;
  }
  const lines = text.slice(start, endOfLine(text, endOfPair(text, pair))).split("\n");
  return lines.map((line) => (line.slice(0, column).trim() === "" ? line.slice(column) : line)).join("\n");
}
