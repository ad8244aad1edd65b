import { ReactFlowProvider } from "@xyflow/react";
import { ArrowLeft, PencilRuler } from "lucide-react";
import { useEffect, useState, type ReactElement } from "react";
import { api, type RunHeader, type RunView } from "../app/api";
import { leaveRun, watch } from "../app/run";
import { attempt, openBlueprint, openText, setPane, useStudio } from "../app/store";
import { Canvas } from "../canvas/Canvas";
import { duration } from "../ui/Timeline";
import { ErrorBox, RunPanel, StatusChip } from "../ui/RunPanel";

/** One run: what it did on the canvas, and in time. */
export default function RunPage({ run }: { readonly run: string }): ReactElement {
  const [header, setHeader] = useState<RunHeader | null>(null);
  const [known, setKnown] = useState<boolean | null>(null);
  useEffect(() => {
    let gone = false;
    void attempt(api.header(run)).then(async (found) => {
      if (found === null || gone) return;
      setHeader(found);
      const kept = await api.blueprint(found.blueprint).catch(() => null);
      if (gone) return;
      if (kept === null) openText("");
      else await openBlueprint(found.blueprint);
      setKnown(kept !== null && kept.info.hash === found.blueprint_hash);
      setPane({ tab: "timeline" });
      watch(run, found.blueprint);
    });
    return () => { gone = true; leaveRun(); };
  }, [run]);
  const nodes = useStudio((s) => s.model.nodes.size);
  return (
    <main className="editor">
      <header className="toolbar">
        <a className="icon" href="#/runs" aria-label="All runs"><ArrowLeft /></a>
        <div className="doc-name"><h1>{header?.blueprint ?? "Run"}</h1><small>{run}</small></div>
        {header !== null && <span className="muted">{new Date(header.created_at * 1000).toLocaleString()}</span>}
        <span className="grow" />
        {known === false && nodes > 0 && <span className="chip chip-waiting" title="The canvas shows the blueprint as it is now; the run keeps the one it began with">changed since</span>}
        {header !== null && nodes > 0 && <a className="button" href={`#/b/${header.blueprint}/${run}`}><PencilRuler />Open in the editor</a>}
      </header>
      <div className="editor-body"><div className="middle">
        {nodes > 0 ? <div className="stage"><ReactFlowProvider><Canvas readOnly /></ReactFlowProvider></div> : <p className="empty">{known === null ? "Loading…" : "The blueprint of this run is not kept; what it did stands below."}</p>}
        <RunPanel steering={false} />
      </div></div>
    </main>
  );
}

/** Two runs side by side: how they fared, where they went apart, and what they gave. */
export function Compare({ a, b }: { readonly a: string; readonly b: string }): ReactElement {
  const [views, setViews] = useState<readonly (RunView | null)[]>([null, null]);
  useEffect(() => { void Promise.all([attempt(api.run(a)), attempt(api.run(b))]).then(setViews); }, [a, b]);
  const [one, two] = views;
  if (!one || !two) return <main className="page"><p className="empty">Loading…</p></main>;
  const paths = [...new Set([...Object.keys(one.nodes), ...Object.keys(two.nodes)])].filter((p) => !p.includes("[")).slice(0, 2000);
  const cell = (view: RunView, path: string): ReactElement => {
    const node = view.nodes[path];
    return <>{node === undefined ? <span className="muted">—</span> : <><StatusChip status={node.status} /> <span className="muted">{node.duration_ms === null ? "" : duration(node.duration_ms)}{node.attempts > 1 ? `, ${node.attempts} tries` : ""}</span></>}</>;
  };
  return (
    <main className="page">
      <header className="page-head"><a className="icon" href="#/runs" aria-label="All runs"><ArrowLeft /></a><h1>Two runs</h1></header>
      <div className="table-wrap">
        <table className="runs">
          <thead><tr><th scope="col">Node</th>{[one, two].map((v) => <th scope="col" key={v.run}><a href={`#/runs/${v.run}`}>{v.run.slice(0, 18)}…</a> <StatusChip status={v.status} /> {duration(v.duration_ms)}</th>)}</tr></thead>
          <tbody>
            {paths.map((path) => <tr key={path} className={one.nodes[path]?.status === two.nodes[path]?.status ? "" : "differs"}><th scope="row">{path}</th><td>{cell(one, path)}</td><td>{cell(two, path)}</td></tr>)}
            <tr className={JSON.stringify(one.output) === JSON.stringify(two.output) ? "" : "differs"}><th scope="row">output</th>{[one, two].map((v) => <td key={v.run}>{v.error !== null ? <ErrorBox error={v.error} /> : <pre>{JSON.stringify(v.output, null, 2)?.slice(0, 5000)}</pre>}</td>)}</tr>
          </tbody>
        </table>
      </div>
    </main>
  );
}
