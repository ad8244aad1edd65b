/** Which runs a time means: their ids begin with the moment that they were made at. */

export const PERIODS: readonly (readonly [key: string, words: string, seconds: number])[] = [
  ["hour", "the last hour", 3600], ["day", "the last 24 hours", 86_400], ["week", "the last 7 days", 604_800], ["month", "the last 30 days", 2_592_000],
];

export interface Period {
  /** Seconds since 1970 from which on a run counts; null for any. */
  readonly since: number | null;
  /** An id that the first run that is too late would have, or a later one; empty for any. */
  readonly before: string;
}

/** A time by its name, or a day as `2026-11-22` in the zone of whoever looks. */
export function periodOf(name: string, now: number): Period {
  const known = PERIODS.find(([key]) => key === name);
  if (known !== undefined) return { since: now - known[2], before: "" };
  const day = /^(\d{4})-(\d\d)-(\d\d)$/.exec(name);
  if (day === null) return { since: null, before: "" };
  const [year, month, date] = day.slice(1).map(Number) as [number, number, number];
  return { since: new Date(year, month - 1, date).getTime() / 1000, before: idFrom(new Date(year, month - 1, date + 1).getTime() / 1000) };
}

/** The least id of runs that are made from a moment on. */
export function idFrom(seconds: number): string {
  return `run_${Math.max(0, Math.floor(seconds * 1000)).toString(16).padStart(13, "0")}${"0".repeat(13)}`;
}
