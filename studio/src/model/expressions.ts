/** Finding what expressions refer to, without evaluating anything. */

export interface Name {
  /** The first name, such as `read` in `read.rows[0].id`. */
  readonly root: string;
  /** The fields behind it that are names. */
  readonly fields: readonly string[];
  /** Where the root stands in the scanned text. */
  readonly at: number;
  /** Where the whole chain ends. */
  readonly end: number;
}

export interface Hole {
  /** Start of the expression, behind `${{`. */
  readonly from: number;
  /** End of the expression, before `}}`. */
  readonly to: number;
}

const MACROS = new Set([
  "all", "exists", "exists_one", "map", "filter", "transformList", "transformMap", "transformMapEntry",
  "existsOne", "sortBy", "fold", "optMap", "optFlatMap", "bind",
]);
const KEYWORDS = new Set(["true", "false", "null", "in", "as", "else"]);
const START = /[A-Za-z_]/;
const PART = /[A-Za-z0-9_]/;

/** The `${{ ... }}` of a text; `$${{` is a text and no expression. */
export function holes(text: string): Hole[] {
  const found: Hole[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf("${{", at);
    if (open < 0) return found;
    if (open > 0 && text[open - 1] === "$") {
      at = open + 3;
      continue;
    }
    const close = endOfHole(text, open + 3);
    if (close < 0) return found;
    found.push({ from: open + 3, to: close });
    at = close + 2;
  }
}

function endOfHole(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"' || c === "'") i = endOfString(text, i) - 1;
    else if (c === "{") depth++;
    else if (c === "}") {
      if (depth > 0) depth--;
      else if (text[i + 1] === "}") return i;
    }
  }
  return -1;
}

function endOfString(text: string, at: number): number {
  const quote = text[at]!;
  if (text.startsWith(quote.repeat(3), at)) {
    const end = text.indexOf(quote.repeat(3), at + 3);
    return end < 0 ? text.length : end + 3;
  }
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote) return i + 1;
  }
  return text.length;
}

/** The names that an expression uses from outside of it. */
export function namesIn(expression: string): Name[] {
  const found: Name[] = [];
  const bound: { name: string; depth: number }[] = [];
  let depth = 0;
  let i = 0;
  let afterDot = false;
  while (i < expression.length) {
    const c = expression[i]!;
    if (c === '"' || c === "'") {
      i = endOfString(expression, i);
      afterDot = false;
    } else if (START.test(c)) {
      const at = i;
      i = word(expression, i);
      const name = expression.slice(at, i);
      if ((expression[i] === '"' || expression[i] === "'") && /^[rRbB]{1,2}$/.test(name)) continue;
      const next = skip(expression, i);
      const called = expression[next] === "(";
      if (called && afterDot && MACROS.has(name)) bind(expression, next + 1, depth + 1, bound);
      const isField = expression[next] === ":" && isKey(expression, at);
      if (!afterDot && !called && !KEYWORDS.has(name) && !bound.some((b) => b.name === name) && !isField) {
        const chain = fieldsFrom(expression, i);
        found.push({ root: name, fields: chain.fields, at, end: chain.end });
        i = chain.end;
      }
      afterDot = false;
    } else if (/[0-9]/.test(c)) {
      while (i < expression.length && /[0-9A-Za-z_.]/.test(expression[i]!)) i++;
      afterDot = false;
    } else {
      if (c === "(") depth++;
      if (c === ")") {
        while (bound.length > 0 && bound[bound.length - 1]!.depth === depth) bound.pop();
        depth--;
      }
      if (c === ".") afterDot = true;
      else if (c !== "?" && !/\s/.test(c)) afterDot = false;
      i++;
    }
  }
  return found;
}

/** Whether a name before a colon is a key of a message, `{name: 1}`, and not of `a ? b : c`. */
function isKey(text: string, at: number): boolean {
  for (let i = at - 1, depth = 0; i >= 0; i--) {
    const c = text[i]!;
    if (c === ")" || c === "]" || c === "}") depth++;
    else if (c === "(" || c === "[") { if (depth-- === 0) return false; }
    else if (c === "{") { if (depth-- === 0) return /[A-Za-z0-9_]\s*$/.test(text.slice(0, i)); }
    else if (depth === 0 && (c === "," || c === "?" || c === ":")) {
      if (c !== ",") return false;
    }
  }
  return false;
}

function word(text: string, at: number): number {
  let i = at;
  while (i < text.length && PART.test(text[i]!)) i++;
  return i;
}

function skip(text: string, at: number): number {
  let i = at;
  while (i < text.length && /\s/.test(text[i]!)) i++;
  return i;
}

function bind(text: string, at: number, depth: number, bound: { name: string; depth: number }[]): void {
  let i = skip(text, at);
  for (;;) {
    const end = word(text, i);
    if (end === i || text[skip(text, end)] !== ",") return;
    bound.push({ name: text.slice(i, end), depth });
    i = skip(text, skip(text, end) + 1);
    if (!START.test(text[i] ?? "")) return;
  }
}

function fieldsFrom(text: string, from: number): { fields: string[]; end: number } {
  const fields: string[] = [];
  let i = from;
  for (;;) {
    const dot = /^\s*\.\??\s*/.exec(text.slice(i, i + 40));
    if (dot !== null) {
      const start = i + dot[0].length;
      const end = word(text, start);
      if (end === start || text[skip(text, end)] === "(") return { fields, end: i };
      fields.push(text.slice(start, end));
      i = end;
      continue;
    }
    const key = /^\s*\[\s*(?:"([A-Za-z_]\w*)"|'([A-Za-z_]\w*)')\s*\]/.exec(text.slice(i, i + 200));
    if (key === null) return { fields, end: i };
    fields.push(key[1] ?? key[2] ?? "");
    i += key[0].length;
  }
}

/** The expression of a text that is nothing but one; null for any other text. */
export function wholeExpression(text: string): string | null {
  const trimmed = text.trim();
  const [hole, more] = holes(trimmed);
  if (hole === undefined || more !== undefined) return null;
  return hole.from === 3 && hole.to === trimmed.length - 2 ? trimmed.slice(hole.from, hole.to).trim() : null;
}

/** `${{ read.rows }}` of its parts. */
export function reference(root: string, fields: readonly string[] = []): string {
  const path = fields.map((f) => (/^[A-Za-z_]\w*$/.test(f) ? `.${f}` : `[${JSON.stringify(f)}]`));
  return `\${{ ${root}${path.join("")} }}`;
}
