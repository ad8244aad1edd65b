/** The state of the studio. The text is the truth; everything drawn is derived from it. */
import { create } from "zustand";
import { derive, EMPTY, update, type Model } from "../model/blueprint";
import { startHistory, type History } from "../model/history";
import { typeOfName, type Types } from "../model/schemas";
import type { Edit } from "../model/text";
import type { Problem, Stored, StudioInfo } from "./api";

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
  /** The list of runs of the blueprint. */
  readonly runs: boolean;
  /** Whether the selected node is shown large. */
  readonly large: boolean;
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
  /** The id that it was saved under, the one that it has now, and the blueprints that call it: whether it is renamed is asked. */
  readonly renaming: { readonly from: string; readonly to: string; readonly callers: readonly Stored[] } | null;
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
  info: null, types: new Map(), fatal: null, id: null, etag: null, saved: "", draft: null, opened: "", conflict: null, occupied: null, renaming: null,
  history: startHistory(""), model: EMPTY, problems: [], checked: null, selected: new Set(), edge: null, notes: new Set(), writing: null,
  folded: new Set(), breakpoints: new Set(), toasts: [], dialog: null, fit: 0, whole: false, look: null, asked: "",
  pane: { dock: "form", palette: false, run: false, runs: false, large: false, tab: "output" },
};

export const useStudio = create<Studio>(() => state);
export const get = useStudio.getState;
export const set = useStudio.setState;

/** Whether a parameter is an expression by its type. */
export function isExpression(type: string, name: string): boolean {
  return typeOfName(get().types, type)?.parameters.find((p) => p.name === name)?.expression ?? false;
}

export const next = (now: Model, edits: readonly Edit[]): Model => update(now, edits, isExpression);
export const read = (text: string): Model => derive(text, isExpression);

export function mayChange(): boolean {
  return get().info?.role === "owner";
}

export const dirty = (s: Studio): boolean => s.model.text !== s.saved;
