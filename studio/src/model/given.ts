/** What a node can read, and how its expressions say it. No network, no React. */
import { resolve, type Model } from "./blueprint";
import { holes, reference, wholeExpression } from "./expressions";
import { whyNotConnect } from "./operations";

/** Something that a node can read. */
export interface Source {
  /** Of a node; empty for what is none. */
  readonly path: string;
  /** How expressions of the node call it. */
  readonly root: string;
  readonly kind: "node" | "inputs" | "item" | "index";
  /** Whether the node reads it already. */
  readonly read: boolean;
}

/** What a node can read: what it reads already, the items around it, the inputs, what it waits for, then other nodes. */
export function readable(model: Model, path: string): Source[] {
  const node = model.nodes.get(path);
  if (node === undefined) return [];
  const has = (p: string): boolean => model.nodes.has(p);
  const read = new Set(model.edges.filter((e) => e.kind === "data" && e.target === path).map((e) => e.source));
  const nodes = [...model.nodes.values()]
    .filter((other) => resolve(other.id, node.parent, has) === other.path && /^[A-Za-z_]\w*$/.test(other.id) && whyNotConnect(model, other.path, path) === null)
    .map((other): Source => ({ path: other.path, root: other.id, kind: "node", read: read.has(other.path) }));
  const around = itemsOf(model, node.kind === "group" ? node.parent : path);
  const inputs: Source[] = model.head.inputs.length > 0 ? [{ path: "", root: "inputs", kind: "inputs", read: false }] : [];
  const before = new Set(model.edges.filter((e) => e.target === path).map((e) => e.source));
  const others = nodes.filter((s) => !s.read);
  return [...nodes.filter((s) => s.read), ...around, ...inputs, ...others.filter((s) => before.has(s.path)), ...others.filter((s) => !before.has(s.path))];
}

/** The item and its number, of each repeated node from a path outwards; an inner one hides those of its name. */
function itemsOf(model: Model, path: string): Source[] {
  const found: Source[] = [];
  for (let scope = path; scope !== ""; scope = scope.slice(0, Math.max(0, scope.lastIndexOf(".")))) {
    const repeat = model.nodes.get(scope)?.repeat;
    if (!repeat) continue;
    const names = repeat.kind === "map" ? ([[repeat.as, "item"], ["index", "index"]] as const) : ([["acc", "item"], ["index", "index"]] as const);
    for (const [root, kind] of names) if (!found.some((s) => s.root === root)) found.push({ path: "", root, kind, read: false });
  }
  return found;
}

/** A part of a value, as an expression says it: `read.rows[0].price`. */
export function partOf(expression: string, key: string | number): string {
  if (typeof key === "number") return `${expression}[${key}]`;
  return expression + wholeExpression(reference("x", [key]))!.slice(1);
}

/** A text with a cursor. */
export interface Written {
  readonly text: string;
  readonly at: number;
}

/**
 * Write an expression into a text, where its cursor is or else at its end.
 *
 * All of a `bare` text is an expression. In an expression it stands as it is, elsewhere between `${{` and `}}`; a text that is
 * nothing but one expression is replaced, unless the cursor is in it.
 */
export function taken(text: string, cursor: number | null, expression: string, bare: boolean): Written {
  const alone = bare ? expression : `\${{ ${expression} }}`;
  if (text.trim() === "" || wholeExpression(text) === "") return { text: alone, at: alone.length };
  const at = cursor ?? text.length;
  if (bare || holes(text).some((hole) => at >= hole.from && at <= hole.to)) return put(text, at, expression);
  if (wholeExpression(text) !== null) return { text: alone, at: alone.length };
  return put(text, at, alone);
}

function put(text: string, at: number, insert: string): Written {
  return { text: text.slice(0, at) + insert + text.slice(at), at: at + insert.length };
}
