/** Times as they are shown: on every page in the same way. */

/** How long something took. */
export function duration(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** When something was or will be: its time, and its day where that is not today. */
export function moment(seconds: number, now = new Date()): string {
  const then = new Date(seconds * 1000);
  const time = then.toLocaleTimeString("en-GB");
  return then.toDateString() === now.toDateString() ? time : `${day(then, now)}, ${time}`;
}

/** How long ago something was; what is older than a day by its day. */
export function ago(seconds: number): string {
  const past = Date.now() / 1000 - seconds;
  if (past < 60) return "just now";
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return day(new Date(seconds * 1000), new Date());
}

function day(then: Date, now: Date): string {
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) });
}

/** What tells runs apart: they begin with their moment, which is much the same for many. */
export const shortRun = (run: string): string => (run.length > 16 ? `…${run.slice(-8)}` : run);
