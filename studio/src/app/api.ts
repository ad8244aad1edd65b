/** The server, as the studio asks it. */
import type { ErrorInfo, RunEvent, Seen } from "../model/runs";
import type { NodeType } from "../model/schemas";

export interface BlueprintInfo {
  readonly id: string;
  readonly revision: number;
  readonly etag: string;
  readonly hash: string;
  readonly updated_at: number;
  readonly name: string;
  readonly description: string;
  /** Why its text is no blueprint yet. */
  readonly problem?: string | null;
}

export interface Stored {
  readonly info: BlueprintInfo;
  readonly text: string;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly path?: string | null;
  readonly line?: number | null;
  readonly column?: number | null;
  readonly hint?: string | null;
}

export interface RunHeader {
  readonly run: string;
  readonly blueprint: string;
  readonly blueprint_hash: string;
  readonly created_at: number;
  readonly ended_at: number | null;
  readonly status: string;
  readonly reason: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly events: number;
}

export interface RunView {
  readonly run: string;
  readonly blueprint: string;
  readonly status: string;
  readonly output: unknown;
  readonly error: ErrorInfo | null;
  readonly reason: string | null;
  readonly duration_ms: number;
  readonly nodes: Readonly<Record<string, Seen>>;
  readonly compensation: { readonly completed?: string[]; readonly failed?: string[] };
  readonly forked_from: string | null;
}

export interface Wait {
  readonly node: string;
  readonly kind: string;
  readonly until?: number | null;
  readonly signal?: string;
  readonly title?: string;
  readonly description?: string;
  readonly fields?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Asked {
  readonly run: string;
  readonly blueprint: string;
  readonly wait: Wait;
}

/** What an expression gives over the data of a run, or why it gives nothing. */
export interface Previewed {
  readonly ok: boolean;
  readonly text: string;
  readonly kind: string;
  readonly size: number;
  readonly error: string | null;
  readonly offset: number | null;
}

export interface Previewing {
  readonly run: string;
  readonly text: string;
  readonly node: string;
  readonly bare: boolean;
  /** A text that gives a list: `item` is its first one. */
  readonly over?: string;
}

export interface Breakpoint {
  readonly node: string;
  readonly condition?: string;
}

export interface NextNode {
  readonly node: string;
  readonly type?: string;
  readonly attempt?: number;
  readonly changed?: boolean;
}

/** Where a run that is debugged stands. */
export interface Standing {
  readonly status: string;
  readonly paused: boolean;
  readonly stopped: string | null;
  readonly breakpoints: readonly Breakpoint[];
  readonly next: readonly NextNode[];
  readonly events: number;
}

export interface NodeInputs {
  readonly node: string;
  readonly type: string;
  readonly attempt: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly expressions: readonly string[];
  readonly changed: boolean;
  readonly open: boolean;
}

export interface Watched {
  readonly expression: string;
  readonly value?: unknown;
  readonly cut?: boolean;
  readonly error?: string;
}

export type StepMode = "into" | "over" | "out";

export interface Trigger {
  readonly id: string;
  readonly blueprint: string;
  readonly kind: "webhook" | "schedule" | "event" | "watch";
  readonly settings: Readonly<Record<string, unknown>>;
  readonly fired: {
    readonly paused: boolean;
    readonly handled_at: number | null;
    readonly fired_at: number | null;
    readonly count: number;
    readonly run: string | null;
    readonly problem: string | null;
  };
  readonly next_at: number | null;
  readonly invalid: string | null;
}

export interface QueueSizes {
  readonly waiting: number;
  readonly delayed: number;
  readonly running: number;
}

export interface DeadLetter {
  readonly run: string;
  readonly blueprint: string;
  readonly ended_at: number;
  readonly code: string;
  readonly message: string;
}

export interface RunText {
  readonly text: string;
  readonly exact: boolean;
  readonly revision: number | null;
}

export interface StudioInfo {
  readonly version: string;
  readonly role: "viewer" | "operator" | "owner";
  readonly open: string | null;
}

/** What the server refused, and why. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly problems: readonly Problem[] = [],
  ) {
    super(message);
  }
}

const BASE = "/api/v1";

interface Asking {
  readonly method?: string;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export async function ask(path: string, asking: Asking = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json", ...asking.headers };
  const init: RequestInit = { method: asking.method ?? "GET", headers };
  if (asking.signal) init.signal = asking.signal;
  if (asking.text !== undefined) {
    headers["content-type"] = "application/yaml";
    init.body = asking.text;
  } else if (asking.json !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(asking.json);
  }
  let answer: Response;
  try {
    answer = await fetch(BASE + path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused("the server cannot be reached: is it still running?", 0, "UNAVAILABLE");
  }
  if (!answer.ok && answer.status !== 304) throw await refusal(answer);
  return answer;
}

async function refusal(answer: Response): Promise<Refused> {
  if (answer.status === 401) {
    return new Refused("you are not logged in any more: open the link that `atomiton studio` prints, or a new one (`atomiton tokens login`)", 401, "UNAUTHENTICATED");
  }
  try {
    const told = (await answer.json()) as { detail?: string; code?: string; problems?: Problem[] };
    return new Refused(told.detail ?? answer.statusText, answer.status, told.code ?? "INTERNAL", told.problems ?? []);
  } catch {
    return new Refused(`the server answered ${answer.status}`, answer.status, "INTERNAL");
  }
}

async function data<T>(path: string, asking: Asking = {}): Promise<T> {
  return (await (await ask(path, asking)).json()) as T;
}

function post<T>(path: string, json: unknown = {}): Promise<T> {
  return data<T>(path, { method: "POST", json });
}

const at = (id: string): string => encodeURIComponent(id);

export const api = {
  info: () => data<StudioInfo>("/studio"),
  nodes: async () => (await data<{ nodes: NodeType[] }>("/nodes")).nodes,
  blueprints: async () => (await data<{ items: BlueprintInfo[] }>("/blueprints?limit=1000")).items,
  blueprint: (id: string) => data<Stored>(`/blueprints/${at(id)}`),
  /** The newest text if it is another than the one with this etag. */
  async newer(id: string, etag: string): Promise<Stored | null> {
    const answer = await ask(`/blueprints/${at(id)}`, { headers: { "if-none-match": `"${etag}"` } });
    return answer.status === 304 ? null : ((await answer.json()) as Stored);
  },
  save(id: string, text: string, etag: string | null): Promise<BlueprintInfo> {
    const headers: Record<string, string> = etag === null ? { "if-none-match": "*" } : { "if-match": `"${etag}"` };
    return data<BlueprintInfo>(`/blueprints/${at(id)}`, { method: "PUT", text, headers });
  },
  remove: (id: string) => ask(`/blueprints/${at(id)}`, { method: "DELETE" }),
  undelete: (id: string) => post<BlueprintInfo>(`/blueprints/${at(id)}/undelete`),
  validate: (source: string, signal?: AbortSignal) =>
    data<{ valid: boolean; problems: Problem[] }>("/validate", { method: "POST", json: { source }, ...(signal ? { signal } : {}) }),
  preview: (json: Previewing, signal: AbortSignal) => data<Previewed>("/expressions/preview", { method: "POST", json, signal }),
  python: async (source: string, signal?: AbortSignal) =>
    (await data<{ code: string }>("/python", { method: "POST", json: { source }, ...(signal ? { signal } : {}) })).code,
  start: async (body: { blueprint?: string; source?: string; inputs: unknown; paused?: boolean; breakpoints?: readonly Breakpoint[] }) =>
    (await post<{ run: string }>("/runs", body)).run,
  runs(query: { status?: string; blueprint?: string; before?: string; limit?: number }): Promise<{ runs: RunHeader[]; next: string | null }> {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") words.set(name, String(value));
    return data(`/runs?${words.toString()}`);
  },
  run: (run: string) => data<RunView>(`/runs/${at(run)}`),
  header: (run: string) => data<RunHeader>(`/runs/${at(run)}/header`),
  waits: async (run: string) => (await data<{ waits: Wait[] }>(`/runs/${at(run)}/waits`)).waits,
  approvals: async () => (await data<{ approvals: Asked[] }>("/approvals?limit=1000")).approvals,
  cancel: (run: string) => post(`/runs/${at(run)}/cancel`),
  pause: (run: string) => post(`/runs/${at(run)}/pause`),
  resume: (run: string, lost?: "repeat" | "fail") => post(`/runs/${at(run)}/resume`, lost ? { lost } : {}),
  step: (run: string, mode: StepMode = "into", node?: string) =>
    post(`/runs/${at(run)}/step`, { key: crypto.randomUUID(), mode, ...(node === undefined ? {} : { node }) }),
  standing: (run: string) => data<Standing>(`/runs/${at(run)}/standing`),
  setBreakpoints: (run: string, breakpoints: readonly Breakpoint[]) => post(`/runs/${at(run)}/breakpoints`, { breakpoints }),
  nodeInputs: (run: string, node: string, when: number | null) =>
    data<NodeInputs>(`/runs/${at(run)}/inputs?${new URLSearchParams({ node, ...(when === null ? {} : { at: String(when) }) }).toString()}`),
  changeInputs: (run: string, node: string, parameters: unknown) => post(`/runs/${at(run)}/inputs`, { node, parameters }),
  watch: async (run: string, expressions: readonly string[], when: number | null, node: string | null) =>
    (await post<{ watched: Watched[] }>(`/runs/${at(run)}/watch`, { expressions, ...(when === null ? {} : { at: when }), ...(node === null ? {} : { node }) })).watched,
  text: (run: string) => data<RunText>(`/runs/${at(run)}/text`),
  /** The facts of a run, all of them up to a bound. */
  async facts(run: string, most = 20_000): Promise<RunEvent[]> {
    const found: RunEvent[] = [];
    for (let after = 0; found.length < most; ) {
      const page = await data<{ events: RunEvent[]; next: number; ended: boolean }>(`/runs/${at(run)}/events?limit=1000&after=${after}`);
      found.push(...page.events);
      if (page.events.length === 0 || page.next === after) break;
      after = page.next;
    }
    return found;
  },
  triggers: async () => (await data<{ triggers: Trigger[] }>("/triggers")).triggers,
  firings: async (cron: string, timezone: string, signal: AbortSignal) =>
    (await data<{ moments: number[] }>(`/schedules/preview?${new URLSearchParams({ cron, timezone, limit: "4" }).toString()}`, { signal })).moments,
  pauseTrigger: (trigger: string, paused: boolean) => post(`/triggers/${at(trigger)}/pause`, { paused }),
  fireTrigger: async (trigger: string, inputs: unknown) => (await post<{ run: string }>(`/triggers/${at(trigger)}/fire`, { inputs, key: crypto.randomUUID() })).run,
  queue: () => data<QueueSizes>("/queue"),
  dead(query: { blueprint?: string; code?: string; before?: string }): Promise<{ runs: DeadLetter[]; next: string | null }> {
    const words = new URLSearchParams({ limit: "50" });
    for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== "") words.set(name, value);
    return data(`/queue/dead?${words.toString()}`);
  },
  replay: async (run: string) => (await post<{ run: string }>(`/runs/${at(run)}/replay`)).run,
  retry: async (run: string) => (await post<{ run: string }>(`/runs/${at(run)}/retry`)).run,
  fork: async (run: string, node: string, inputs: unknown, paused: boolean) =>
    (await post<{ run: string }>(`/runs/${at(run)}/fork`, { node, inputs, paused })).run,
  signal: (run: string, name: string, payload: unknown) => post(`/runs/${at(run)}/signal`, { name, payload }),
  approve: (run: string, node: string, approved: boolean, comment: string, fields: unknown) =>
    post(`/runs/${at(run)}/approve`, { node, approved, comment, fields }),
};

/** Pieces of a stream of events; `null` stands for the end that the server tells of. */
export function parseEvents(buffer: string): { events: { kind: string; data: string }[]; rest: string } {
  const blocks = buffer.split("\n\n");
  const rest = blocks.pop() ?? "";
  const events = blocks.flatMap((block) => {
    let kind = "message";
    const lines: string[] = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("event:")) kind = line.slice(6).trim();
      else if (line.startsWith("data:")) lines.push(line.slice(5).trimStart());
    }
    return lines.length === 0 ? [] : [{ kind, data: lines.join("\n") }];
  });
  return { events, rest };
}

export interface Following {
  /** Called with what came, in order; never twice with the same number. */
  readonly onEvents: (events: readonly RunEvent[]) => void;
  readonly onState: (state: "live" | "lost" | "out" | "ended") => void;
}

/** Follow the facts of a run from a number on, again and again until it ends; gives a way to stop. */
export function follow(run: string, after: number, to: Following): () => void {
  const stop = new AbortController();
  let cursor = after;
  const go = async (): Promise<void> => {
    for (let tries = 0; !stop.signal.aborted; tries++) {
      let state: "lost" | "out" = "lost";
      try {
        const answer = await ask(`/runs/${at(run)}/events?after=${cursor}`, {
          headers: { accept: "text/event-stream" },
          signal: stop.signal,
        });
        to.onState("live");
        tries = 0;
        const ended = await readAll(answer, (event) => { cursor = event.number; }, to);
        if (ended) return to.onState("ended");
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error instanceof Refused && error.status === 404) return to.onState("ended");
        // A server that was started again knows nobody: trying again helps only after a login, which may be elsewhere.
        state = error instanceof Refused && error.status === 401 ? "out" : "lost";
      }
      to.onState(state);
      await new Promise((resolve) => setTimeout(resolve, Math.min(5000, 250 * 2 ** tries)));
    }
  };
  void go();
  return () => stop.abort();
}

async function readAll(answer: Response, seen: (event: RunEvent) => void, to: Following): Promise<boolean> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    const parsed = parseEvents(buffer + value);
    buffer = parsed.rest;
    const events: RunEvent[] = [];
    for (const { kind, data: body } of parsed.events) {
      if (kind === "end") {
        if (events.length > 0) to.onEvents(events);
        return true;
      }
      if (kind === "stopping" || kind === "error") continue;
      const event = JSON.parse(body) as RunEvent;
      seen(event);
      events.push(event);
    }
    if (events.length > 0) to.onEvents(events);
  }
}
