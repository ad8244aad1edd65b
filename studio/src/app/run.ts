/** The run that is looked at: followed live, or seen as it was at some earlier moment. */
import { create } from "zustand";
import { readyNodes, startLog, takeIn, talliesOf, templateOf, type RunEvent, type RunLog, type Tally } from "../model/runs";
import * as op from "../model/operations";
import type { Model } from "../model/blueprint";
import { api, follow, Refused, type RunView, type Wait } from "./api";
import { attempt, dirty, next, setPane, tell, useStudio } from "./store";

export interface Watching {
  readonly run: string | null;
  readonly blueprint: string | null;
  readonly view: RunView | null;
  readonly log: RunLog;
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Counts what came in: the log itself changes in place. */
  readonly version: number;
  readonly connection: "none" | "live" | "lost" | "ended";
  readonly waits: readonly Wait[];
  readonly events: readonly RunEvent[];
  /** Number of the event that time has gone back to; null for now. */
  readonly at: number | null;
  /** Nodes that a debugged run has stopped before. */
  readonly stopped: readonly string[];
  readonly debugging: boolean;
}

const none: Watching = {
  run: null, blueprint: null, view: null, log: startLog(), tallies: new Map(), version: 0,
  connection: "none", waits: [], events: [], at: null, stopped: [], debugging: false,
};

export const useRun = create<Watching>(() => none);
const get = useRun.getState;
const set = useRun.setState;

export const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

let stop: () => void = () => undefined;
let log = startLog();
let events: RunEvent[] = [];
let waiting: RunEvent[] = [];
let flushing = false;
let viewing = false;
let again = false;
let passed = new Set<string>();

export function leaveRun(): void {
  stop();
  stop = () => undefined;
  log = startLog();
  events = [];
  waiting = [];
  passed = new Set();
  set({ ...none, log });
}

/** Look at a run from its first fact on. */
export function watch(run: string, blueprint: string, debugging = false): void {
  leaveRun();
  set({ run, blueprint, connection: "live", debugging });
  stop = follow(run, 0, {
    onEvents: (came) => {
      if (get().run !== run) return;
      waiting.push(...came);
      if (!flushing) {
        flushing = true;
        setTimeout(() => flush(run), 80);
      }
    },
    onState: (connection) => {
      if (get().run !== run) return;
      set({ connection });
      if (connection !== "lost") void refresh(run);
    },
  });
}

/** Take in together what came in the last moment: a flood of facts is one change of the page. */
function flush(run: string): void {
  flushing = false;
  if (get().run !== run) return;
  const came = waiting;
  waiting = [];
  takeIn(log, came);
  events.push(...came);
  publish();
  void refresh(run);
}

function publish(): void {
  const { view, at, tallies } = get();
  const shown = at === null ? log : logAt(at);
  const fresh = talliesOf(shown, at === null ? (view?.nodes ?? null) : null);
  for (const [path, tally] of fresh) {
    const old = tallies.get(path);
    if (old !== undefined && sameTally(old, tally)) fresh.set(path, old);
    else fresh.set(path, { ...tally });
  }
  set((s) => ({ log: shown, tallies: fresh, version: s.version + 1, events }));
}

function sameTally(a: Tally, b: Tally): boolean {
  return a.status === b.status && a.total === b.total && a.running === b.running && a.completed === b.completed && a.failed === b.failed && a.waiting === b.waiting;
}

function logAt(number: number): RunLog {
  const past = startLog();
  takeIn(past, events.filter((e) => e.number <= number));
  return past;
}

/** Go to a moment of the run; null for now. */
export function travel(at: number | null): void {
  set({ at: at !== null && at >= log.cursor && ENDED.has(get().view?.status ?? "") ? null : at });
  publish();
}

/** Ask how the nodes are, at most as often as the answer is quick. */
async function refresh(run: string): Promise<void> {
  if (viewing) return void (again = true);
  viewing = true;
  again = false;
  const began = performance.now();
  try {
    const view = await api.run(run);
    const waits = ENDED.has(view.status) ? [] : await api.waits(run);
    if (get().run === run) {
      set({ view, waits });
      publish();
    }
  } catch (error) {
    if (error instanceof Refused && error.status !== 0) tell(error.message, "bad");
  }
  const rest = Math.max(250, 4 * (performance.now() - began));
  await new Promise((resolve) => setTimeout(resolve, rest));
  viewing = false;
  const open = get().run === run && !ENDED.has(get().view?.status ?? "");
  if (again || (open && get().view?.status !== "paused")) {
    if (get().run !== null) setTimeout(() => void refresh(get().run!), again ? 0 : 1000);
  }
}

// ---------------------------------------------------------------- starting and steering

/** The text without what is not needed for one node. */
export function upTo(model: Model, path: string): string {
  const top = path.split(".")[0]!;
  const needed = new Set([top]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const edge of model.edges) {
      const [source, target] = [edge.source.split(".")[0]!, edge.target.split(".")[0]!];
      if (needed.has(target) && !needed.has(source)) {
        needed.add(source);
        grown = true;
      }
    }
  }
  const gone = model.top.filter((id) => !needed.has(id));
  let now = gone.length === 0 ? model : next(model, op.removeNodes(model, gone, next));
  for (const key of ["output", "on"]) {
    const edits = op.deleteValue(now, [key]);
    if (edits.length > 0) now = next(now, edits);
  }
  return now.text;
}

export interface Executing {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly paused?: boolean;
  readonly until?: string;
}

/** Start a run of what is on the screen, saved or not. */
export async function execute({ inputs, paused = false, until }: Executing): Promise<void> {
  const { model, id, breakpoints, etag } = useStudio.getState();
  const debugging = paused || breakpoints.size > 0;
  const kept = until === undefined && etag !== null && !dirty(useStudio.getState()) && id !== null;
  const source = until === undefined ? model.text : upTo(model, until);
  const run = await attempt(api.start({ ...(kept ? { blueprint: id } : { source }), inputs, paused: debugging }));
  if (run === null) return;
  setPane({ run: true, tab: "output" });
  watch(run, model.head.id, debugging);
  if (debugging && !paused) void goOn(run);
  else if (paused) void look(run);
}

async function look(run: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  const view = await attempt(api.run(run));
  if (view !== null) set({ stopped: ready(view) });
}

function ready(view: RunView): string[] {
  const { model } = useStudio.getState();
  return readyNodes(view.nodes, model.edges, (path) => {
    const node = model.nodes.get(path);
    return node?.kind === "group" || node?.repeat !== null;
  });
}

/** Let a paused run go on, up to the next breakpoint. */
export async function goOn(run = get().run): Promise<void> {
  if (run === null) return;
  for (const path of get().stopped) passed.add(path);
  set({ stopped: [], debugging: true });
  for (;;) {
    if (get().run !== run) return;
    const { breakpoints } = useStudio.getState();
    const view = await attempt(api.run(run));
    if (view === null || ENDED.has(view.status)) return;
    if (breakpoints.size === 0) {
      await attempt(api.resume(run));
      return;
    }
    const open = ready(view);
    const hit = open.filter((path) => breakpoints.has(templateOf(path)) && !passed.has(path));
    if (hit.length > 0) {
      set({ stopped: hit });
      return tell(`stopped before ${hit[0]!}`, "info");
    }
    const busy = Object.values(view.nodes).some((node) => node.status === "running" && node.duration_ms === null);
    if (open.length > 0) await attempt(api.step(run));
    await new Promise((resolve) => setTimeout(resolve, busy || open.length === 0 ? 120 : 25));
  }
}

/** Start one more attempt. */
export async function stepOnce(): Promise<void> {
  const { run, stopped } = get();
  if (run === null) return;
  for (const path of stopped) passed.add(path);
  if ((await attempt(api.step(run))) === null) return;
  await look(run);
}

export async function steer(what: "cancel" | "pause" | "resume"): Promise<void> {
  const { run } = get();
  if (run === null) return;
  if (what === "resume") set({ stopped: [] });
  if ((await attempt(api[what](run))) === null) return;
  if (what === "pause") {
    set({ debugging: true });
    await look(run);
  }
  void refresh(run);
}

export async function retry(run: string): Promise<string | null> {
  return attempt(api.retry(run));
}

/** What a node gave in the run that is looked at; of a map, what its last item gave. */
export function outputFor(path: string): unknown {
  const shown = get().log;
  const list = shown.instances.get(path);
  if (list === undefined) return undefined;
  for (let i = list.length - 1; i >= 0; i--) {
    const node = shown.nodes.get(list[i]!);
    if (node?.hasOutput) return node.output;
  }
  return undefined;
}
