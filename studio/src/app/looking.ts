/** What is selected, shown and folded. Nothing here changes the text. */
import { get, set, type Pane, type Studio } from "./state";
import { tell } from "./telling";

export function select(paths: Iterable<string>, withNotes = false): void {
  const selected = new Set(paths);
  const before = get().selected;
  if (!withNotes && get().notes.size > 0) set({ notes: new Set() });
  if (selected.size === before.size && [...selected].every((p) => before.has(p))) return;
  set({ selected, ...(selected.size > 0 ? { edge: null } : {}) });
}

export function selectNotes(indexes: Iterable<number>): void {
  const notes = new Set(indexes);
  const before = get().notes;
  if (notes.size !== before.size || [...notes].some((n) => !before.has(n))) set({ notes, ...(notes.size > 0 ? { edge: null } : {}) });
}

export function selectEdge(edge: string | null): void {
  if (edge !== get().edge) set({ edge, ...(edge === null ? {} : { selected: new Set<string>() }) });
}

export function toggleFold(path: string): void {
  const folded = new Set(get().folded);
  if (!folded.delete(path)) folded.add(path);
  set({ folded });
}

export function setPane(pane: Partial<Pane>): void {
  const { pane: before } = get();
  // What is asked to be seen is not to be behind a large node.
  const large = pane.large ?? (before.large && pane.dock === undefined && pane.palette === undefined && pane.runs === undefined);
  set({ pane: { ...before, ...pane, large } });
}

export function setDialog(dialog: Studio["dialog"], asked = ""): void {
  set({ dialog, asked });
}

/** Ask the canvas to show a node: as large as it can be, or only so that it is in sight. */
function lookAt(path: string, whole = true): void {
  set((s) => ({ look: { path, whole, count: (s.look?.count ?? 0) + 1 } }));
}

/** Select a node, and bring it into sight. */
export function reveal(path: string): void {
  select([path]);
  lookAt(path, false);
}

/** The container that is selected, or the one around what is selected; empty at the top. */
function container(): string {
  const { selected, model } = get();
  const [one] = selected;
  const node = one === undefined ? undefined : model.nodes.get(one);
  return node === undefined ? "" : node.kind === "group" ? node.path : node.parent;
}

/** Go into the selected container: unfold and show it, and select its first node. */
export function enter(path = container()): void {
  const { model, folded } = get();
  const node = model.nodes.get(path);
  if (node?.kind !== "group") return tell("select a group, a map or a loop to enter it");
  if (folded.has(path)) toggleFold(path);
  select([node.children[0] ?? path]);
  lookAt(path);
}

/** Go out of the container around what is selected: select it, and show what is around it. */
export function leave(): void {
  const { model, selected } = get();
  const [one] = selected;
  const parent = (one === undefined ? undefined : model.nodes.get(one))?.parent ?? "";
  if (parent === "") return refit();
  select([parent]);
  const around = model.nodes.get(parent)?.parent ?? "";
  if (around === "") refit();
  else lookAt(around);
}

export function foldSelected(): void {
  const path = container();
  if (path === "") return tell("select a group, a map or a loop to fold it");
  toggleFold(path);
  select([path]);
}

export function foldAll(fold: boolean): void {
  const groups = [...get().model.nodes.values()].filter((node) => node.kind === "group").map((node) => node.path);
  set({ folded: new Set(fold ? groups : []) });
  refit();
}

/** Everything as it was fitted in last, in the room that there is now. */
export function fitAgain(): void {
  set((s) => ({ fit: s.fit + 1 }));
}

export function refit(): void {
  set((s) => ({ fit: s.fit + 1, whole: true }));
}
