import { ChevronDown, CirclePause, History, Play } from "lucide-react";
import { useEffect, useState, type ReactElement } from "react";
import { templateOf } from "../model/runs";
import { ENDED, travel, useRun } from "../app/run";
import { select, setPane, useStudio, type Pane } from "../app/store";
import { Debugger } from "./Debugger";
import { ErrorBox } from "./ErrorBox";
import { NodeOutput } from "./NodeData";
import { Splitter, useSize } from "./Splitter";
import { Steering } from "./Steering";
import { duration } from "./time";
import { Timeline } from "./Timeline";
import { Value } from "./Value";
import { Waiting } from "./Waiting";

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
      {view !== null && !ENDED.has(view.status) && waits.length === 0 && <p className="empty">{view.status === "paused" ? "It stands still: Continue or Step lets it go on." : (view.reason ?? `${log.nodes.size.toLocaleString()} steps so far…`)}</p>}
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
