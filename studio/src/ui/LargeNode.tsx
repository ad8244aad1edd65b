import { ChevronLeft, ChevronRight, Minimize2, Play } from "lucide-react";
import { useEffect, useRef, type ReactElement } from "react";
import { useRun } from "../app/run";
import { setPane, useStudio } from "../app/store";
import { neighbour, nextNode } from "./commands";
import { requestRun } from "./Execute";
import { Inspector } from "./Inspector";
import { NodeOutput } from "./NodeData";
import { Sources } from "./Sources";
import { Steering } from "./Steering";

/** One node on all of the page: what it was given, its form, and what it gave. */
export function LargeNode({ path }: { readonly path: string }): ReactElement {
  const run = useRun((s) => s.run);
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    ref.current?.focus();
    return () => setPane({ large: false });
  }, []);
  return (
    <section className="large" aria-label={`Node ${path}, large`} ref={ref} tabIndex={-1}>
      <header className="large-head">
        <To by={-1} />
        <To by={1} />
        <span className="grow" />
        {run !== null && <Steering />}
        <button title="Back to the canvas (Escape)" onClick={() => setPane({ large: false })}><Minimize2 />Canvas</button>
      </header>
      <div className="large-body">
        <section className="large-side" aria-label="Input"><h2>Input</h2><div className="large-data" tabIndex={-1}><Sources key={path} path={path} /></div></section>
        <Inspector />
        <section className="large-side" aria-label="Output"><h2>Output</h2><div className="large-data">{run === null ? <Nothing path={path} /> : <NodeOutput key={path} path={path} alone />}</div></section>
      </div>
    </section>
  );
}

/** To the node before or after this one, by name. */
function To({ by }: { readonly by: 1 | -1 }): ReactElement {
  useStudio((s) => s.selected);
  const name = useStudio((s) => { const other = neighbour(by); return other === undefined ? "" : (s.model.nodes.get(other)?.name || other); });
  const [words, key] = by < 0 ? ["Node before", "["] : ["Next node", "]"];
  return <button className="to" title={`${words} (${key})`} aria-label={`${words}: ${name}`} onClick={() => nextNode(by)}>{by < 0 && <ChevronLeft />}<span>{name}</span>{by > 0 && <ChevronRight />}</button>;
}

function Nothing({ path }: { readonly path: string }): ReactElement {
  return (
    <div className="nothing">
      <p><b>It has not run yet.</b></p>
      <p className="help">What it gives is shown here.</p>
      <div className="row-actions">
        <button className="primary" onClick={() => requestRun({ until: path })}><Play />Run to here</button>
        <button title="Run this node alone, on pinned data or on what was given before it" onClick={() => requestRun({ only: path })}>Run only this</button>
      </div>
    </div>
  );
}
