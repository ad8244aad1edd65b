import { ReactFlowProvider } from "@xyflow/react";
import { ArrowLeft, Copy, FileCode, PencilRuler, Workflow } from "lucide-react";
import { useEffect, useState, type ReactElement } from "react";
import { api, type RunHeader, type RunText } from "../app/api";
import { leaveRun, watch } from "../app/run";
import { setPane, showText, tell, useStudio } from "../app/store";
import { Canvas } from "../canvas/Canvas";
import { onRunKey } from "../ui/commands";
import { RunPanel } from "../ui/RunPanel";
import { moment } from "../ui/time";

/** One run: what it did on the canvas, and in time. */
export default function RunPage({ run }: { readonly run: string }): ReactElement {
  const [header, setHeader] = useState<RunHeader | null>(null);
  const [kept, setKept] = useState<RunText | null>(null);
  const [newer, setNewer] = useState(false);
  const [missing, setMissing] = useState<string | null>(null);
  const [shown, setShown] = useState<"canvas" | "text">("canvas");
  useEffect(() => {
    let gone = false;
    void Promise.all([api.header(run), api.text(run)]).then(async ([head, text]) => {
      if (gone) return;
      setHeader(head);
      setKept(text);
      showText(text.text);
      setPane({ tab: "timeline" });
      watch(run, head.blueprint);
      const now = await api.blueprint(head.blueprint).catch(() => null);
      if (!gone) setNewer(now !== null && now.info.hash !== head.blueprint_hash);
    }).catch((error: unknown) => {
      if (!gone) setMissing(error instanceof Error ? error.message : String(error));
    });
    return () => { gone = true; leaveRun(); };
  }, [run]);
  useEffect(() => {
    window.addEventListener("keydown", onRunKey);
    return () => window.removeEventListener("keydown", onRunKey);
  }, []);
  const count = useStudio((s) => s.model.nodes.size);
  const nodes = kept === null ? 0 : count; // until then what is open is something else
  if (missing !== null) return <main className="page"><h1>This run cannot be shown</h1><p className="lead" role="alert">{missing}</p><div className="row-actions"><a className="button" href="#/runs">All runs</a></div></main>;
  return (
    <main className="editor">
      <header className="toolbar">
        <a className="icon" href="#/runs" aria-label="All runs"><ArrowLeft /></a>
        <div className="doc-name"><h1>{header?.blueprint ?? "Run"}</h1><small>{run}</small></div>
        {header !== null && <span className="muted">{moment(header.created_at)}</span>}
        <span className="grow" />
        {newer && <span className="chip chip-waiting" title="This is the blueprint that the run began with; it was changed since">changed since</span>}
        {kept !== null && <div className="segments toolbar-segments" role="group" aria-label="Canvas or text">
          <button aria-pressed={shown === "canvas"} onClick={() => setShown("canvas")}><Workflow />Canvas</button>
          <button aria-pressed={shown === "text"} onClick={() => setShown("text")}><FileCode />YAML</button>
        </div>}
        {header !== null && nodes > 0 && <a className="button" href={`#/b/${header.blueprint}/${run}`}><PencilRuler />Open in the editor</a>}
      </header>
      <div className="editor-body"><div className="middle">
        {shown === "text" && kept !== null ? <RunYaml kept={kept} /> : nodes > 0 ? <div className="stage"><ReactFlowProvider><Canvas readOnly /></ReactFlowProvider></div> : <p className="empty">{kept === null ? "Loading…" : "The blueprint of this run has no nodes."}</p>}
        <RunPanel steering={false} />
      </div></div>
    </main>
  );
}

/** The blueprint as the run had it. */
function RunYaml({ kept }: { readonly kept: RunText }): ReactElement {
  return (
    <section className="stage run-yaml" aria-label="Text of the blueprint">
      <header><p className="help">{kept.exact ? `As it was written: revision ${kept.revision ?? 0}.` : "Written anew from what is on record: its author's comments are not kept."}</p><button onClick={() => { void navigator.clipboard.writeText(kept.text).then(() => tell("copied")); }}><Copy />Copy</button></header>
      <pre tabIndex={0}>{kept.text}</pre>
    </section>
  );
}
