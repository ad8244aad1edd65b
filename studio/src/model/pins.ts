/** Running on data that is given: nodes that give it instead of doing what they do. No network, no React. */
import type { Model } from "./blueprint";
import * as op from "./operations";
import type { Edit } from "./text";

type Next = (now: Model, edits: readonly Edit[]) => Model;

/** A value as it can be written into a blueprint, where `${{` begins an expression. */
export function written(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("${{", () => "$${{"); // a text would have $$ mean one $
  if (Array.isArray(value)) return value.map(written);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, written(inner)]));
  return value;
}

/** Why a node cannot give data instead of running; null if it can. */
export function whyNotPinned(model: Model, path: string): string | null {
  const node = model.nodes.get(path);
  if (node === undefined) return `there is no node ${path}`;
  if (node.kind === "branch") return "a branch gives a way to go on, and no data";
  if (node.parent !== "") return "only nodes at the top of a blueprint can give pinned data";
  return null;
}

/** The blueprint with some nodes giving data instead of running; pins of nodes that are gone count for nothing. */
export function withPins(model: Model, pins: Readonly<Record<string, unknown>>, next: Next): Model {
  let now = model;
  for (const [path, value] of Object.entries(pins)) {
    if (whyNotPinned(now, path) !== null) continue;
    now = next(now, op.setValue(now, op.pathOf(path), { uses: "data.value", with: { value: written(value) } }));
  }
  return now;
}

/** The nodes that a node takes something from, at its level. */
export function sourcesOf(model: Model, top: string): string[] {
  const found = new Set<string>();
  for (const edge of model.edges) {
    const [source, target] = [edge.source.split(".")[0]!, edge.target.split(".")[0]!];
    if (target === top && source !== top) found.add(source);
  }
  return [...found];
}

/**
 * One node alone, on data for what it takes something from.
 *
 * Gives why that is not possible, if it is not.
 */
export function alone(model: Model, path: string, dataOf: (path: string) => unknown, next: Next): Model | string {
  const top = path.split(".")[0]!;
  const sources = sourcesOf(model, top);
  const pins: Record<string, unknown> = {};
  for (const source of sources) {
    const why = whyNotPinned(model, source);
    if (why !== null) return `${top} comes after ${source}: ${why}`;
    const value = dataOf(source);
    if (value === undefined) return `${source} has given nothing yet: run to ${top} once, or pin data at ${source}`;
    pins[source] = value;
  }
  const kept = new Set([top, ...sources]);
  const gone = model.top.filter((id) => !kept.has(id));
  let now = withPins(model, pins, next);
  if (gone.length > 0) now = next(now, op.removeNodes(now, gone, next));
  for (const key of ["output", "on"]) {
    const edits = op.deleteValue(now, [key]);
    if (edits.length > 0) now = next(now, edits);
  }
  return now;
}
