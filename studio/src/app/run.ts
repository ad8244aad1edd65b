/** The run that is looked at: followed live, or seen as it was at some earlier moment. */
import { create } from "zustand";
import { startLog, takeIn, talliesOf, type RunEvent, type RunLog, type Tally } from "../model/runs";
import { alone, withPins } from "../model/pins";
import * as op from "../model/operations";
import type { Model } from "../model/blueprint";
import { api, follow, Refused, type RunView, type Standing, type StepMode, type Wait } from "./api";
import { breakpointsNow, setSlow, useDebug } from "./debug";
import { attempt, dirty, next, read, setPane, tell, useStudio } from "./store";

export interface Watching {
  readonly run: string | null;
  readonly blueprint: string | null;
  readonly view: RunView | null;
  readonly log: RunLog;
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Counts what came in: the log itself changes in place. */
  readonly version: number;
  readonly connection: "none" | "live" | "lost" | "out" | "ended";
  readonly waits: readonly Wait[];
  readonly events: readonly RunEvent[];
  /** Number of the event that time has gone back to; null for now. */
  readonly at: number | null;
  /** Nodes that a paused run stands before: that with the breakpoint, or all that could be next. */
  readonly stopped: readonly string[];
  readonly standing: Standing | null;
  readonly debugging: boolean;
}

const none: Watching = {
  run: null, blueprint: null, view: null, log: startLog(), tallies: new Map(), version: 0,
  connection: "none", waits: [], events: [], at: null, stopped: [], standing: null, debugging: false,
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
/** Number of the fact at which the person was last told that the run has stopped. */
let told = 0;
/** The run that goes step by step by itself: it says itself what is next, since an answer from before a step says nothing of it. */
let slowRun: string | null = null;

export function leaveRun(): void {
  stop();
  stop = () => undefined;
  log = startLog();
  events = [];
  waiting = [];
  told = 0;
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
      if (connection !== "lost" && connection !== "out") void refresh(run);
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
    const ended = ENDED.has(view.status);
    const [waits, standing] = await Promise.all([ended ? [] : api.waits(run), view.status === "paused" ? api.standing(run) : null]);
    if (get().run === run) {
      stand(standing);
      set({ view, waits });
      publish();
    }
  } catch (error) {
    if (error instanceof Refused && error.status !== 0 && error.status !== 401) tell(error.message, "bad");
  }
  const rest = Math.max(250, 4 * (performance.now() - began));
  await new Promise((resolve) => setTimeout(resolve, rest));
  viewing = false;
  const open = get().run === run && !ENDED.has(get().view?.status ?? "");
  if (again || (open && get().view?.status !== "paused")) {
    setTimeout(() => {
      const { run: now } = get();
      if (now !== null) void refresh(now); // it may have been left meanwhile
    }, again ? 0 : 1000);
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
  /** The one node that is to run, on pinned data or on what was given before it last time. */
  readonly only?: string;
}

/** The text that is to run, and whether it is other than the one on the screen. */
function asked({ until, only }: Executing): { text: string; other: boolean } | string {
  const { model } = useStudio.getState();
  const { pins } = useDebug.getState();
  if (only !== undefined) {
    const made = alone(model, only, (path) => (path in pins ? pins[path] : outputFor(path)), next);
    return typeof made === "string" ? made : { text: made.text, other: true };
  }
  const pinned = withPins(model, pins, next);
  return { text: until === undefined ? pinned.text : upTo(pinned, until), other: until !== undefined || pinned !== model };
}

/** Start a run of what is on the screen, saved or not. */
export async function execute(how: Executing): Promise<void> {
  const { inputs, paused = false } = how;
  const { model, id, etag } = useStudio.getState();
  const wanted = asked(how);
  if (typeof wanted === "string") return tell(wanted, "bad");
  const { nodes } = wanted.other ? read(wanted.text) : model;
  const breakpoints = breakpointsNow((path) => nodes.has(path));
  const { slow } = useDebug.getState();
  const debugging = paused || slow !== null || breakpoints.length > 0;
  const kept = !wanted.other && etag !== null && !dirty(useStudio.getState()) && id !== null;
  const what = kept ? { blueprint: id } : { source: wanted.text };
  const run = await attempt(api.start({ ...what, inputs, paused: paused || slow !== null, ...(debugging ? { breakpoints } : {}) }));
  if (run === null) return;
  setPane({ run: true, tab: "output" });
  watch(run, model.head.id, debugging);
  if (slow !== null) void slowly(run);
}

/** Take in where the run stands; tell of a breakpoint once. */
function stand(standing: Standing | null): void {
  const before = get();
  const paths = standing === null ? [] : standing.stopped !== null ? [standing.stopped] : standing.next.map((n) => n.node);
  const same = before.run === slowRun || (paths.length === before.stopped.length && paths.every((path, i) => path === before.stopped[i]));
  set({ standing, ...(same ? {} : { stopped: paths }), ...(standing === null ? {} : { debugging: true }) });
  if (standing !== null && standing.stopped !== null && standing.events > told && useDebug.getState().slow === null) {
    told = standing.events;
    tell(`stopped before ${standing.stopped}`, "info");
  }
}

/** Let a paused run go on, up to the next breakpoint. */
export async function goOn(): Promise<void> {
  const { run, view } = get();
  if (run === null || ENDED.has(view?.status ?? "")) return;
  set({ stopped: [], standing: null, debugging: true });
  await attempt(api.resume(run));
  if (get().run === run) void refresh(run); // also where it was refused, or stops again at once
}

/** Start one more attempt, or let a node end, or what is around it. */
export async function stepOnce(mode: StepMode = "into"): Promise<void> {
  const { run, view } = get();
  if (run === null || ENDED.has(view?.status ?? "")) return;
  if ((await attempt(api.step(run, mode))) === null) return;
  await new Promise((resolve) => setTimeout(resolve, 150));
  if (get().run === run) void refresh(run);
}

/** Step by step, by itself, for as long as slow motion is wanted; then at full speed. */
async function slowly(run: string): Promise<void> {
  if (slowRun === run) return;
  slowRun = run;
  await stepping(run);
  if (slowRun !== run) return; // another one is gone through meanwhile
  slowRun = null;
  if (get().run === run) set({ stopped: [] });
}

async function stepping(run: string): Promise<void> {
  for (;;) {
    const { slow } = useDebug.getState();
    const { run: shown, view } = get();
    if (shown !== run || ENDED.has(view?.status ?? "")) break;
    if (slow === null) {
      await attempt(api.resume(run));
      return;
    }
    const standing = await attempt(api.standing(run));
    if (standing === null || get().run !== run) return;
    if (!standing.paused && !["running", "waiting", "queued"].includes(standing.status)) return;
    if (standing.paused && standing.next.length > 0) {
      set({ standing, stopped: [standing.next[0]!.node] });
      await new Promise((resolve) => setTimeout(resolve, slow));
      if ((await attempt(api.step(run))) === null) return;
    } else await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/** A new run that begins where this one came to a node. It stops at breakpoints, for which it begins held. */
export async function forkFrom(node: string, inputs: unknown, paused: boolean): Promise<string | null> {
  const { run, blueprint } = get();
  if (run === null || blueprint === null) return null;
  const { model } = useStudio.getState();
  const breakpoints = breakpointsNow((path) => model.nodes.has(path));
  const held = paused || breakpoints.length > 0;
  const made = await attempt(api.fork(run, node, inputs, held));
  if (made === null) return null;
  if (held) await attempt(api.setBreakpoints(made, breakpoints));
  watch(made, blueprint, held);
  if (held && !paused) await attempt(api.resume(made));
  return made;
}

/** Slow motion on or off, also for a run that is under way. */
export async function slowMotion(slow: number | null): Promise<void> {
  const before = useDebug.getState().slow;
  setSlow(slow);
  const { run, view } = get();
  if (slow === null || before !== null || run === null || view === null || ENDED.has(view.status)) return;
  if (view.status !== "paused" && (await attempt(api.pause(run))) === null) return;
  set({ debugging: true });
  void slowly(run);
}

useStudio.subscribe((now, before) => {
  if (now.breakpoints !== before.breakpoints && now.id === before.id) tellBreakpoints();
});
useDebug.subscribe((now, before) => {
  if (now.conditions !== before.conditions && now.id === before.id) tellBreakpoints();
});

/** Let a run that is under way know where it is to stop. */
function tellBreakpoints(): void {
  const { run, view } = get();
  if (run === null || ENDED.has(view?.status ?? "") || useStudio.getState().info?.role === "viewer") return;
  const { nodes } = view ?? { nodes: {} };
  const there = (path: string): boolean => useStudio.getState().model.nodes.has(path) && (path.split(".")[0]! in nodes || view === null);
  void attempt(api.setBreakpoints(run, breakpointsNow(there)));
}

export async function steer(what: "cancel" | "pause" | "resume"): Promise<void> {
  const { run } = get();
  if (run === null) return;
  if (what === "resume") set({ stopped: [], standing: null });
  if ((await attempt(api[what](run))) === null) return;
  if (what === "pause") set({ debugging: true });
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
