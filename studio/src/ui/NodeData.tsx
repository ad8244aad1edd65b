import { Pin, PinOff, Play } from "lucide-react";
import { useMemo, useState, type ReactElement } from "react";
import { readable, type Source } from "../model/given";
import { whyNotPinned } from "../model/pins";
import { templateOf, type RunLog } from "../model/runs";
import type { RunView } from "../app/api";
import { pin, unpin, useDebug } from "../app/debug";
import { outputFor, useRun } from "../app/run";
import { select, tell, useStudio } from "../app/store";
import { ErrorBox } from "./ErrorBox";
import { requestRun } from "./Execute";
import { StatusChip } from "./StatusChip";
import { duration } from "./time";
import { Value } from "./Value";
import { Waiting } from "./Waiting";

/** The instances of a node: of a map, one for each item. The log changes in place: its version says when. */
function listOf(log: RunLog, view: RunView | null, path: string, version: number, at: number | null): readonly string[] {
  if (version === 0) return [];
  const told = at === null ? Object.keys(view?.nodes ?? {}) : [];
  return log.instances.get(path) ?? told.filter((p) => p.includes("[") && templateOf(p) === path);
}

interface Props {
  readonly path: string;
  /** What it was given stands elsewhere. */
  readonly alone?: boolean;
}

/** What a node gave in the run that is looked at, and what it was given for it. */
export function NodeOutput({ path, alone = false }: Props): ReactElement {
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
  const before = !alone && (asked ?? (status === "pending" && given.length > 0)); // what it is about to work on, before it has given anything
  return (
    <div className="output">
      {waits.filter((w) => templateOf(w.node) === path).map((wait) => <Waiting key={wait.node} run={run} wait={wait} />)}
      <div className="output-head">
        {!alone && given.length > 0 && error === null && (
          <div className="segments" role="group" aria-label="What is shown of the node">
            <button aria-pressed={before} onClick={() => setBefore(true)}>Input</button>
            <button aria-pressed={!before} onClick={() => setBefore(false)}>Output</button>
          </div>
        )}
        <h2>{instance}</h2><StatusChip status={status} />
        {node !== undefined && node.attempts.length > 1 && <span className="muted">{node.attempts.length} tries</span>}
        {node !== undefined && node.kept !== "" && <a className="chip" href={`#/runs/${node.kept}`} title="It was not called: this is what it gave then">kept</a>}
        {seen?.duration_ms !== null && seen !== undefined && <span className="muted">{duration(seen.duration_ms)}</span>}
        <span className="grow" />
        <NodeActions path={path} value={node?.hasOutput === true ? node.output : undefined} />
        {list.length > 1 && (
          <label className="which">item <input type="number" min={0} max={list.length - 1} value={Math.min(number, list.length - 1)} onChange={(e) => setNumber(Math.max(0, Number(e.target.value)))} /> of {list.length.toLocaleString()}</label>
        )}
        {failed >= 0 && list.length > 1 && <button className="link" onClick={() => setNumber(failed)}>first that failed</button>}
      </div>
      {error !== null && <ErrorBox error={error} />}
      {!alone && (error !== null || before) && <Given given={given} />}
      {before && status === "pending" && <p className="help">It has not run yet. This is what the nodes before it gave.</p>}
      {!before && node?.hasOutput && status !== "failed" && <Value value={node.output} />}
      {!before && !node?.hasOutput && error === null && <p className="empty">{status === "skipped" ? "It was skipped: what it waits for was not taken, or its condition was false." : status === "pending" ? "It has not run yet." : status === "cancelled" ? "It was cancelled: what comes before it failed, or the run was ended." : "It has given nothing of its own."}</p>}
    </div>
  );
}

interface Came extends Source { readonly value: unknown }

/** What the nodes gave that a node reads, each once. */
function useGiven(path: string): readonly Came[] {
  const model = useStudio((s) => s.model);
  const version = useRun((s) => s.version);
  return useMemo(() => {
    if (version === 0) return [];
    return readable(model, path).filter((source) => source.read).map((source) => ({ ...source, value: outputFor(source.path) })).filter(({ value }) => value !== undefined);
  }, [model, path, version]);
}

function Given({ given }: { readonly given: readonly Came[] }): ReactElement {
  return <>{given.map(({ path, root, value }) => <section key={path} className="given" aria-label={`What ${path} gave`}><h3>from <button className="link" aria-label={`Go to ${path}`} onClick={() => select([path])}>{path}</button></h3><Value value={value} from={root} /></section>)}</>;
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
