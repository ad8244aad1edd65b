/** What is kept in the browser for debugging: conditions of breakpoints, expressions to watch, pinned data. */
import { create } from "zustand";
import type { Breakpoint } from "./api";
import { useStudio } from "./store";

/** Characters of one pinned value: what is kept of a page altogether is bounded by the browser. */
export const LARGEST_PIN = 500_000;

export interface Debug {
  /** Of the blueprint that is open. */
  readonly id: string;
  readonly conditions: Readonly<Record<string, string>>;
  readonly watches: readonly string[];
  readonly pins: Readonly<Record<string, unknown>>;
  /** Milliseconds between two steps; null at full speed. */
  readonly slow: number | null;
}

function load<T>(kind: string, id: string, otherwise: T): T {
  try {
    return JSON.parse(localStorage.getItem(`${kind}:${id}`) ?? "null") as T ?? otherwise;
  } catch {
    return otherwise;
  }
}

function of(id: string): Omit<Debug, "slow"> {
  return { id, conditions: load("conditions", id, {}), watches: load("watches", id, []), pins: load("pins", id, {}) };
}

export const useDebug = create<Debug>(() => ({ ...of(""), slow: null }));
const get = useDebug.getState;
const set = useDebug.setState;

useStudio.subscribe((now) => {
  const id = now.id ?? "";
  if (id !== get().id) set(of(id));
});

/** Keep something in the browser; false if it does not fit. */
function keep(kind: "conditions" | "watches" | "pins", value: unknown): boolean {
  try {
    localStorage.setItem(`${kind}:${get().id}`, JSON.stringify(value));
  } catch {
    return false;
  }
  set({ [kind]: value });
  return true;
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

export function setCondition(path: string, condition: string): void {
  const rest = without(get().conditions, path);
  keep("conditions", condition.trim() === "" ? rest : { ...rest, [path]: condition.trim() });
}

export function addWatch(expression: string): void {
  const text = expression.trim();
  if (text !== "" && !get().watches.includes(text)) keep("watches", [...get().watches, text].slice(-50));
}

export function removeWatch(expression: string): void {
  keep("watches", get().watches.filter((w) => w !== expression));
}

/** Let a node give this instead of running; says why it cannot, if so. */
export function pin(path: string, value: unknown): string | null {
  if ((JSON.stringify(value) ?? "").length > LARGEST_PIN) return "this is too large to be pinned: more than 500,000 characters";
  return keep("pins", { ...get().pins, [path]: value }) ? null : "the browser has no room left for pinned data";
}

export function unpin(path: string): void {
  keep("pins", without(get().pins, path));
}

export function setSlow(slow: number | null): void {
  set({ slow });
}

/** The breakpoints that fit a blueprint with these nodes. */
export function breakpointsNow(has: (path: string) => boolean): Breakpoint[] {
  const { conditions } = get();
  return [...useStudio.getState().breakpoints].filter(has).map((node) => {
    const condition = conditions[node] ?? "";
    return condition === "" ? { node } : { node, condition };
  });
}
