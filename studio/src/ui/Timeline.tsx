import { useMemo, type ReactElement } from "react";
import type { NodeRun, RunLog } from "../model/runs";
import { templateOf } from "../model/runs";
import { select, useStudio } from "../app/store";
import { useRun } from "../app/run";

const ROWS = 200;

export function duration(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

interface Row {
  readonly label: string;
  readonly path: string;
  readonly nodes: readonly NodeRun[];
}

/** One row for each node; the items of a large map share one. The log changes in place: its version says when. */
function rowsOf(log: RunLog, version: number): readonly Row[] {
  const rows: Row[] = [];
  if (version === 0) return rows;
  for (const [template, paths] of log.instances) {
    const nodes = paths.map((p) => log.nodes.get(p)!);
    if (paths.length > 12) rows.push({ label: `${template} × ${paths.length.toLocaleString()}`, path: template, nodes: nodes.slice(0, 2000) });
    else for (const node of nodes) rows.push({ label: node.path, path: template, nodes: [node] });
  }
  return rows.sort((a, b) => (a.nodes[0]!.attempts[0]?.from ?? 0) - (b.nodes[0]!.attempts[0]?.from ?? 0)).slice(0, ROWS);
}

/** When each node was at work, and how often it was tried. */
export function Timeline(): ReactElement {
  const log = useRun((s) => s.log);
  const version = useRun((s) => s.version);
  const selected = useStudio((s) => s.selected);
  const rows = useMemo(() => rowsOf(log, version), [log, version]);
  const start = log.started;
  const end = Math.max(log.latest, start + 0.001);
  const span = end - start;
  const at = (time: number): number => (100 * (time - start)) / span;
  if (rows.length === 0) return <p className="empty">Nothing has run yet.</p>;
  return (
    <div className="timeline" role="group" aria-label="Timeline">
      <div className="axis" aria-hidden="true"><span />{[0, 0.25, 0.5, 0.75, 1].map((share) => <i key={share} style={{ left: `calc(190px + (100% - 200px) * ${share})` }}>{duration(span * share * 1000)}</i>)}</div>
      {rows.map((row) => (
        <button key={row.label} className={`gantt${selected.has(row.path) ? " chosen" : ""}`} onClick={() => select([row.path])}>
          <span className="gantt-name" title={row.label}>{row.label}</span>
          <span className="gantt-track">
            {row.nodes.flatMap((node) => node.attempts.map((a) => (
              <i
                key={`${node.path}:${a.attempt}:${a.from}`} className={`bar-${a.status}`} title={`${node.path}, try ${a.attempt}: ${a.status}, ${duration(((a.to ?? end) - a.from) * 1000)}${a.error === null ? "" : ` — ${a.error.message}`}`}
                style={{ left: `${at(a.from)}%`, width: `max(3px, ${at(a.to ?? end) - at(a.from)}%)` }}
              />
            )))}
          </span>
          <span className="gantt-time">{took(row, end)}</span>
        </button>
      ))}
      {rows.length === ROWS && <p className="empty">Only the first {ROWS} are shown.</p>}
    </div>
  );
}

function took(row: Row, end: number): string {
  const from = Math.min(...row.nodes.map((n) => n.attempts[0]?.from ?? end));
  const to = Math.max(...row.nodes.map((n) => n.attempts[n.attempts.length - 1]?.to ?? end));
  return duration((to - from) * 1000);
}

export function templatePath(path: string): string {
  return templateOf(path);
}
