/** Opening blueprints, and keeping what is not saved. */
import type { NodeType } from "../model/schemas";
import { startHistory } from "../model/history";
import { difference } from "../model/text";
import { api } from "./api";
import { loadBreakpoints } from "./breakpoints";
import { edit } from "./changing";
import { scheduleCheck } from "./checking";
import { forget, keep, keptOf, type Kept } from "./draft";
import { get, read, set, type Studio } from "./state";
import { attempt, tell } from "./telling";

export async function begin(): Promise<void> {
  try {
    const [info, nodes] = await Promise.all([api.info(), api.nodes()]);
    set({ info, types: new Map(nodes.map((node: NodeType) => [node.name, node])) });
  } catch (error) {
    set({ fatal: error instanceof Error ? error.message : String(error) });
  }
}

function show(text: string, more: Partial<Studio>): void {
  keepDraft();
  set({
    history: startHistory(text), model: read(text), problems: [], checked: null, selected: new Set(), edge: null, notes: new Set(), writing: null,
    conflict: null, occupied: null, renaming: null, folded: new Set(), fit: get().fit + 1, whole: false, opened: text, ...more,
  });
  scheduleCheck();
}

/** Keep what is not saved, so that going elsewhere loses nothing. */
export function keepDraft(): void {
  const { draft: key, model, saved, etag, opened, id } = get();
  if (key === null) return;
  if (model.text === saved) return forget(key);
  keep({ key, name: model.head.name || model.head.id || (id ?? ""), text: model.text, saved, etag, at: Date.now(), touched: model.text !== opened || keptOf(key)?.touched === true });
}

export async function openBlueprint(id: string): Promise<void> {
  const stored = await attempt(api.blueprint(id));
  if (stored === null) return void (location.hash = "#/");
  show(stored.text, { id, etag: stored.info.etag, saved: stored.text, draft: id, breakpoints: loadBreakpoints(id) });
  const kept = keptOf(id);
  if (kept === null || kept.text === stored.text) return;
  edit(difference(stored.text, kept.text), "unsaved changes");
  if (kept.etag !== stored.info.etag) set({ etag: kept.etag, saved: kept.saved, conflict: { text: stored.text, etag: stored.info.etag } });
  tell("your unsaved changes are back");
}

/** Begin a blueprint that is not saved yet, or go on with one. */
export function openText(text: string, kept: Kept | null = null): void {
  const model = read(text);
  show(text, { id: model.head.id || "untitled", etag: null, saved: "", draft: kept?.key ?? `new/${crypto.randomUUID()}`, breakpoints: new Set() });
  if (kept?.touched === true) tell("your unsaved changes are back");
}

/** Show a text that is only looked at: that of a run. */
export function showText(text: string): void {
  show(text, { id: read(text).head.id || "untitled", etag: null, saved: text, draft: null, breakpoints: new Set() });
}
