/** JSON Schema as node types use it: what fits into what, and how to show it. */

export type Schema = Readonly<Record<string, unknown>>;

export interface ParameterInfo {
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
  readonly default: unknown;
  readonly expression: boolean;
  readonly variadic: boolean;
  readonly description: string;
}

export interface NodeType {
  readonly name: string;
  readonly version: number;
  readonly title: string;
  readonly description: string;
  readonly category: string;
  readonly effect: string;
  readonly timeout: number | null;
  readonly parameters: readonly ParameterInfo[];
  readonly result: Schema;
  readonly example: string;
  readonly details: string;
  readonly icon: string;
  readonly deprecated: string;
}

export type Types = ReadonlyMap<string, NodeType>;

export function typeOfName(types: Types, name: string): NodeType | undefined {
  return types.get(name.replace(/@\d+$/, ""));
}

/** The basic types that a schema allows; null for any. */
export function kindsOf(schema: Schema): ReadonlySet<string> | null {
  const { type, anyOf, oneOf } = schema as { type?: unknown; anyOf?: Schema[]; oneOf?: Schema[] };
  const some = anyOf ?? oneOf;
  if (some !== undefined) {
    const found = new Set<string>();
    for (const one of some) {
      const kinds = kindsOf(one);
      if (kinds === null) return null;
      for (const kind of kinds) found.add(kind);
    }
    return found;
  }
  if (typeof type === "string") return new Set([type]);
  if (Array.isArray(type)) return new Set(type as string[]);
  const values = "const" in schema ? [schema["const"]] : (schema["enum"] as unknown[] | undefined);
  return values === undefined ? null : new Set(values.map(kindOfValue));
}

export function kindOfValue(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** Why an output can never be what a parameter takes; null if it may be. */
export function mismatch(given: Schema, wanted: Schema): string | null {
  const from = kindsOf(given);
  const to = kindsOf(wanted);
  if (from === null || to === null) return null;
  for (const kind of from) {
    if (to.has(kind) || (kind === "integer" && to.has("number")) || (kind === "number" && to.has("integer"))) return null;
  }
  return `it gives ${words(from)}, and ${words(to)} is wanted`;
}

function words(kinds: ReadonlySet<string>): string {
  const names: Record<string, string> = {
    array: "a list", object: "an object", string: "a text", integer: "a whole number", number: "a number", boolean: "true or false", null: "nothing",
  };
  return [...kinds].filter((k) => k !== "null" || kinds.size === 1).map((k) => names[k] ?? k).join(" or ");
}

/** The fields of an output, with their schemas. */
export function fieldsOf(schema: Schema): Readonly<Record<string, Schema>> {
  return (schema["properties"] as Record<string, Schema> | undefined) ?? {};
}

/** A short name of a type, for badges. */
export function shortType(schema: Schema): string {
  const kinds = kindsOf(schema);
  if (schema["enum"] !== undefined) return "choice";
  if (kinds === null) return "any";
  return [...kinds].filter((k) => k !== "null").join(" | ") || "null";
}

/** A value as a text, where it is one or something as simple; empty for anything else. */
export function asWords(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
