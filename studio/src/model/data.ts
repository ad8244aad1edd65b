/** Values as they are typed into a form: YAML, or a text with expressions. */
import { parse, stringify } from "yaml";

/** What a typed text stands for; a text that begins with an expression is itself, as is half an expression. Throws what YAML cannot read. */
export function fromTyped(text: string): unknown {
  if (text.trim() === "") return undefined;
  if (text.trimStart().startsWith("${{")) return text;
  return parse(text, { version: "1.2", schema: "core", merge: false }) as unknown;
}

/** A value as one would type it. */
export function asTyped(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  return stringify(value, { lineWidth: 0 }).trimEnd();
}
