/** What a node of a blueprint says, read from its YAML. */
import { isMap, isScalar, isSeq, type Pair } from "yaml";
import { asWords } from "./schemas";
import { holes, namesIn, wholeExpression } from "./expressions";
import { keyOf, nodeAt, pairIn, pairsOf, plain, rangeOf, type Key } from "./yaml";

export type Kind = "uses" | "group" | "call" | "branch" | "wait" | "unknown";

/** Somewhere a node names something that is not its own. */
export interface Mention {
  readonly root: string;
  readonly fields: readonly string[];
  /** Where in the node, such as `["with", "items"]`. */
  readonly at: readonly Key[];
  /** Whether the value there is nothing but this reference. */
  readonly whole: boolean;
}

export interface Repeat {
  readonly kind: "map" | "loop";
  readonly text: string;
  readonly as: string;
}

/** A node as its text says, before it is known what its mentions mean. */
export interface RawNode {
  readonly path: string;
  readonly id: string;
  readonly parent: string;
  readonly kind: Kind;
  /** Its type, blueprint, or what it waits for. */
  readonly type: string;
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly condition: string;
  readonly repeat: Repeat | null;
  readonly routes: readonly string[];
  readonly needs: readonly string[];
  readonly mentions: readonly Mention[];
  readonly parameters: readonly string[];
  readonly policies: readonly string[];
  readonly children: readonly string[];
  readonly compensates: string;
  readonly summary: string;
  /** Where it stands, from the start of its entry. */
  readonly from: number;
  readonly to: number;
}

/** Tells whether a parameter of a node type is an expression without `${{ }}`. */
export type IsExpression = (type: string, parameter: string) => boolean;

const BARE = new Set(["if", "when", "while", "until", "match"]);
const TEXTS = new Set(["name", "description", "uses", "call", "as", "runtime"]);
const POLICIES = ["retry", "timeout", "deadline", "on_error", "compensate", "join", "if", "cache"];

export function rawNodes(pair: Pair, parent: string, base: number, isExpression: IsExpression): RawNode[] {
  const found: RawNode[] = [];
  collect(pair, parent, base, isExpression, found);
  return found;
}

function collect(pair: Pair, parent: string, base: number, isExpression: IsExpression, out: RawNode[]): void {
  const id = keyOf(pair);
  const path = parent === "" ? id : `${parent}.${id}`;
  const value = pair.value;
  const field = (key: string): unknown => plain(pairIn(value, key)?.value);
  const words = (key: string): string => asWords(field(key));
  const kind = kindOf(value);
  const mentions: Mention[] = [];
  for (const item of pairsOf(value)) {
    const key = keyOf(item);
    if (TEXTS.has(key) || key === "needs" || key === "nodes" || (key === "output" && kind === "group")) continue;
    mention(item.value, [key], usesOf(value, key), isExpression, mentions);
  }
  const inner = pairsOf(pairIn(value, "nodes")?.value);
  const from = rangeOf(pair.key)?.[0] ?? 0;
  out.push({
    path,
    id,
    parent,
    kind,
    type: typeOf(value, kind),
    name: words("name"),
    description: words("description"),
    enabled: field("enabled") !== false,
    condition: words("if"),
    repeat: repeatOf(value),
    routes: kind === "branch" ? pairsOf(pairIn(value, "branch")?.value).map(keyOf) : [],
    needs: needsOf(field("needs")),
    mentions,
    parameters: pairsOf(pairIn(value, "with")?.value).map(keyOf),
    policies: POLICIES.filter((key) => pairIn(value, key) !== undefined),
    children: inner.map((child) => `${path}.${keyOf(child)}`),
    compensates: asWords(plain(nodeAt(value, ["compensate", "uses"]))),
    summary: summaryOf(value, kind),
    from: from - base,
    to: (rangeOf(value)?.[1] ?? rangeOf(pair.key)?.[1] ?? from) - base,
  });
  for (const child of inner) collect(child, path, base, isExpression, out);
}

export function needsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((v): v is string => typeof v === "string") : [];
}

function kindOf(value: unknown): Kind {
  if (!isMap(value)) return "unknown";
  if (pairIn(value, "uses")) return "uses";
  if (pairIn(value, "nodes")) return "group";
  for (const kind of ["call", "branch", "wait"] as const) if (pairIn(value, kind)) return kind;
  return "unknown";
}

function typeOf(value: unknown, kind: Kind): string {
  if (kind === "uses") return asWords(plain(pairIn(value, "uses")?.value));
  if (kind === "call") return asWords(plain(pairIn(value, "call")?.value));
  if (kind === "wait") return keyOf(pairsOf(pairIn(value, "wait")?.value)[0] ?? ({ key: null } as unknown as Pair));
  return "";
}

function usesOf(value: unknown, key: string): string {
  if (key === "with") return asWords(plain(pairIn(value, "uses")?.value)).replace(/@\d+$/, "");
  return "";
}

function repeatOf(value: unknown): Repeat | null {
  const as = asWords(plain(pairIn(value, "as")?.value)) || "item";
  const map = pairIn(value, "map");
  if (map) return { kind: "map", text: brief(plain(map.value)), as };
  const loop = pairIn(value, "loop");
  if (!loop) return null;
  const said = pairsOf(loop.value).filter((p) => ["while", "until", "times"].includes(keyOf(p)));
  return { kind: "loop", text: said.map((p) => `${keyOf(p)} ${brief(plain(p.value))}`).join(", "), as };
}

function brief(value: unknown): string {
  if (typeof value === "string") return wholeExpression(value) ?? value;
  return JSON.stringify(value);
}

const TOLD = ["url", "path", "where", "message", "value", "by", "of", "program", "text", "items"];

function summaryOf(value: unknown, kind: Kind): string {
  if (kind === "branch") return pairsOf(pairIn(value, "branch")?.value).map(keyOf).join(" · ");
  if (kind === "wait") {
    const [first] = pairsOf(pairIn(value, "wait")?.value);
    if (first === undefined) return "";
    const said = plain(first.value);
    return typeof said === "object" && said !== null && "title" in said ? asWords((said).title) : brief(said);
  }
  const given = pairIn(value, "with")?.value;
  for (const key of TOLD) {
    const found = pairIn(given, key);
    if (found) return brief(plain(found.value)).replace(/\s+/g, " ").slice(0, 80);
  }
  return "";
}

/** Find what a value mentions. */
export function mention(node: unknown, at: readonly Key[], uses: string, isExpression: IsExpression, out: Mention[]): void {
  if (isMap(node)) {
    for (const pair of node.items) mention(pair.value, [...at, keyOf(pair)], uses, isExpression, out);
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => mention(item, [...at, index], uses, isExpression, out));
  } else if (isScalar(node) && typeof node.value === "string") {
    for (const name of mentionsOf(node.value, isBare(at, uses, isExpression))) out.push({ ...name, at });
  }
}

export function isBare(at: readonly Key[], uses: string, isExpression: IsExpression): boolean {
  const last = String(at[at.length - 1]);
  if (at[0] === "with") return at.length === 2 && isExpression(uses, last);
  if (at[0] === "branch") return at.length === 2;
  return (BARE.has(last) && at.length <= 2) || (at[0] === "compensate" && last === "if");
}

function mentionsOf(value: string, bare: boolean): Omit<Mention, "at">[] {
  const found: Omit<Mention, "at">[] = [];
  const whole = wholeExpression(value);
  const parts = whole !== null ? [whole] : holes(value).map((hole) => value.slice(hole.from, hole.to));
  if (parts.length === 0 && bare) parts.push(value);
  for (const part of parts) {
    for (const name of namesIn(part)) {
      found.push({
        root: name.root,
        fields: name.fields,
        whole: whole !== null && name.at === 0 && name.end === part.length,
      });
    }
  }
  return found;
}
