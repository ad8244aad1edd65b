import { useEffect, useMemo, useState, type ReactElement } from "react";
import { ticks, timelineOf, type Row, type Span } from "../model/timeline";
import { select, useStudio } from "../app/store";
import { useRun } from "../app/run";
import { duration } from "./time";

const ROWS = 200;
const LEGEND: readonly [string, string][] = [["bar-completed", "at work"], ["bar-failed", "failed"], ["bar-retry", "before another try"], ["bar-wait", "waited"], ["bar-queue", "in the queue"], ["bar-paused", "paused"]];

const ENDED = new Set(["completed", "failed", "cancelled"]);

/** The present moment in seconds, from second to second, while something goes on; 0 otherwise. */
function useNow(going: boolean): number {
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (!going) return;
    const tick = (): void => setNow(Date.now() / 1000);
    const first = setTimeout(tick, 0);
    const timer = setInterval(tick, 1000);
    return () => { clearTimeout(first); clearInterval(timer); };
  }, [going]);
  return going ? now : 0;
}

const bar = (span: Span): string => (span.kind === "attempt" ? `bar-${span.status}` : `bar-${span.kind}`);

/** When each node was at work, waited, or was tried again. */
export function Timeline(): ReactElement {
  const log = useRun((s) => s.log);
  const view = useRun((s) => s.view);
  const at = useRun((s) => s.at);
  const version = useRun((s) => s.version);
  const selected = useStudio((s) => s.selected);
  // The log changes in place: its version says when.
  const rows = useMemo(() => (version < 0 ? [] : timelineOf(log, at === null ? (view?.nodes ?? null) : null)), [log, view, at, version]);
  const start = log.started;
  const now = useNow(at === null && rows.length > 0 && view !== null && !ENDED.has(view.status));
  const ended = rows.flatMap((row) => row.spans).reduce((latest, span) => Math.max(latest, span.to ?? 0), Math.max(log.latest, now));
  const end = Math.max(ended, start + 0.001);
  const span = end - start;
  const place = (time: number): number => (100 * (time - start)) / span;
  if (rows.length === 0) return <p className="empty">Nothing has run yet.</p>;
  const used = new Set(rows.flatMap((row) => row.spans.map(bar)));
  return (
    <div className="timeline" role="group" aria-label="Timeline">
      <div className="axis" aria-hidden="true"><span />{ticks(span * 1000).map((at) => <i key={at} style={{ left: `calc(190px + (100% - 284px) * ${at / (span * 1000)})` }}>{duration(at)}</i>)}</div>
      {rows.slice(0, ROWS).map((row) => (
        <button key={row.path + row.label} className={`gantt${row.path !== "" && selected.has(row.path) ? " chosen" : ""}${row.path === "" ? " gantt-run" : ""}`} onClick={() => { if (row.path !== "") select([row.path]); }}>
          <span className="gantt-name" title={row.label}>{row.label}</span>
          <span className="gantt-track">
            {row.spans.map((one, n) => (
              <i key={n} className={bar(one)} title={`${one.label}, ${duration(((one.to ?? end) - one.from) * 1000)}`} style={{ left: `${place(one.from)}%`, width: `max(3px, ${place(one.to ?? end) - place(one.from)}%)` }} />
            ))}
          </span>
          <span className="gantt-time">{took(row, end)}</span>
        </button>
      ))}
      {rows.length > ROWS && <p className="empty">Only the first {ROWS} of {rows.length.toLocaleString()} are shown.</p>}
      <p className="legend">{LEGEND.filter(([kind]) => used.has(kind)).map(([kind, words]) => <span key={kind}><i className={kind} aria-hidden="true" />{words}</span>)}</p>
    </div>
  );
}

function took(row: Row, end: number): string {
  const to = row.spans.reduce((latest, span) => Math.max(latest, span.to ?? end), 0);
  return duration(Math.max(0, (to - row.from) * 1000));
}
