/** Where runs stop, kept by this browser for each blueprint. */
import { get, set } from "./state";

export function loadBreakpoints(id: string): ReadonlySet<string> {
  try {
    return new Set(JSON.parse(localStorage.getItem(`breakpoints:${id}`) ?? "[]") as string[]);
  } catch {
    return new Set();
  }
}

export function toggleBreakpoint(path: string): void {
  const breakpoints = new Set(get().breakpoints);
  if (!breakpoints.delete(path)) breakpoints.add(path);
  keepBreakpoints(breakpoints);
}

/** Keep where runs stop, under the id that the blueprint has now. */
export function keepBreakpoints(breakpoints = get().breakpoints): void {
  set({ breakpoints });
  localStorage.setItem(`breakpoints:${get().id ?? ""}`, JSON.stringify([...breakpoints]));
}
