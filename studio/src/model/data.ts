/** Values as they are typed into a form: YAML, or a text with expressions. */
import { parse, stringify } from "yaml";
import { holes, wholeExpression } from "./expressions";

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

/** A value with expressions in it as one expression that gives it; null where a text is in part one. */
export function asExpression(value: unknown): string | null {
  if (typeof value === "string") return holes(value).length === 0 ? JSON.stringify(value) : whole(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? null;
  const inner = Object.entries(value).map(([key, one]) => [key, asExpression(one)] as const);
  if (inner.some(([, one]) => one === null)) return null;
  return Array.isArray(value) ? `[${inner.map(([, one]) => one).join(", ")}]` : `{${inner.map(([key, one]) => `${JSON.stringify(key)}: ${one}`).join(", ")}}`;
}

function whole(text: string): string | null {
  const expression = wholeExpression(text);
  return expression === null || expression === "" ? null : `(${expression})`;
}

function isItself(text: string): boolean {
  try {
    return fromTyped(text) === text;
  } catch {
    return false;
  }
}
