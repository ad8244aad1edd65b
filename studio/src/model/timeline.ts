/** When each node of a run was at work, waited, or was tried again. No network, no React. */
import { templateOf, type NodeRun, type RunLog, type Seen, type Status } from "./runs";

export type SpanKind = "attempt" | "retry" | "wait" | "queue" | "paused";

export interface Span {
  readonly kind: SpanKind;
  readonly status: Status;
  readonly from: number;
  /** Null while it lasts. */
  readonly to: number | null;
  readonly label: string;
}

export interface Row {
  readonly label: string;
  /** Of the node in the blueprint; empty for the run itself. */
  readonly path: string;
  readonly spans: readonly Span[];
  readonly from: number;
}

/** Items of one node that have a row each; more share one. */
export const APART = 12;
/** Items of which the spans are drawn in a row that many share. */
const DRAWN = 2000;
/** How a queue names itself in the fact that lets a run begin. */
const QUEUE = "queue";

/** The rows of a run: the run itself where it stood still, then its nodes by when they began. */
export function timelineOf(log: RunLog, seen: Readonly<Record<string, Seen>> | null): Row[] {
  const rows: Row[] = [];
  for (const [template, paths] of log.instances) {
    const nodes = paths.map((path) => log.nodes.get(path)!).filter((node) => node.attempts.length > 0);
    if (nodes.length === 0) continue;
    if (nodes.length > APART) rows.push(row(`${template} × ${nodes.length.toLocaleString("en")}`, template, nodes.slice(0, DRAWN).flatMap(spansOf)));
    else for (const node of nodes) rows.push(row(node.path, template, spansOf(node)));
  }
  rows.push(...waitsOf(seen ?? {}));
  rows.sort((a, b) => a.from - b.from);
  const own = standstills(log);
  return own.length === 0 ? rows : [row("the run", "", own), ...rows];
}

function row(label: string, path: string, spans: readonly Span[]): Row {
  return { label, path, spans, from: Math.min(...spans.map((s) => s.from)) };
}

/** The tries of a node, and the times between them. */
function spansOf(node: NodeRun): Span[] {
  return node.attempts.flatMap((attempt, index) => {
    const after = node.attempts[index + 1];
    const error = attempt.error === null ? "" : `: ${attempt.error.message}`;
    const own: Span = { kind: "attempt", status: attempt.status, from: attempt.from, to: attempt.to, label: `${node.path}, try ${attempt.attempt}: ${attempt.status}${error}` };
    if (after === undefined || attempt.to === null) return [own];
    return [own, { kind: "retry", status: "waiting", from: attempt.to, to: after.from, label: `${node.path} waits for try ${after.attempt}` }];
  });
}

/** What waits for a time, a signal or a person. */
function waitsOf(seen: Readonly<Record<string, Seen>>): Row[] {
  const rows = new Map<string, { spans: Span[]; paths: string[] }>();
  for (const [path, node] of Object.entries(seen)) {
    if (node.since === undefined) continue;
    const found = rows.get(templateOf(path)) ?? { spans: [], paths: [] };
    rows.set(templateOf(path), found);
    const to = node.duration_ms === null ? null : node.since + node.duration_ms / 1000;
    found.paths.push(path);
    if (found.spans.length < DRAWN) found.spans.push({ kind: "wait", status: node.status, from: node.since, to, label: `${path} ${to === null ? "waits" : "waited"}` });
  }
  return [...rows].flatMap(([template, { spans, paths }]) =>
    paths.length > APART ? [row(`${template} × ${paths.length.toLocaleString("en")}`, template, spans)] : spans.map((span, i) => row(paths[i]!, template, [span])));
}

/** When the run waited for its turn, and when it was paused. */
function standstills(log: RunLog): Span[] {
  const spans: Span[] = [];
  const resumed = log.marks.find((mark) => mark.kind === "resumed");
  const queued = resumed?.by === QUEUE;
  let since: number | null = null;
  if (queued) spans.push({ kind: "queue", status: "waiting", from: log.started, to: resumed.time, label: "waited for its turn" });
  for (const mark of log.marks) {
    if (mark.kind === "run_requested") since = log.beganPaused && !queued ? mark.time : null;
    else if (mark.kind === "paused" || mark.kind === "breakpoint_checked") since ??= mark.time;
    else if ((mark.kind === "resumed" || mark.kind === "cancel_requested") && since !== null) {
      spans.push({ kind: "paused", status: "waiting", from: since, to: mark.time, label: "was paused" });
      since = null;
    }
  }
  if (since !== null) spans.push({ kind: "paused", status: "waiting", from: since, to: null, label: "is paused" });
  return spans;
}

/** How far apart marks may be, in milliseconds: what people count time in. */
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000];

/** Round moments of a time of so many milliseconds, from its beginning on: at most seven. */
export function ticks(milliseconds: number): number[] {
  const last = STEPS[STEPS.length - 1]!;
  const step = milliseconds < 6 ? milliseconds / 4 : (STEPS.find((one) => milliseconds / one <= 6) ?? Math.ceil(milliseconds / (6 * last)) * last);
  return Array.from({ length: Math.floor(milliseconds / step + 1e-9) + 1 }, (_, i) => i * step);
}
