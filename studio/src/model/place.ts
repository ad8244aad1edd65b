/** Where in a document a place of its text is: by indentation, since half a text is no YAML yet. */
import type { Key } from "./yaml";

export interface TextPlace {
  /** The map or list that the cursor is in. */
  readonly path: readonly Key[];
  /** The key whose value the cursor stands behind; null where a key is to be written. */
  readonly key: string | null;
  /** What is typed already of the word at the cursor. */
  readonly word: string;
  /** Keys that the same map has already. */
  readonly taken: readonly string[];
  /** Between braces, where everything is on one line. */
  readonly flow: boolean;
}

const KEY = /^(?:"([^"]*)"|'([^']*)'|([^\s#"'[\]{},&*!|>%@`][^:#,{}[\]]*?))\s*:(?=\s|$)/;

interface Line {
  /** The column of each entry that begins in this line: those of lists, then a key. */
  readonly entries: readonly { readonly column: number; readonly key: string | null }[];
  readonly indent: number;
  readonly blank: boolean;
}

function lineOf(text: string): Line {
  const indent = /^ */.exec(text)![0].length;
  let rest = text.slice(indent);
  let column = indent;
  const entries: { column: number; key: string | null }[] = [];
  for (let dash = /^-(?:\s+|$)/.exec(rest); dash !== null; dash = /^-(?:\s+|$)/.exec(rest)) {
    entries.push({ column, key: null });
    column += dash[0].length;
    rest = rest.slice(dash[0].length);
  }
  const key = KEY.exec(rest);
  if (key !== null) entries.push({ column, key: (key[1] ?? key[2] ?? key[3]!).trim() });
  return { entries, indent, blank: rest === "" ? entries.length === 0 : rest.startsWith("#") };
}

/** The place of an offset; null inside of comments. */
export function placeOf(text: string, at: number): TextPlace | null {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const before = text.slice(start, at);
  if (/(^|\s)#/.test(before.replace(/"[^"]*"|'[^']*'/g, ""))) return null;
  const lines = text.slice(0, start).split("\n").slice(0, -1);
  const own = lineOf(before);
  const flow = flowOf(before);
  if (flow !== null) return { ...flow, path: [...around(lines, own), ...flow.path], flow: true };
  const last = own.entries[own.entries.length - 1];
  if (last?.key != null) {
    const word = before.slice(before.indexOf(":", last.column) + 1).trimStart();
    return { path: around(lines, own).slice(0, -1), key: last.key, word, taken: [], flow: false };
  }
  const word = /[\w.-]*$/.exec(before)![0];
  const column = before.length - word.length;
  const path = around(lines, { entries: [...own.entries, { column, key: "" }], indent: own.indent, blank: false }).slice(0, -1);
  return { path, key: null, word, taken: siblings(text, start, column, own.entries.length > 0), flow: false };
}

/** The keys and numbers that lead to the last entry of a line, looking upwards. */
function around(lines: readonly string[], own: Line): Key[] {
  const found: Key[] = [];
  let least = Infinity;
  const take = (entry: { column: number; key: string | null }, index: number): void => {
    found.unshift(entry.key ?? countBefore(lines, index, entry.column));
    least = entry.column;
  };
  for (const entry of [...own.entries].reverse()) take(entry, lines.length);
  let below = own.entries[0] ?? null;
  if (below === null) least = own.indent;
  for (let i = lines.length - 1; i >= 0 && least >= 0; i--) {
    const line = lineOf(lines[i]!);
    if (line.blank) continue;
    for (const entry of [...line.entries].reverse()) {
      // A list may stand in the column of the key that it belongs to.
      const holds = entry.column < least || (entry.column === least && below?.key === null && entry.key !== null);
      if (!holds) continue;
      take(entry, i);
      below = entry;
    }
    if (least === 0 && below?.key !== null) break;
  }
  return found;
}

/** How many entries of the same list stand above a line. */
function countBefore(lines: readonly string[], index: number, column: number): number {
  let count = 0;
  for (let i = index - 1; i >= 0; i--) {
    const line = lineOf(lines[i]!);
    if (line.blank || line.indent > column) continue;
    if (line.indent < column || line.entries[0]?.key !== null) break;
    count++;
  }
  return count;
}

/** The keys that stand beside a place, in its map. */
function siblings(text: string, start: number, column: number, first: boolean): string[] {
  const lines = text.split("\n");
  const here = text.slice(0, start).split("\n").length - 1;
  const found: string[] = [];
  const look = (by: number): void => {
    for (let i = here + by; i >= 0 && i < lines.length; i += by) {
      const line = lineOf(lines[i]!);
      if (line.blank) continue;
      const entry = line.entries.find((e) => e.column === column && e.key !== null);
      if (entry !== undefined) found.push(entry.key!);
      if (line.indent < column) return;
    }
  };
  if (!first) look(-1);
  look(1);
  return found;
}

/** Where a place between braces is, in the line up to it; null where no brace is open. */
function flowOf(before: string): Omit<TextPlace, "flow"> | null {
  interface Open { keys: string[]; key: string | null; count: number; list: boolean; from: number }
  const stack: Open[] = [];
  let quote = "";
  for (let i = 0; i < before.length; i++) {
    const c = before[i]!;
    const top = stack[stack.length - 1];
    if (quote !== "") { if (c === quote) quote = ""; continue; }
    if (before.startsWith("${{", i)) {
      const end = before.indexOf("}}", i);
      if (end < 0) return null;
      i = end + 1;
    } else if ((c === '"' || c === "'") && /[\s,:[{]/.test(before[i - 1] ?? " ")) quote = c;
    else if (c === "{" || c === "[") {
      if (top !== undefined || /[:\s-]\s*$|^\s*$/.test(before.slice(0, i))) stack.push({ keys: [], key: null, count: 0, list: c === "[", from: i + 1 });
    } else if ((c === "}" || c === "]") && top !== undefined) stack.pop();
    else if (c === "," && top !== undefined) { top.key = null; top.count++; top.from = i + 1; }
    else if (c === ":" && top !== undefined && !top.list && top.key === null && /\s|$/.test(before[i + 1] ?? " ")) {
      top.key = before.slice(top.from, i).trim().replace(/^["']|["']$/g, "");
      top.keys.push(top.key);
      top.from = i + 1;
    }
  }
  const inner = stack[stack.length - 1];
  if (inner === undefined) return null;
  const path = stack.slice(0, -1).map((open) => (open.list ? open.count : open.key ?? ""));
  const word = before.slice(inner.from).trimStart();
  if (inner.list) return { path, key: null, word: "", taken: [] };
  return { path, key: inner.key, word, taken: inner.keys };
}
