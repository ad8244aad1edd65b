/** A run as its facts tell it: what each node did, and when. No network, no React. */

export interface ErrorInfo {
  readonly code: string;
  readonly message: string;
  readonly node?: string | null;
  readonly attempt?: number | null;
  readonly retryable?: boolean;
  readonly details?: unknown;
}

export interface RunEvent {
  readonly number: number;
  readonly kind: string;
  readonly node: string | null;
  readonly fact: Readonly<Record<string, unknown>> & { readonly time: number };
}

export type Status = "pending" | "running" | "waiting" | "completed" | "failed" | "skipped" | "cancelled";

export interface Attempt {
  readonly attempt: number;
  readonly from: number;
  to: number | null;
  status: Status;
  error: ErrorInfo | null;
}

/** One node of a run: of a map each item has one of its own, such as `each[3].read`. */
export interface NodeRun {
  readonly path: string;
  status: Status;
  attempts: Attempt[];
  output: unknown;
  hasOutput: boolean;
  error: ErrorInfo | null;
  /** The run that gave the output, when the node was not called since that is kept; empty when it was. */
  kept: string;
}

/** What is known of all the runs of one node of the blueprint. */
export interface Tally {
  status: Status;
  total: number;
  running: number;
  completed: number;
  failed: number;
  waiting: number;
  skipped: number;
  cancelled: number;
}

/** A fact that is not about an attempt. */
export interface Mark {
  readonly time: number;
  readonly kind: string;
  readonly number: number;
  readonly by: string;
}

export interface RunLog {
  readonly nodes: Map<string, NodeRun>;
  readonly tallies: Map<string, Tally>;
  /** Instances by the path of their node in the blueprint. */
  readonly instances: Map<string, string[]>;
  cursor: number;
  started: number;
  latest: number;
  paused: boolean;
  beganPaused: boolean;
  inputs: unknown;
  readonly marks: Mark[];
}

export function startLog(): RunLog {
  return { nodes: new Map(), tallies: new Map(), instances: new Map(), cursor: 0, started: 0, latest: 0, paused: false, beganPaused: false, inputs: null, marks: [] };
}

/** The path of a node in its blueprint: `each[3].read` is `each.read`. */
export function templateOf(path: string): string {
  return path.includes("[") ? path.replace(/\[\d+\]/g, "") : path;
}

/** Take in facts, each once and in order; one that was seen is left out. */
export function takeIn(log: RunLog, events: readonly RunEvent[]): void {
  for (const event of events) {
    if (event.number <= log.cursor) continue;
    log.cursor = event.number;
    log.latest = event.fact.time;
    one(log, event);
  }
}

function one(log: RunLog, event: RunEvent): void {
  const { fact } = event;
  if (event.kind === "run_requested") {
    log.started = fact.time;
    log.inputs = fact["inputs"];
    log.paused = log.beganPaused = fact["paused"] === true;
  } else if (event.kind === "paused" || (event.kind === "breakpoint_checked" && fact["stops"] === true)) log.paused = true;
  else if (event.kind === "resumed") log.paused = false;
  if (event.node === null || !event.kind.startsWith("attempt_")) {
    if (event.kind !== "breakpoint_checked" || fact["stops"] === true) log.marks.push({ time: fact.time, kind: event.kind, number: event.number, by: typeof fact["by"] === "string" ? fact["by"] : "" });
    return;
  }
  const node = nodeOf(log, event.node);
  const before = node.status;
  attempt(node, event);
  count(log, node, before);
}

function nodeOf(log: RunLog, path: string): NodeRun {
  let node = log.nodes.get(path);
  if (node === undefined) {
    node = { path, status: "pending", attempts: [], output: undefined, hasOutput: false, error: null, kept: "" };
    log.nodes.set(path, node);
    const template = templateOf(path);
    const list = log.instances.get(template);
    if (list === undefined) log.instances.set(template, [path]);
    else list.push(path);
    const tally = log.tallies.get(template) ?? emptyTally();
    tally.total++;
    log.tallies.set(template, tally);
  }
  return node;
}

function emptyTally(): Tally {
  return { status: "pending", total: 0, running: 0, completed: 0, failed: 0, waiting: 0, skipped: 0, cancelled: 0 };
}

function attempt(node: NodeRun, event: RunEvent): void {
  const { fact } = event;
  const number = Number(fact["attempt"] ?? 1);
  if (event.kind === "attempt_started" || event.kind === "attempt_repeated") {
    node.attempts.push({ attempt: number, from: fact.time, to: null, status: "running", error: null });
    node.status = "running";
    return;
  }
  let last = node.attempts[node.attempts.length - 1];
  if (last === undefined) {
    last = { attempt: number, from: fact.time, to: null, status: "running", error: null };
    node.attempts.push(last);
  }
  last.to = fact.time;
  if (event.kind === "attempt_completed") {
    last.status = node.status = "completed";
    node.output = fact["output"];
    node.hasOutput = true;
    node.kept = typeof fact["cached"] === "string" ? fact["cached"] : "";
    node.error = null;
  } else {
    const error = (fact["error"] as ErrorInfo | undefined) ?? { code: "ATTEMPT_LOST", message: "the process that ran it died" };
    last.error = node.error = error;
    last.status = node.status = error.code === "CANCELLED" ? "cancelled" : "failed";
  }
}

function count(log: RunLog, node: NodeRun, before: Status): void {
  const tally = log.tallies.get(templateOf(node.path))!;
  if (before !== "pending") tally[before]--;
  if (node.status !== "pending") tally[node.status]++;
  tally.status = overall(tally);
}

function overall(tally: Tally): Status {
  if (tally.running > 0) return "running";
  if (tally.waiting > 0) return "waiting";
  if (tally.failed > 0) return "failed";
  if (tally.cancelled > 0) return "cancelled";
  if (tally.completed > 0) return "completed";
  return tally.skipped > 0 ? "skipped" : "pending";
}

/** What a server says of the nodes of a run, which the facts alone do not tell. */
export interface Seen {
  readonly status: Status;
  readonly attempts: number;
  readonly duration_ms: number | null;
  readonly error: ErrorInfo | null;
  /** Of a wait: when it began. */
  readonly since?: number;
}

/** The state of each node of the blueprint: what the server says, or else the facts. */
export function talliesOf(log: RunLog, seen: Readonly<Record<string, Seen>> | null): Map<string, Tally> {
  if (seen === null) return new Map(log.tallies);
  const found = new Map<string, Tally>();
  for (const path of Object.keys(seen)) {
    const status = seen[path]!.status;
    const template = templateOf(path);
    let tally = found.get(template);
    if (tally === undefined) found.set(template, (tally = emptyTally()));
    const whole = path === template;
    if (whole) tally.status = status;
    else {
      tally.total++;
      if (status !== "pending") tally[status]++;
      if (!(template in seen)) tally.status = overall(tally);
    }
  }
  for (const [path, tally] of log.tallies) if (!found.has(path)) found.set(path, tally);
  return found;
}
