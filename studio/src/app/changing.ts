/** Changing the text, and taking changes back. */
import { change, redo, undo, type Doing, type Renamed } from "../model/history";
import * as op from "../model/operations";
import { difference, type Edit } from "../model/text";
import { keepBreakpoints } from "./breakpoints";
import { scheduleCheck } from "./checking";
import { get, next, set } from "./state";
import { tell } from "./telling";

/** Change the text; the one way in which anything is ever changed. */
export function edit(edits: readonly Edit[] | op.Refusal, label: string, doing: Partial<Doing> = {}): boolean {
  if ("refused" in edits) {
    tell(edits.refused, "bad");
    return false;
  }
  if (edits.length === 0) return true;
  const { history, model } = get();
  set({
    history: change(history, edits, { label, now: Date.now(), ...doing }),
    model: next(model, edits),
  });
  if (doing.renamed !== undefined) follow(doing.renamed);
  prune();
  scheduleCheck();
  return true;
}

function move(moved: ReturnType<typeof undo>, what: string): void {
  if (moved === null) return tell(`nothing to ${what}`);
  const { model } = get();
  set({ history: moved.history, model: next(model, moved.edits) });
  if (moved.renamed !== null) follow(moved.renamed);
  prune();
  scheduleCheck();
}

export const undoLast = (): void => move(undo(get().history), "undo");
export const redoLast = (): void => move(redo(get().history), "redo");

/** What is known of a node, and of those in it, goes with it to its new path. */
function follow([from, to]: Renamed): void {
  const moved = (path: string): string => (path === from || path.startsWith(`${from}.`) ? to + path.slice(from.length) : path);
  const all = (paths: ReadonlySet<string>): ReadonlySet<string> => ([...paths].some((p) => moved(p) !== p) ? new Set([...paths].map(moved)) : paths);
  const { selected, folded, breakpoints } = get();
  set({ selected: all(selected), folded: all(folded) });
  if (all(breakpoints) !== breakpoints) keepBreakpoints(all(breakpoints));
}

/** Forget what was selected and is not there any more. */
function prune(): void {
  const { selected, model, edge } = get();
  if ([...selected].some((path) => !model.nodes.has(path))) set({ selected: new Set([...selected].filter((p) => model.nodes.has(p))) });
  const { notes } = get();
  if ([...notes].some((index) => !model.head.notes.some((n) => n.index === index))) set({ notes: new Set(), writing: null });
  if (edge !== null && !model.edges.some((e) => e.id === edge)) set({ edge: null });
}

export function typed(text: string): void {
  edit(difference(get().model.text, text), "type", { merge: "typing" });
}

export function setField(path: string, at: readonly (string | number)[], value: unknown): void {
  const { model } = get();
  const where = [...op.pathOf(path), ...at];
  const doing = { merge: `field:${where.join(".")}` };
  if (value === undefined) edit(op.deleteValue(model, where), `clear ${at.join(".")}`, doing);
  else edit(op.setValue(model, where, value), `set ${at.join(".")}`, doing);
}

export function setTop(at: readonly (string | number)[], value: unknown): void {
  const { model } = get();
  edit(value === undefined ? op.deleteValue(model, at) : op.setValue(model, at, value), `set ${at.join(".")}`, { merge: `top:${at.join(".")}` });
}
