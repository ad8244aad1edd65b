/** The state of the studio. The text is the truth; everything drawn is derived from it. */
import { create } from "zustand";
import { derive, EMPTY, update, type EdgeView, type Model } from "../model/blueprint";
import { change, redo, startHistory, undo, type Doing, type History } from "../model/history";
import * as op from "../model/operations";
import { fitting, whyNot } from "../model/ports";
import { typeOfName, type NodeType, type Types } from "../model/schemas";
import { aligned, type Align, type Placed } from "../model/align";
import { sceneOf } from "../model/scene";
import { freeId } from "../model/names";
import { difference, type Edit } from "../model/text";
import { forget, keep, keptOf, type Kept } from "./draft";
import { api, Refused, type Problem, type StudioInfo } from "./api";

export interface Toast {
  readonly id: number;
  readonly kind: "good" | "bad" | "info";
  readonly text: string;
  /** What can be done about it, such as a way back. */
  readonly action?: ToastAction;
}

export interface ToastAction {
  readonly label: string;
  readonly run: () => void;
}

export interface Pane {
  /** What the dock on the right shows; on wide screens form and text stand side by side. */
  readonly dock: "form" | "text" | "python" | "none";
  readonly palette: boolean;
  readonly run: boolean;
  readonly tab: "output" | "timeline" | "events" | "debug" | "problems";
}

export interface Studio {
  readonly info: StudioInfo | null;
  readonly types: Types;
  readonly fatal: string | null;
  readonly id: string | null;
  readonly etag: string | null;
  readonly saved: string;
  /** What its text is kept under while it is not saved; null where it is only looked at. */
  readonly draft: string | null;
  /** The text that it was opened with. */
  readonly opened: string;
  readonly conflict: { readonly text: string; readonly etag: string } | null;
  /** The id that it was to be saved under for the first time, and that another one has; with one that is free. */
  readonly occupied: { readonly id: string; readonly free: string } | null;
  readonly history: History;
  readonly model: Model;
  readonly problems: readonly Problem[];
  readonly checked: string | null;
  readonly selected: ReadonlySet<string>;
  readonly edge: string | null;
  /** Notes that are selected, and the one that is written in. */
  readonly notes: ReadonlySet<number>;
  readonly writing: number | null;
  readonly folded: ReadonlySet<string>;
  readonly breakpoints: ReadonlySet<string>;
  readonly pane: Pane;
  readonly toasts: readonly Toast[];
  readonly dialog: "commands" | "inputs" | "keys" | null;
  /** Counts what asks the canvas to show everything. */
  readonly fit: number;
  /** What the canvas is asked to show in full, such as a container that is entered; counted as `fit`. */
  readonly look: { readonly path: string; readonly count: number; readonly whole: boolean } | null;
  /** What the list of commands begins with. */
  readonly asked: string;
  /** Whether all of a large blueprint is to be seen, however small. */
  readonly whole: boolean;
}

const state: Studio = {
  info: null, types: new Map(), fatal: null, id: null, etag: null, saved: "", draft: null, opened: "", conflict: null, occupied: null,
  history: startHistory(""), model: EMPTY, problems: [], checked: null, selected: new Set(), edge: null, notes: new Set(), writing: null,
  folded: new Set(), breakpoints: new Set(), toasts: [], dialog: null, fit: 0, whole: false, look: null, asked: "",
  pane: { dock: "form", palette: false, run: false, tab: "output" },
};

export const useStudio = create<Studio>(() => state);
const get = useStudio.getState;
const set = useStudio.setState;

/** Whether a parameter is an expression by its type. */
export function isExpression(type: string, name: string): boolean {
  return typeOfName(get().types, type)?.parameters.find((p) => p.name === name)?.expression ?? false;
}

export const next = (now: Model, edits: readonly Edit[]): Model => update(now, edits, isExpression);
export const read = (text: string): Model => derive(text, isExpression);

let toasts = 0;

export function tell(text: string, kind: Toast["kind"] = "info", action?: ToastAction): void {
  const id = ++toasts;
  set((s) => ({ toasts: [...s.toasts.filter((t) => t.text !== text).slice(-3), { id, kind, text, ...(action === undefined ? {} : { action }) }] }));
  setTimeout(() => set((s) => ({ toasts: s.toasts.filter((t) => t.id !== id) })), kind === "bad" || action !== undefined ? 9000 : 4000);
}

export function dismiss(id: number): void {
  set((s) => ({ toasts: s.toasts.filter((t) => t.id !== id) }));
}

/** Do something, and say so where it was refused. */
export async function attempt<T>(doing: Promise<T>): Promise<T | null> {
  try {
    return await doing;
  } catch (error) {
    const [first] = error instanceof Refused ? error.problems : [];
    const message = error instanceof Error ? error.message : String(error);
    tell(first !== undefined && !message.includes(first.message) ? `${message}: ${first.message}` : message, "bad");
    return null;
  }
}

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
    conflict: null, occupied: null, folded: new Set(), fit: get().fit + 1, whole: false, opened: text, ...more,
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

export function mayChange(): boolean {
  return get().info?.role === "owner";
}

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
  prune();
  scheduleCheck();
  return true;
}

function move(moved: ReturnType<typeof undo>, what: string): void {
  if (moved === null) return tell(`nothing to ${what}`);
  const { model } = get();
  set({ history: moved.history, model: next(model, moved.edits) });
  prune();
  scheduleCheck();
}

export const undoLast = (): void => move(undo(get().history), "undo");
export const redoLast = (): void => move(redo(get().history), "redo");

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

let timer: ReturnType<typeof setTimeout> | undefined;
let asking: AbortController | undefined;

function scheduleCheck(after = 350): void {
  clearTimeout(timer);
  timer = setTimeout(() => void check(), after);
}

/** Milliseconds after which a server that could not be asked is asked again. */
const AGAIN = 2000;

async function check(): Promise<void> {
  asking?.abort();
  asking = new AbortController();
  const { text } = get().model;
  try {
    const { problems } = await api.validate(text, asking.signal);
    if (get().model.text === text) set({ problems, checked: text });
  } catch (error) {
    if (!(error instanceof Refused) || get().model.text !== text) return;
    // That the server is away, or knows nobody any more, says nothing of the text.
    if (error.status === 0 || error.status === 401) scheduleCheck(AGAIN);
    else set({ problems: [{ code: error.code, message: error.message }], checked: text });
  }
}

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
  set({ pane: { ...before, ...pane } });
  // The canvas has become larger or smaller: what was all in sight is to be so again.
  if (pane.run !== undefined && pane.run !== before.run && get().model.nodes.size < 100) setTimeout(refit, 60);
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

export function refit(): void {
  set((s) => ({ fit: s.fit + 1, whole: true }));
}

function loadBreakpoints(id: string): ReadonlySet<string> {
  try {
    return new Set(JSON.parse(localStorage.getItem(`breakpoints:${id}`) ?? "[]") as string[]);
  } catch {
    return new Set();
  }
}

export function toggleBreakpoint(path: string): void {
  const breakpoints = new Set(get().breakpoints);
  if (!breakpoints.delete(path)) breakpoints.add(path);
  set({ breakpoints });
  localStorage.setItem(`breakpoints:${get().id ?? ""}`, JSON.stringify([...breakpoints]));
}

export const dirty = (s: Studio): boolean => s.model.text !== s.saved;

let saving: Promise<boolean> | null = null;

/** Save what is on the screen; a second wish meanwhile is the same one. */
export function save(): Promise<boolean> {
  saving ??= saveNow().finally(() => { saving = null; });
  return saving;
}

async function saveNow(): Promise<boolean> {
  const { model, etag, id } = get();
  const { text } = model;
  // Half a text may not say its id: it is kept under the one that it had, or was about to have.
  const broken = model.troubles[0]?.message;
  const kept = etag !== null && (broken !== undefined || model.head.id === "") ? id : null;
  const name = kept ?? (model.head.id || (id ?? "untitled"));
  try {
    const info = await api.save(name, text, name === id ? etag : null);
    const { draft } = get();
    if (draft !== null) forget(draft);
    set({ etag: info.etag, saved: text, id: name, draft: name, conflict: null, occupied: null });
    if (location.hash !== `#/b/${name}`) history.replaceState(null, "", `#/b/${name}`);
    const why = info.problem ?? broken ?? undefined;
    if (why === undefined) tell(`saved ${name}, revision ${info.revision}`, "good");
    else tell(`saved ${name} as a draft, revision ${info.revision}: it cannot run yet`, "info");
    return true;
  } catch (error) {
    if (error instanceof Refused && (error.status === 412 || error.status === 409)) await meet(name, name !== id || etag === null);
    else await attempt(Promise.reject(error as Error));
    return false;
  }
}

/** Somebody else has saved: show it, and lose nothing. A first time, another blueprint has the id. */
async function meet(name: string, first: boolean): Promise<void> {
  if (first) {
    const list = await attempt(api.blueprints());
    if (list !== null) set({ occupied: { id: name, free: freeId(name, list.map((info) => info.id)) } });
    return;
  }
  const stored = await attempt(api.blueprint(name));
  if (stored !== null) set({ conflict: { text: stored.text, etag: stored.info.etag } });
}

/** Save under an id that is free; null leaves everything as it is. */
export function settleOccupied(free: string | null): void {
  set({ occupied: null });
  if (free !== null && edit(op.setValue(get().model, ["id"], free), "another id")) void save();
}

/** Look whether somebody else has changed what is open. */
export async function lookForOthers(): Promise<void> {
  const { id, etag, model, saved, conflict } = get();
  if (id === null || etag === null || conflict !== null || document.hidden) return;
  try {
    const newer = await api.newer(id, etag);
    if (newer === null || get().id !== id || get().etag !== etag) return;
    if (model.text !== saved) return set({ conflict: { text: newer.text, etag: newer.info.etag } });
    edit(difference(model.text, newer.text), "changed elsewhere");
    set({ etag: newer.info.etag, saved: newer.text });
    tell("this blueprint was changed elsewhere: you see the newest", "info");
  } catch {
    // It is asked again; that the server is away is shown by whatever is done next.
  }
}

export function settleConflict(which: "mine" | "theirs"): void {
  const { conflict, model } = get();
  if (conflict === null) return;
  set({ etag: conflict.etag, saved: conflict.text, conflict: null });
  if (which === "mine") return void save();
  edit(difference(model.text, conflict.text), "take the other version");
  keepDraft(); // there is nothing of it to keep any more
}

// ---------------------------------------------------------------- what is done on the canvas

/** The body that new nodes go to: that of the selected container, or the one around what is selected. */
export function body(): string {
  const { selected, model } = get();
  const [one] = selected;
  const node = one === undefined ? undefined : model.nodes.get(one);
  if (node === undefined) return "";
  return node.kind === "group" ? node.path : node.parent;
}

export interface Adding {
  readonly title: string;
  readonly wish: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export function addingOf(type: NodeType): Adding {
  const given: Record<string, unknown> = {};
  for (const parameter of type.parameters) {
    if (!parameter.required) continue;
    given[parameter.name] = parameter.expression ? "true" : sample(parameter.schema);
  }
  const wish = type.name.split(".").pop()!;
  return { title: type.title, wish: type.name.startsWith("data.value") ? "value" : wish, body: { uses: type.name, ...(Object.keys(given).length > 0 ? { with: given } : {}) } };
}

function sample(schema: Readonly<Record<string, unknown>>): unknown {
  const { type } = schema;
  const [first] = (schema["enum"] as unknown[] | undefined) ?? [];
  if (first !== undefined) return first;
  if (type === "array") return [];
  if (type === "object") return {};
  if (type === "integer" || type === "number") return 0;
  if (type === "boolean") return false;
  return type === "string" ? "" : null;
}

/** Add a node, and connect it behind what is selected where that makes sense. */
export function add(adding: Adding, at?: { readonly parent: string; readonly place: readonly [number, number] }): string | null {
  const { model, selected, types } = get();
  const parent = at?.parent ?? body();
  const [one] = selected;
  const behind = at === undefined && selected.size === 1 && one !== undefined && model.nodes.get(one)?.parent === parent ? one : null;
  const id = op.freeId(model, parent, adding.wish);
  const path = parent === "" ? id : `${parent}.${id}`;
  const steps: ((now: Model) => readonly Edit[])[] = [(now) => op.addNode(now, parent, id, adding.body)];
  if (at !== undefined) steps.push((now) => op.place(now, new Map([[path, at.place]]), next));
  if (behind !== null) {
    const from = model.nodes.get(behind)!;
    steps.push((now) => {
      const fit = replaceable(now, types, behind, path);
      const made = fit === null ? op.connect(now, behind, from.routes[0] ?? "", path, "") : op.connect(now, behind, fit.fromPort, path, fit.toPort);
      return "refused" in made ? [] : made;
    });
    if (at === undefined && from.place !== null) steps.push((now) => op.place(now, new Map([[path, [from.place![0] + 320, from.place![1]] as const]]), next));
  }
  if (!edit(op.inTurn(model, steps, next), `add ${adding.title}`)) return null;
  if (at === undefined) reveal(path);
  else select([path]);
  return path;
}

/** A parameter of a new node that could take an output: one that still has its sample. */
function replaceable(model: Model, types: Types, source: string, target: string): { fromPort: string; toPort: string } | null {
  const node = model.nodes.get(target)!;
  return fitting({ ...model, nodes: new Map(model.nodes).set(target, { ...node, parameters: [] }) }, types, source, target);
}

export function connectPorts(source: string, fromPort: string, target: string, toPort: string): void {
  const { model, types } = get();
  let [from, to] = [fromPort, toPort];
  if (to === "*") {
    const fit = from === "" ? fitting(model, types, source, target) : null;
    [from, to] = fit === null ? [from, ""] : [fit.fromPort, fit.toPort];
  }
  const reason = whyNot(model, types, source, from, target, to);
  if (reason !== null) return tell(reason, "bad");
  const what = to === "" ? `${target} now waits for ${source}` : `${target}.${to} takes ${source}${from === "" ? "" : `.${from}`}`;
  if (edit(op.connect(model, source, from, target, to), `connect ${source} to ${target}`)) tell(what);
}

export function removeSelected(): void {
  const { model, selected, edge, notes } = get();
  const line = model.edges.find((e) => e.id === edge);
  if (line !== undefined) return removeEdge(line);
  if (notes.size > 0) {
    edit(op.inTurn(model, [(now) => op.removeNotes(now, [...notes], next), (now) => op.removeNodes(now, [...selected], next)], next), notes.size === 1 ? "remove a note" : "remove notes");
    return set({ notes: new Set(), writing: null });
  }
  if (selected.size > 0) edit(op.removeNodes(model, [...selected], next), `remove ${[...selected].join(", ")}`);
}

export function removeEdge(line: EdgeView): void {
  edit(op.disconnect(get().model, line), `disconnect ${line.source} from ${line.target}`);
}

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

let clip = "";

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

export function renameNode(path: string, to: string): void {
  const { model, breakpoints } = get();
  const node = model.nodes.get(path);
  if (node === undefined || node.id === to) return;
  const reason = op.whyNotId(model, node.parent, to);
  if (reason !== null) return tell(reason, "bad");
  if (!edit(op.rename(model, path, to, isExpression), `rename ${path} to ${to}`)) return;
  const now = node.parent === "" ? to : `${node.parent}.${to}`;
  select([now]);
  if (breakpoints.has(path)) {
    toggleBreakpoint(path);
    toggleBreakpoint(now);
  }
}

export function toggleEnabled(): void {
  const { model, selected } = get();
  const steps = [...selected].map((path) => (now: Model) => {
    const at = [...op.pathOf(path), "enabled"];
    return now.nodes.get(path)?.enabled === false ? op.deleteValue(now, at) : op.setValue(now, at, false);
  });
  if (steps.length > 0) edit(op.inTurn(model, steps, next), "switch on or off");
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

export function placeNodes(places: ReadonlyMap<string, readonly [number, number]>, label = "move"): void {
  edit(op.place(get().model, places, next), label);
}

/** Put what is selected in line, or at even distances; each body by itself. */
export function alignSelected(how: Align): void {
  const { model, types, folded, selected } = get();
  const bodies = new Map<string, Placed[]>();
  for (const box of sceneOf(model, types, folded)) {
    if (!selected.has(box.path)) continue;
    const list = bodies.get(box.parent) ?? bodies.set(box.parent, []).get(box.parent)!;
    list.push({ ...box, id: box.path });
  }
  const places = new Map([...bodies.values()].flatMap((boxes) => [...aligned(boxes, how)]));
  if (places.size === 0) return tell("select several nodes to put them in line");
  placeNodes(places, how === "across" || how === "down" ? "distribute" : "align");
}

/** Write a note on the canvas; where no place is given, above what is selected, or above everything. */
export function addNote(at?: readonly [number, number]): void {
  const { model, types, folded, selected } = get();
  const boxes = sceneOf(model, types, folded).filter((box) => box.parent === "");
  const some = boxes.filter((box) => selected.has(box.path));
  const around = some.length > 0 ? some : boxes;
  const place = at ?? [Math.min(0, ...around.map((b) => b.x)), around.length === 0 ? 0 : Math.min(...around.map((b) => b.y)) - 120] as const;
  if (!edit(op.addNote(model, "Note", place), "add a note")) return;
  const { notes } = get().model.head;
  const index = notes[notes.length - 1]?.index ?? null;
  if (index !== null) set({ notes: new Set([index]), writing: index, selected: new Set(), edge: null });
}

export function startWriting(index: number | null): void {
  set({ writing: index });
}

export function writeNote(index: number, text: string): void {
  const { model } = get();
  set({ writing: null });
  if (model.head.notes.find((n) => n.index === index)?.text !== text) edit(op.writeNote(model, index, text), "write a note");
}

/** Move nodes and notes, as one step. */
export function moveAll(places: ReadonlyMap<string, readonly [number, number]>, notes: ReadonlyMap<number, readonly [number, number]>): void {
  const { model } = get();
  edit(op.inTurn(model, [(now) => op.place(now, places, next), ...[...notes].map(([index, at]) => (now: Model) => op.moveNote(now, index, at))], next), "move");
}

/** Forget every place: the automatic arrangement is the tidiest. */
export function tidy(): void {
  const { model } = get();
  if (Object.keys(model.head.layout).length > 0) edit(op.deleteValue(model, ["layout"]), "tidy up");
  refit();
}
