/** Nodes as YAML, to and from the clipboard. */
import * as op from "../model/operations";
import { edit } from "./changing";
import { select } from "./looking";
import { removeSelected } from "./nodes";
import { get, isExpression, next, read } from "./state";
import { tell } from "./telling";

let clip = "";

export async function copySelected(cut = false): Promise<void> {
  const { model, selected } = get();
  if (selected.size === 0) return;
  const text = op.copyNodes(model, [...selected]);
  clip = text;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Some browsers allow it only at times; what was copied can still be pasted here.
  }
  tell(`${selected.size} ${selected.size === 1 ? "node" : "nodes"} copied as YAML`);
  if (cut) removeSelected();
}

export function paste(given: string): void {
  const text = /^nodes:/m.test(given) ? given : clip;
  if (text === "") return tell("the clipboard holds no nodes");
  const { model } = get();
  const [one] = get().selected;
  const node = one === undefined ? undefined : model.nodes.get(one);
  const pasted = op.pasteNodes(model, node?.parent ?? "", text, read, next, isExpression);
  if ("refused" in pasted) return tell(pasted.refused, "bad");
  if (edit(pasted.edits, "paste")) select(pasted.paths);
}

export function duplicate(): void {
  const { model, selected } = get();
  if (selected.size === 0) return;
  const [one] = selected;
  const pasted = op.pasteNodes(model, model.nodes.get(one!)?.parent ?? "", op.copyNodes(model, [...selected]), read, next, isExpression);
  if ("refused" in pasted) return tell(pasted.refused, "bad");
  if (edit(pasted.edits, "duplicate")) select(pasted.paths);
}
