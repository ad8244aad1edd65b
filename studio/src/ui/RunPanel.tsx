import { ArrowUpFromLine, Ban, ChevronDown, CirclePause, Footprints, GitFork, History, Pin, PinOff, Play, Redo, RotateCcw, Turtle, WifiOff } from "lucide-react";
import { useEffect, useMemo, useState, type ReactElement } from "react";
import { whyNotPinned } from "../model/pins";
import { templateOf, type RunLog } from "../model/runs";
import { api, type RunView, type Wait } from "../app/api";
import { pin, unpin, useDebug } from "../app/debug";
import { ENDED, forkFrom, goOn, outputFor, retry, slowMotion, steer, stepOnce, travel, useRun, watch } from "../app/run";
import { attempt, select, setPane, tell, useStudio, type Pane } from "../app/store";
import { Debugger } from "./Debugger";
import { requestRun } from "./Execute";
import { Field } from "./Field";
import { duration, Timeline } from "./Timeline";
import { Splitter, useSize } from "./Splitter";
import { Value } from "./Value";

const TABS: readonly [Pane["tab"], string][] = [["output", "Output"], ["timeline", "Timeline"], ["events", "Events"], ["debug", "Debug"], ["problems", "Problems"]];

export function RunPanel({ steering = true }: { readonly steering?: boolean }): ReactElement {
  const tab = useStudio((s) => s.pane.tab);
  const problems = useStudio((s) => s.problems.length + s.model.troubles.length);
  const run = useRun((s) => s.run);
  const size = useSize("run", { least: 160, most: () => innerHeight * 0.7 });
  return (
    <section className="run-panel" aria-label="Run" ref={size.element} style={size.pixels === null ? undefined : { height: size.pixels }}>
      <Splitter size={size} label="Height of the run panel" side="top" />
      <div className="run-bar">
        <div className="tabs" role="tablist">
          {TABS.map(([name, label]) => (
            <button key={name} role="tab" aria-selected={tab === name} onClick={() => setPane({ tab: name })}>{label}{name === "problems" && problems > 0 && <em className="count">{problems}</em>}</button>
          ))}
        </div>
        {run !== null && <Steering />}
        {steering && <button className="icon" aria-label="Close the panel" onClick={() => setPane({ run: false })}><ChevronDown /></button>}
      </div>
      {run !== null && <TimeTravel />}
      <div className="run-body" role="tabpanel">
        {tab === "output" && <Output />}
        {tab === "timeline" && <Timeline />}
        {tab === "events" && <Events />}
        {tab === "debug" && <Debugger />}
        {tab === "problems" && <Problems />}
      </div>
    </section>
  );
}

export function StatusChip({ status }: { readonly status: string }): ReactElement {
  return <span className={`chip chip-${status}`}>{status}</span>;
}

function Steering(): ReactElement {
  const view = useRun((s) => s.view);
  const run = useRun((s) => s.run)!;
  const connection = useRun((s) => s.connection);
  const debugging = useRun((s) => s.debugging);
  const stopped = useRun((s) => s.stopped);
  const slow = useDebug((s) => s.slow);
  const status = view?.status ?? "queued";
  const ended = ENDED.has(status);
  return (
    <div className="steering">
      {connection === "lost" && <span className="lost" role="status"><WifiOff />reconnecting…</span>}
      {connection === "out" && <span className="lost" role="alert" title="Open the link that `atomiton studio` prints, or one of `atomiton tokens login`; this page goes on by itself"><WifiOff />log in again: open the link that <code>atomiton studio</code> prints</span>}
      <StatusChip status={status} />
      {view !== null && <span className="muted">{duration(view.duration_ms)}</span>}
      {stopped.length > 0 && <span className="muted">next: {stopped.slice(0, 3).join(", ")}</span>}
      {!ended && debugging && <>
        <button title="Go on to the next breakpoint (F8)" onClick={() => void goOn()}><Play />Continue</button>
        <button title="Start one more attempt, also inside of what is next (F11)" onClick={() => void stepOnce()}><Footprints />Step</button>
        <button className="icon" title="Step over: until what is next has ended (F10)" aria-label="Step over" onClick={() => void stepOnce("over")}><Redo /></button>
        <button className="icon" title="Step out: until what is around has ended (Shift+F11)" aria-label="Step out" onClick={() => void stepOnce("out")}><ArrowUpFromLine /></button>
      </>}
      {!ended && <button className="icon" aria-pressed={slow !== null} title="Slow motion: one step at a time, by itself" aria-label="Slow motion" onClick={() => void slowMotion(slow === null ? 700 : null)}><Turtle /></button>}
      {!ended && (!debugging || status === "running") && status !== "paused" && <button onClick={() => void steer("pause")}><CirclePause />Pause</button>}
      {!ended && <button className="danger" onClick={() => void steer("cancel")}><Ban />Cancel</button>}
      {(status === "failed" || status === "cancelled") && <button title="Do again what failed; what was done stays done" onClick={() => { void retry(run).then((made) => { if (made !== null) { tell("tried again, as a new run", "good"); watch(made, view!.blueprint); } }); }}><RotateCcw />Retry</button>}
      {ended && <ForkButton />}
    </div>
  );
}

/** Run again from a node on, with other inputs. */
function ForkButton(): ReactElement | null {
  const selected = useStudio((s) => s.selected);
  const inputs = useStudio((s) => s.model.head.inputs);
  const log = useRun((s) => s.log);
  const [open, setOpen] = useState(false);
  const [values, setValues] = useState<Record<string, unknown>>({});
  const [one] = selected;
  const node = one?.split(".")[0];
  if (node === undefined) return null;
  const fork = async (paused: boolean): Promise<void> => {
    if ((await forkFrom(node, values, paused)) === null) return;
    setOpen(false);
    tell(`a new run begins at ${node}`, "good");
  };
  return (
    <div className="popover-anchor">
      <button aria-expanded={open} title="A new run that begins at the selected node" onClick={() => { setOpen(!open); setValues({ ...((log.inputs ?? {}) as Record<string, unknown>) }); }}><GitFork />Run again from {node}</button>
      {open && (
        <div className="popover" role="dialog" aria-label="Run again from here">
          <p className="help">What ran before {node} is kept. Its inputs may be others now.</p>
          {inputs.map((input) => <Field key={input.name} plain path="" name={input.name} schema={input.schema} value={values[input.name]} fallback={input.schema["default"]} onChange={(v) => setValues((old) => ({ ...old, [input.name]: v }))} />)}
          <div className="row-actions"><button className="primary" onClick={() => void fork(false)}>Run</button><button onClick={() => void fork(true)}>Start paused</button></div>
        </div>
      )}
    </div>
  );
}

function TimeTravel(): ReactElement | null {
  const events = useRun((s) => s.events);
  const at = useRun((s) => s.at);
  useRun((s) => s.version);
  const last = events[events.length - 1]?.number ?? 0;
  if (last < 2) return null;
  const event = at === null ? null : events.find((e) => e.number === at);
  return (
    <div className="travel">
      <History aria-hidden="true" />
      <Playback last={last} />
      <input type="range" aria-label="Go back in time along the events" min={1} max={last} value={at ?? last} onChange={(e) => travel(Number(e.target.value) >= last ? null : Number(e.target.value))} />
      <span>{event ? <>{event.number} of {last}: {event.kind.replace("_", " ")} {event.node ?? ""}</> : "now"}</span>
      {at !== null && <button onClick={() => travel(null)}>Back to now</button>}
    </div>
  );
}

/** The run once more, event by event, as fast as one can follow. */
function Playback({ last }: { readonly last: number }): ReactElement {
  const at = useRun((s) => s.at);
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const now = useRun.getState().at ?? last;
      // A long run is shown in two hundred pictures, a short one fact by fact.
      const next = now + Math.max(1, Math.ceil(last / 200));
      travel(next >= last ? null : next);
      if (next >= last) setPlaying(false);
    }, last > 60 ? 120 : 400);
    return () => clearInterval(timer);
  }, [playing, last]);
  const toggle = (): void => {
    if (!playing && at === null) travel(1);
    setPlaying(!playing);
  };
  return <button className="icon" aria-label={playing ? "Stop playing" : "Play the run again"} title={playing ? "Stop playing" : "Play the run again, slowly"} onClick={toggle}>{playing ? <CirclePause /> : <Play />}</button>;
}

const WAYS: Readonly<Record<string, string>> = {
  TIMEOUT: "Give the node more time under Policies, or try it again: retry.",
  NOT_ALLOWED: "This server does not allow it. Its owner can: --allow shell, --allow files.",
  EXPRESSION_ERROR: "Look at what the nodes before it gave: the expression does not fit that.",
  INVALID_INPUT: "A parameter is not what the node takes: look at its form.",
  NODE_FAILED: "Change the node and run again from here; or give it a retry, or a line for errors.",
  LOOP_LIMIT: "The loop never came to its end: look at its condition, or raise max.",
  UNKNOWN_NODE_TYPE: "This server does not know the type: start it with --nodes FILE.py.",
};

function Output(): ReactElement {
  const selected = useStudio((s) => s.selected);
  const view = useRun((s) => s.view);
  const log = useRun((s) => s.log);
  const waits = useRun((s) => s.waits);
  const run = useRun((s) => s.run);
  useRun((s) => s.version);
  const [one] = selected;
  if (run === null) return <p className="empty">Press <b>Execute</b>: what every node gives is shown here.</p>;
  if (one !== undefined) return <NodeOutput path={one} />;
  const error = view?.error ?? null;
  return (
    <div className="output">
      {waits.map((wait) => <Waiting key={wait.node} run={run} wait={wait} />)}
      {error !== null && <ErrorBox error={error} />}
      {view !== null && ENDED.has(view.status) && error === null && view.status !== "cancelled" && <><h2>What the run gave</h2><Value value={view.output} /></>}
      {view !== null && (view.compensation.completed?.length ?? 0) > 0 && <p className="help">Undone: {view.compensation.completed!.join(", ")}</p>}
      {view !== null && !ENDED.has(view.status) && waits.length === 0 && <p className="empty">{view.reason ?? `${log.nodes.size.toLocaleString()} steps so far…`}</p>}
    </div>
  );
}

export function ErrorBox({ error }: { readonly error: { readonly code: string; readonly message: string; readonly node?: string | null; readonly attempt?: number | null } }): ReactElement {
  return (
    <div className="error-box" role="alert">
      <b>{error.message}</b>
      <p><code>{error.code}</code>{error.node && <> at <button className="link" onClick={() => select([templateOf(error.node!)])}>{error.node}</button></>}{error.attempt ? `, try ${error.attempt}` : ""}</p>
      {WAYS[error.code] !== undefined && <p className="help">{WAYS[error.code]}</p>}
    </div>
  );
}

/** The instances of a node: of a map, one for each item. The log changes in place: its version says when. */
function listOf(log: RunLog, view: RunView | null, path: string, version: number, at: number | null): readonly string[] {
  if (version === 0) return [];
  const told = at === null ? Object.keys(view?.nodes ?? {}) : [];
  return log.instances.get(path) ?? told.filter((p) => p.includes("[") && templateOf(p) === path);
}

function NodeOutput({ path }: { readonly path: string }): ReactElement {
  const log = useRun((s) => s.log);
  const view = useRun((s) => s.view);
  const at = useRun((s) => s.at);
  const waits = useRun((s) => s.waits);
  const run = useRun((s) => s.run)!;
  const version = useRun((s) => s.version);
  const list = useMemo(() => listOf(log, view, path, version, at), [log, view, path, version, at]);
  const [number, setNumber] = useState(0);
  const instance = list[Math.min(number, list.length - 1)] ?? path;
  const node = log.nodes.get(instance);
  const seen = at === null ? view?.nodes[instance] : undefined;
  const error = node?.error ?? seen?.error ?? null;
  const status = seen?.status ?? node?.status ?? "pending";
  const failed = list.findIndex((p) => log.nodes.get(p)?.status === "failed");
  const [asked, setBefore] = useState<boolean | null>(null);
  const given = useGiven(path);
  const before = asked ?? (status === "pending" && given.length > 0); // what it is about to work on, before it has given anything
  return (
    <div className="output">
      {waits.filter((w) => templateOf(w.node) === path).map((wait) => <Waiting key={wait.node} run={run} wait={wait} />)}
      <div className="output-head">
        {given.length > 0 && error === null && (
          <div className="segments" role="group" aria-label="What is shown of the node">
            <button aria-pressed={before} onClick={() => setBefore(true)}>Input</button>
            <button aria-pressed={!before} onClick={() => setBefore(false)}>Output</button>
          </div>
        )}
        <h2>{instance}</h2><StatusChip status={status} />
        {node !== undefined && node.attempts.length > 1 && <span className="muted">{node.attempts.length} tries</span>}
        {seen?.duration_ms !== null && seen !== undefined && <span className="muted">{duration(seen.duration_ms)}</span>}
        <span className="grow" />
        <NodeActions path={path} value={node?.hasOutput === true ? node.output : undefined} />
        {list.length > 1 && (
          <label className="which">item <input type="number" min={0} max={list.length - 1} value={Math.min(number, list.length - 1)} onChange={(e) => setNumber(Math.max(0, Number(e.target.value)))} /> of {list.length.toLocaleString()}</label>
        )}
        {failed >= 0 && list.length > 1 && <button className="link" onClick={() => setNumber(failed)}>first that failed</button>}
      </div>
      {error !== null && <ErrorBox error={error} />}
      {(error !== null || before) && <Given given={given} />}
      {!before && node?.hasOutput && status !== "failed" && <Value value={node.output} />}
      {before && status === "pending" && <p className="help">It has not run yet. This is what the nodes before it gave.</p>}
      {!before && !node?.hasOutput && error === null && <p className="empty">{status === "skipped" ? "It was skipped: what it waits for was not taken, or its condition was false." : status === "pending" ? "It has not run yet." : status === "cancelled" ? "It was cancelled: what comes before it failed, or the run was ended." : "It has given nothing of its own."}</p>}
    </div>
  );
}

interface Source { readonly path: string; readonly value: unknown }

/** What the nodes gave that a node reads, each once. */
function useGiven(path: string): readonly Source[] {
  const edges = useStudio((s) => s.model.edges);
  const version = useRun((s) => s.version);
  return useMemo(() => {
    if (version === 0) return [];
    const sources = new Set(edges.filter((edge) => edge.kind === "data" && edge.target === path).map((edge) => edge.source));
    return [...sources].map((source) => ({ path: source, value: outputFor(source) })).filter(({ value }) => value !== undefined);
  }, [edges, path, version]);
}

function Given({ given }: { readonly given: readonly Source[] }): ReactElement {
  return <>{given.map(({ path, value }) => <section key={path} className="given" aria-label={`What ${path} gave`}><h3>from <button className="link" onClick={() => select([path])}>{path}</button></h3><Value value={value} /></section>)}</>;
}

/** What can be done with one node: run it alone, keep what it gave. */
function NodeActions({ path, value }: { readonly path: string; readonly value: unknown }): ReactElement | null {
  const pins = useDebug((s) => s.pins);
  const model = useStudio((s) => s.model);
  const editing = useStudio((s) => s.id !== null);
  if (!editing || useStudio.getState().info?.role !== "owner" || !location.hash.startsWith("#/b/")) return null;
  const why = whyNotPinned(model, path);
  const pinned = path in pins;
  const toggle = (): void => {
    if (pinned) return unpin(path);
    const problem = pin(path, value);
    if (problem === null) tell(`${path} gives this from now on, and does not run`);
    else tell(problem, "bad");
  };
  return (
    <span className="node-actions">
      {pinned && <span className="chip chip-pinned">pinned</span>}
      <button title="Run this node alone, on pinned data or on what was given before it" onClick={() => requestRun({ only: path })}><Play />Run only this</button>
      {(pinned || value !== undefined) && <button aria-pressed={pinned} disabled={why !== null} title={why ?? (pinned ? "Let the node run again" : "Let the node give this instead of running")} onClick={toggle}>{pinned ? <PinOff /> : <Pin />}{pinned ? "Unpin" : "Pin"}</button>}
    </span>
  );
}

/** Something that a run waits for, with what can be done about it. */
export function Waiting({ run, wait, done }: { readonly run: string; readonly wait: Wait; readonly done?: () => void }): ReactElement {
  const [comment, setComment] = useState("");
  const [values, setValues] = useState<Record<string, unknown>>({});
  const until = wait.until ? ` until ${new Date(wait.until * 1000).toLocaleString()}` : "";
  if (wait.kind === "approval") {
    const answer = async (approved: boolean): Promise<void> => {
      const fields = approved ? values : Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined));
      if ((await attempt(api.approve(run, wait.node, approved, comment, fields))) === null) return;
      tell(approved ? "approved" : "denied", "good");
      done?.();
    };
    return (
      <div className="wait-box">
        <h2>{wait.title || "Approval"}</h2>
        {wait.description && <p>{wait.description}</p>}
        <p className="help">{wait.node}{until}</p>
        {Object.entries(wait.fields ?? {}).map(([name, schema]) => <Field key={name} plain path="" name={name} schema={schema} required={!("default" in schema)} fallback={schema["default"]} value={values[name]} onChange={(v) => setValues((old) => ({ ...old, [name]: v }))} />)}
        <input aria-label="Comment" placeholder="Comment" value={comment} onChange={(e) => setComment(e.target.value)} />
        <div className="row-actions"><button className="primary" onClick={() => void answer(true)}>Approve</button><button className="danger" onClick={() => void answer(false)}>Deny</button></div>
      </div>
    );
  }
  return (
    <div className="wait-box">
      <p><b>{wait.node}</b> waits for {wait.kind === "signal" ? <>the signal <code>{wait.signal}</code></> : wait.kind}{until}</p>
      {wait.kind === "signal" && <div className="row-actions"><button onClick={() => void attempt(api.signal(run, wait.signal ?? "", null))}>Send it</button></div>}
      {wait.kind === "decision" && <div className="row-actions"><button onClick={() => void attempt(api.resume(run, "repeat"))}>Do it again</button><button className="danger" onClick={() => void attempt(api.resume(run, "fail"))}>Let it fail</button></div>}
    </div>
  );
}

const MOST_EVENTS = 300;

function Events(): ReactElement {
  const events = useRun((s) => s.events);
  const at = useRun((s) => s.at);
  const log = useRun((s) => s.log);
  useRun((s) => s.version);
  const from = Math.max(0, events.length - MOST_EVENTS);
  return (
    <div className="events">
      {from > 0 && <p className="empty">The last {MOST_EVENTS} of {events.length.toLocaleString()}.</p>}
      <ol>
        {events.slice(from).map((e) => (
          <li key={e.number}><button className={`event${at === e.number ? " chosen" : ""}`} onClick={() => { travel(e.number); if (e.node !== null) select([templateOf(e.node)]); }}>
            <small>{e.number}</small><span className={`event-kind kind-${e.kind}`}>{e.kind.replaceAll("_", " ")}</span><b>{e.node ?? ""}</b><time>+{duration(Math.max(0, (e.fact.time - (events[0]?.fact.time ?? log.started)) * 1000))}</time>
          </button></li>
        ))}
      </ol>
    </div>
  );
}

function Problems(): ReactElement {
  const problems = useStudio((s) => s.problems);
  const troubles = useStudio((s) => s.model.troubles);
  const nodes = useStudio((s) => s.model.nodes);
  if (troubles.length + problems.length === 0) return <p className="empty">No problems: this can run.</p>;
  const go = (path: string): void => {
    const parts = path.split(".");
    let found = "";
    for (let i = 0; parts[i] === "nodes" && parts[i + 1] !== undefined; i += 2) found = found === "" ? parts[i + 1]! : `${found}.${parts[i + 1]!}`;
    if (nodes.has(found)) select([found]);
  };
  return (
    <ul className="problem-list">
      {troubles.map((t) => <li key={`${t.message}${t.from}`}><b>{t.message}</b><small>The text cannot be read as YAML; the canvas shows what it last could.</small></li>)}
      {problems.map((p, i) => (
        <li key={i}><button onClick={() => go(p.path ?? "")}><b>{p.message}</b>{p.hint && <span>{p.hint}</span>}<small>{p.path}{p.line ? `, line ${p.line}` : ""} · {p.code}</small></button></li>
      ))}
    </ul>
  );
}
