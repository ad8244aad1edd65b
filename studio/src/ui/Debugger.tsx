import { ArrowRight, Eye, OctagonAlert, Plus, Save, X } from "lucide-react";
import { useEffect, useState, type ReactElement, type SyntheticEvent } from "react";
import { api, Refused, type NodeInputs, type Watched } from "../app/api";
import { addWatch, removeWatch, setCondition, useDebug } from "../app/debug";
import { ENDED, useRun } from "../app/run";
import { select, tell, toggleBreakpoint, useStudio } from "../app/store";
import { templateOf } from "../model/runs";

/** Where a run stops, what is next and what it would be called on, and what is watched. */
export function Debugger(): ReactElement {
  return (
    <div className="debugger">
      <Breakpoints />
      <NextInputs />
      <Watches />
    </div>
  );
}

function Breakpoints(): ReactElement {
  const breakpoints = useStudio((s) => s.breakpoints);
  const nodes = useStudio((s) => s.model.nodes);
  const [one] = useStudio((s) => s.selected);
  const conditions = useDebug((s) => s.conditions);
  const there = [...breakpoints].filter((path) => nodes.has(path));
  return (
    <section aria-label="Breakpoints">
      <h2><OctagonAlert />Breakpoints</h2>
      {there.length === 0 && <p className="help">None. <kbd>F9</kbd> sets one at the selected node: the run goes at full speed and stops before it.</p>}
      <ul className="stops">
        {there.map((path) => (
          <li key={path}>
            <button className="link" onClick={() => select([path])}>{path}</button>
            <Condition key={conditions[path] ?? ""} path={path} saved={conditions[path] ?? ""} />
            <button className="icon" aria-label={`Remove the breakpoint of ${path}`} onClick={() => toggleBreakpoint(path)}><X /></button>
          </li>
        ))}
      </ul>
      {one !== undefined && !breakpoints.has(one) && <button onClick={() => toggleBreakpoint(one)}><Plus />Stop before {one}</button>}
    </section>
  );
}

function Condition({ path, saved }: { readonly path: string; readonly saved: string }): ReactElement {
  const [text, setText] = useState(saved);
  const keep = (): void => { if (text.trim() !== saved) setCondition(path, text); };
  return <input className="code" aria-label={`Condition of the breakpoint of ${path}`} placeholder="always; or parameters.x > 2, item.id == 7" value={text} onChange={(e) => setText(e.target.value)} onBlur={keep} onKeyDown={(e) => { if (e.key === "Enter") keep(); }} />;
}

function NextInputs(): ReactElement {
  const standing = useRun((s) => s.standing);
  const run = useRun((s) => s.run);
  const status = useRun((s) => s.view?.status);
  const [chosen, setChosen] = useState("");
  const paths = (standing?.next ?? []).map((n) => n.node);
  const path = paths.includes(chosen) ? chosen : (standing?.stopped ?? paths[0] ?? "");
  const why = run === null ? "No run is looked at." : ENDED.has(status ?? "") ? "The run has ended." : "The run is not paused: a breakpoint, Pause, or Execute step by step stops it.";
  return (
    <section aria-label="Next">
      <h2><ArrowRight />Next</h2>
      {path === "" ? <p className="help">{paths.length === 0 && standing !== null ? "Nothing is ready to start." : why}</p> : <>
        {paths.length > 1 && <select aria-label="Which of the nodes that are next" value={path} onChange={(e) => setChosen(e.target.value)}>{paths.map((p) => <option key={p}>{p}</option>)}</select>}
        <Inputs key={`${path}:${standing?.events ?? 0}`} run={run!} path={path} />
      </>}
    </section>
  );
}

/** What a node would be called on, to be changed before it goes on. */
function Inputs({ run, path }: { readonly run: string; readonly path: string }): ReactElement {
  const [found, setFound] = useState<NodeInputs | null>(null);
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const [problem, setProblem] = useState("");
  const owner = useStudio((s) => s.info?.role === "owner");
  useEffect(() => {
    let gone = false;
    api.nodeInputs(run, path, null).then((inputs) => {
      if (gone) return;
      setFound(inputs);
      setTexts(Object.fromEntries(Object.entries(inputs.parameters).map(([name, value]) => [name, shownText(value)])));
    }, (error: unknown) => { if (!gone) setProblem(error instanceof Error ? error.message : String(error)); });
    return () => { gone = true; };
  }, [run, path]);
  if (found === null) return problem === "" ? <p className="help">Loading…</p> : <p className="help">{problem.includes("calls a node type") ? `${path} holds other nodes: step into it, or over it.` : problem}</p>;
  const names = Object.keys(found.parameters);
  const changed = names.filter((name) => texts[name] !== shownText(found.parameters[name]));
  const use = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    const parameters = { ...found.parameters, ...Object.fromEntries(changed.map((name) => [name, valueOf(texts[name]!, found.parameters[name])])) };
    try {
      await api.changeInputs(run, found.node, parameters);
      setProblem("");
      tell(`${found.node} will be called on what you wrote`, "good");
      setFound(await api.nodeInputs(run, found.node, null));
    } catch (error) {
      setProblem(error instanceof Refused && error.problems.length > 0 ? error.problems.map((p) => p.message).join("; ") : error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form className="next-inputs" onSubmit={(event) => void use(event)}>
      <p><button type="button" className="link" onClick={() => select([templateOf(found.node)])}>{found.node}</button> <span className="muted">{found.type}{found.attempt > 1 ? `, try ${found.attempt}` : ""}</span>{found.changed && <span className="chip chip-waiting">changed</span>}</p>
      {names.length === 0 && <p className="help">It takes nothing that can be changed.</p>}
      {names.map((name) => (
        <label key={name}><span>{name}</span><textarea className="code" aria-label={`${name} of ${found.node}`} readOnly={!found.open || !owner} rows={Math.min(6, (texts[name] ?? "").split("\n").length)} value={texts[name] ?? ""} onChange={(e) => setTexts((old) => ({ ...old, [name]: e.target.value }))} /></label>
      ))}
      {found.expressions.length > 0 && <p className="help">{found.expressions.join(", ")}: an expression, which stays as it is.</p>}
      {problem !== "" && <p className="problem" role="alert">{problem}</p>}
      {changed.length > 0 && <div className="row-actions"><button className="primary" type="submit"><Save />Use these</button></div>}
    </form>
  );
}

function shownText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

/** What was typed: as JSON where it is that, unless a text stood there. */
function valueOf(text: string, before: unknown): unknown {
  if (typeof before === "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function Watches(): ReactElement {
  const watches = useDebug((s) => s.watches);
  const run = useRun((s) => s.run);
  const at = useRun((s) => s.at);
  const events = useRun((s) => s.events.length);
  const standing = useRun((s) => s.standing);
  const [found, setFound] = useState<readonly Watched[]>([]);
  const [problem, setProblem] = useState("");
  const [text, setText] = useState("");
  const node = at === null ? (standing?.stopped ?? null) : null;
  useEffect(() => {
    if (run === null || watches.length === 0) return;
    let gone = false;
    const timer = setTimeout(() => {
      api.watch(run, watches, at, node).then((got) => { if (!gone) { setFound(got); setProblem(""); } }, (error: unknown) => { if (!gone) setProblem(error instanceof Error ? error.message : String(error)); });
    }, 250);
    return () => { gone = true; clearTimeout(timer); };
  }, [run, watches, at, events, node]);
  const add = (event: SyntheticEvent): void => { event.preventDefault(); addWatch(text); setText(""); };
  return (
    <section aria-label="Watch">
      <h2><Eye />Watch{node !== null && <span className="muted"> at {node}</span>}{at !== null && <span className="muted"> as it was at {at}</span>}</h2>
      <ul className="watches">
        {watches.map((expression) => {
          const value = run === null ? undefined : found.find((w) => w.expression === expression);
          return (
            <li key={expression}>
              <code>{expression}</code>
              <output title={value?.error ?? ""} className={value?.error ? "bad" : ""}>{value === undefined ? "" : value.error ? value.error : shownText(value.value ?? null)}{value?.cut ? " …" : ""}</output>
              <button className="icon" aria-label={`Watch ${expression} no more`} onClick={() => removeWatch(expression)}><X /></button>
            </li>
          );
        })}
      </ul>
      {problem !== "" && <p className="problem" role="alert">{problem}</p>}
      <form className="watch-add" onSubmit={add}><input className="code" aria-label="An expression to watch" placeholder="orders.size(), item.total > 10" value={text} onChange={(e) => setText(e.target.value)} /><button type="submit" disabled={text.trim() === ""}><Plus />Watch</button></form>
    </section>
  );
}
