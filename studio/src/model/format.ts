/** What may be written where in a blueprint, from the JSON Schema of the format. */
import raw from "./format.json";
import { kindsOf, type Schema } from "./schemas";
import type { Key, Path } from "./yaml";

const FORMAT = raw as unknown as Schema;
const DEFINITIONS = FORMAT["$defs"] as Readonly<Record<string, Schema>>;
/** References that lead to references are followed this far. */
const DEEPEST = 8;

/** Follow references; what is said beside one counts more than what it leads to. */
export function resolved(schema: Schema): Schema {
  let found = schema;
  for (let n = 0; n < DEEPEST && typeof found["$ref"] === "string"; n++) {
    const { $ref, ...own } = found;
    found = { ...DEFINITIONS[definitionOf({ $ref })!], ...own };
  }
  return found;
}

/** The name of the definition that a schema refers to; null where it does not. */
export function definitionOf(schema: Schema): string | null {
  const ref = schema["$ref"];
  return typeof ref === "string" ? ref.slice(ref.lastIndexOf("/") + 1) : null;
}

/** Every form that a value may have: the schema itself, or what it lets one choose from. */
function forms(schema: Schema, depth = 0): Schema[] {
  const whole = resolved(schema);
  const some = (whole["anyOf"] as Schema[] | undefined)?.filter((one) => !("required" in one && Object.keys(one).length === 1));
  return some === undefined || depth > DEEPEST ? [whole] : some.flatMap((one) => forms(one, depth + 1));
}

type Schemas = Readonly<Record<string, Schema>>;

function inside(schema: Schema, key: Key): Schema[] {
  return forms(schema).flatMap((form) => {
    const { items, properties, additionalProperties: others } = form as { items?: Schema; properties?: Schemas; additionalProperties?: unknown };
    if (typeof key === "number") return items === undefined ? [] : [items];
    const own = properties?.[key];
    if (own !== undefined) return [own];
    return isSchema(others) ? [others] : [];
  });
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null;
}

/** The schemas of what stands at a path of a blueprint; none where nothing may stand. */
export function schemasAt(path: Path): Schema[] {
  return path.reduce<Schema[]>((now, key) => now.flatMap((schema) => inside(schema, key)), [FORMAT]);
}

export interface KeyOffer {
  readonly key: string;
  readonly about: string;
  /** What stands behind it is a block of its own. */
  readonly block: boolean;
}

/** Keys that may stand in the map at a path. */
export function keysAt(path: Path): KeyOffer[] {
  const found = new Map<string, KeyOffer>();
  for (const form of schemasAt(path).flatMap((schema) => forms(schema))) {
    for (const [key, schema] of Object.entries((form["properties"] ?? {}) as Schemas)) {
      const kinds = forms(schema).map((one) => kindsOf(one));
      const block = kinds.every((k) => k !== null && [...k].every((kind) => kind === "object" || kind === "array"));
      found.set(key, { key, about: aboutOf(schema), block });
    }
  }
  return [...found.values()];
}

/** Words that may stand at a path: the values of a choice. */
export function wordsAt(path: Path): string[] {
  const found = schemasAt(path).flatMap((schema) => forms(schema)).flatMap((form) => {
    if (kindsOf(form)?.has("boolean") && form["enum"] === undefined) return [true, false];
    return "const" in form ? [form["const"]] : ((form["enum"]) ?? []);
  });
  return [...new Set(found.filter((value) => value !== null).map(String))];
}

/** What a value is for, in a line. */
export function aboutOf(schema: Schema): string {
  const { description } = resolved(schema);
  return typeof description === "string" ? description : "";
}
