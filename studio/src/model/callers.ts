/** Blueprints that call another one by its id. */
import type { Model } from "./blueprint";
import { inTurn, pathOf, setValue } from "./operations";
import { applyEdits, type Edit } from "./text";

/** The nodes of a blueprint that call one with this id. */
export function callsTo(model: Model, id: string): string[] {
  return [...model.nodes.values()].filter((node) => node.kind === "call" && node.type === id).map((node) => node.path);
}

/** The text of a blueprint after one that it calls got another id; all else stays. */
export function withCallsTo(model: Model, from: string, to: string, next: (now: Model, edits: readonly Edit[]) => Model): string {
  return applyEdits(model.text, inTurn(model, callsTo(model, from).map((path) => (now) => setValue(now, [...pathOf(path), "call"], to)), next));
}
