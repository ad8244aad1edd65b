/** Values as they are typed into a form: YAML, or a text with expressions. */
import { parse, stringify } from "yaml";

/** What a typed text stands for; a text that begins with an expression is itself, as is half an expression. Throws what YAML cannot read. */
export function fromTyped(text: string): unknown {
  if (text.trim() === "") return undefined;
  if (text.trimStart().startsWith("${{")) return text;
  return parse(text, { version: "1.2", schema: "core", merge: false, logLevel: "error" }) as unknown;
}

/** A value as one would type it: typed again it is the same. A text that would be read as something else has its quotes. */
export function asTyped(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "string" && isItself(value)) return value;
  return stringify(value, { lineWidth: 0 }).trimEnd();
}

function isItself(text: string): boolean {
  try {
    return fromTyped(text) === text;
  } catch {
    return false;
  }
}
