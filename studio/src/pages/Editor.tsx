import { ReactFlowProvider } from "@xyflow/react";
import { ArrowLeft, Bug, Command as CommandIcon, History, LayoutGrid, PanelBottom, PanelLeft, PanelRight, PanelRightClose, Play, Plus, Redo2, Save, Undo2 } from "lucide-react";
import { lazy, Suspense, useEffect, useState, useSyncExternalStore, type ReactElement } from "react";
import { Canvas } from "../canvas/Canvas";
import { leaveRun, useRun, watch } from "../app/run";
import { dirty, keepDraft, lookForOthers, mayChange, openBlueprint, openText, paste, redoLast, save, setDialog, setPane, settleConflict, settleOccupied, settleRenaming, tidy, undoLast, useStudio } from "../app/store";
import { InputsDialog, requestRun } from "../ui/Execute";
import { Inspector } from "../ui/Inspector";
import { LargeNode } from "../ui/LargeNode";
import { Palette, CONTROL } from "../ui/Palette";
import { RunList } from "../ui/RunList";
import { RunPanel } from "../ui/RunPanel";
import { Splitter, useSize } from "../ui/Splitter";
import { focusPalette, onEditorKey, warnBeforeLeaving } from "../ui/commands";
import { add } from "../app/store";
import { draft, keptOf, NEW, unsaved } from "../app/draft";

const TextPane = lazy(() => import("../text/TextPane"));
const PythonPane = lazy(() => import("../text/PythonPane"));

export default function Editor({ id, run }: { readonly id: string; readonly run: string | null }): ReactElement {
  useEffect(() => {
    if (id === "new") {
      leaveRun();
      const kept = draft.text !== null ? null : draft.key !== null ? keptOf(draft.key) : (unsaved()[0] ?? null);
      openText(draft.text ?? kept?.text ?? NEW, kept);
      draft.text = null;
      draft.key = null;
    } else if (useStudio.getState().id !== id || useStudio.getState().etag === null) {
      leaveRun();
      void openBlueprint(id);
    }
    return keepDraft;
  }, [id]);
  useEffect(() => leaveRun, []);
  useEffect(() => {
    if (run === null) return;
    setPane({ run: true });
    if (useRun.getState().run !== run) watch(run, id);
  }, [run, id]);
  useEffect(() => {
    const onPaste = (event: ClipboardEvent): void => {
      const target = event.composedPath()[0] as HTMLElement;
      if (target.matches?.("input, textarea, [contenteditable='true'], .cm-content, .cm-content *")) return;
      event.preventDefault();
      paste(event.clipboardData?.getData("text/plain") ?? "");
    };
    window.addEventListener("keydown", onEditorKey);
    window.addEventListener("paste", onPaste);
    window.addEventListener("beforeunload", warnBeforeLeaving);
    window.addEventListener("pagehide", keepDraft);
    const timer = setInterval(() => void lookForOthers(), 3000);
    return () => {
      window.removeEventListener("keydown", onEditorKey);
      window.removeEventListener("paste", onPaste);
      window.removeEventListener("beforeunload", warnBeforeLeaving);
      window.removeEventListener("pagehide", keepDraft);
      clearInterval(timer);
    };
  }, []);
  const pane = useStudio((s) => s.pane);
  const large = useStudio((s) => (s.pane.large && s.selected.size === 1 ? [...s.selected][0]! : null));
  return (
    <main className="editor">
      <Toolbar />
      <Conflict />
      <div className="editor-body">
        {large !== null && <LargeNode path={large} />}
        {pane.runs && large === null && <RunList />}
        <div className="middle" inert={large !== null}>
          <div className="stage">
            <ReactFlowProvider><Canvas /></ReactFlowProvider>
            {pane.palette ? <Palette /> : mayChange() && <button className="add-node" title="Add a node (N)" onClick={focusPalette}><Plus />Add node</button>}
            <Empty />
            <ExecuteBar />
          </div>
          {pane.run && large === null && <RunPanel />}
        </div>
        {pane.dock !== "none" && large === null && <Dock />}
      </div>
      <InputsDialog />
    </main>
  );
}

const WIDE = matchMedia("(min-width: 1800px)");
const onWide = (to: () => void): (() => void) => { WIDE.addEventListener("change", to); return () => WIDE.removeEventListener("change", to); };

/** Form and text of the blueprint: one of them, or both where there is room. */
function Dock(): ReactElement {
  const dock = useStudio((s) => s.pane.dock);
  const wide = useSyncExternalStore(onWide, () => WIDE.matches);
  const size = useSize("dock", { least: 280, most: () => innerWidth * 0.6 });
  return (
    <div className={`dock dock-${dock}${wide ? " dock-wide" : ""}`} ref={size.element} style={size.pixels === null ? undefined : { width: size.pixels }}>
      <Splitter size={size} label="Width of form and text" side="left" />
      <header className="dock-head">
        <div className="segments" role="group" aria-label="Form or text">
          {!wide && <button aria-pressed={dock === "form"} onClick={() => setPane({ dock: "form" })}>Form</button>}
          <button aria-pressed={dock === "text" || (wide && dock === "form")} onClick={() => setPane({ dock: "text" })}>YAML</button>
          <button aria-pressed={dock === "python"} onClick={() => setPane({ dock: "python" })}>Python</button>
        </div>
        <TextState />
        <button className="icon" aria-label="Close the dock" onClick={() => setPane({ dock: "none" })}><PanelRightClose /></button>
      </header>
      <div className="dock-body">
        {(wide || dock === "form") && <Inspector />}
        {dock === "python" && <section className="text-pane" aria-label="Python"><Suspense fallback={<p className="empty">Loading the editor…</p>}><PythonPane /></Suspense></section>}
        {(dock === "text" || (wide && dock === "form")) && <section className="text-pane" aria-label="Text"><Suspense fallback={<p className="empty">Loading the editor…</p>}><TextPane /></Suspense></section>}
      </div>
    </div>
  );
}

function TextState(): ReactElement {
  const trouble = useStudio((s) => s.model.troubles[0]?.message);
  const count = useStudio((s) => s.problems.length);
  if (trouble !== undefined) return <button className="chip chip-failed" title={trouble} onClick={() => setPane({ run: true, tab: "problems" })}>not YAML</button>;
  return <button className={`chip ${count > 0 ? "chip-waiting" : "chip-completed"}`} onClick={() => setPane({ run: true, tab: "problems" })}>{count === 0 ? "no problems" : count === 1 ? "1 problem" : `${count} problems`}</button>;
}

function Toolbar(): ReactElement {
  const head = useStudio((s) => s.model.head);
  const isDirty = useStudio(dirty);
  const pane = useStudio((s) => s.pane);
  const etag = useStudio((s) => s.etag);
  const id = useStudio((s) => s.id);
  return (
    <header className="toolbar">
      <a className="icon" href="#/" aria-label="All blueprints" title="All blueprints"><ArrowLeft /></a>
      <div className="doc-name"><h1>{head.name || head.id || id || "Untitled"}</h1><small>{etag === null ? "not saved yet" : isDirty ? "changed" : "saved"}</small></div>
      <span className="grow" />
      <button className="icon" title="Undo (Ctrl+Z)" aria-label="Undo" onClick={undoLast}><Undo2 /></button>
      <button className="icon" title="Redo (Ctrl+Shift+Z)" aria-label="Redo" onClick={redoLast}><Redo2 /></button>
      <button className="icon" title="Tidy up (Shift+T)" aria-label="Tidy up" onClick={tidy}><LayoutGrid /></button>
      <span className="rule" />
      <button className="icon" title="Runs of this blueprint (H)" aria-label="Runs of this blueprint" aria-pressed={pane.runs} onClick={() => setPane({ runs: !pane.runs })}><History /></button>
      <button className="icon" title="Nodes to add (P)" aria-label="Nodes to add" aria-pressed={pane.palette} onClick={() => setPane({ palette: !pane.palette })}><PanelLeft /></button>
      <button className="icon" title="Run (R)" aria-label="Run panel" aria-pressed={pane.run} onClick={() => setPane({ run: !pane.run, large: false })}><PanelBottom /></button>
      <button className="icon" title="Form and text (T)" aria-label="Form and text" aria-pressed={pane.dock !== "none"} onClick={() => setPane({ dock: pane.dock === "none" ? "form" : "none" })}><PanelRight /></button>
      <span className="rule" />
      <button className="ghost" title="Commands (Ctrl+K)" onClick={() => setDialog("commands")}><CommandIcon />Commands<kbd>Ctrl K</kbd></button>
      {mayChange() && <button className={isDirty || etag === null ? "primary soft" : ""} title="Save (Ctrl+S)" onClick={() => void save()}><Save />Save</button>}
    </header>
  );
}

function ExecuteBar(): ReactElement {
  const status = useRun((s) => s.view?.status);
  const busy = status === "running" || status === "queued" || status === "compensating";
  return (
    <div className="execute">
      <button className="primary big" onClick={() => requestRun()} title="Execute (Ctrl+Enter)"><Play />{busy ? "Execute again" : "Execute"}</button>
      <button className="big" onClick={() => requestRun({ paused: true })} title="Step by step (Ctrl+Shift+Enter)" aria-label="Execute step by step"><Bug /></button>
    </div>
  );
}

function Conflict(): ReactElement | null {
  const conflict = useStudio((s) => s.conflict);
  const occupied = useStudio((s) => s.occupied);
  const renaming = useStudio((s) => (s.renaming?.to === s.model.head.id ? s.renaming : null));
  const [also, setAlso] = useState(true);
  if (renaming !== null) {
    const { callers } = renaming;
    return (
      <div className="conflict" role="alert">
        <span>It was saved as <b>{renaming.from}</b>, and its id is <b>{renaming.to}</b> now.</span>
        {callers.length > 0 && <label className="callers"><input type="checkbox" checked={also} onChange={(e) => setAlso(e.target.checked)} />Renamed, also in what calls it: {callers.slice(0, 4).map(({ info }) => info.id).join(", ")}{callers.length > 4 ? ` and ${callers.length - 4} more` : ""}</label>}
        <span className="grow" />
        <button onClick={() => void settleRenaming(null)}>Not now</button>
        <button onClick={() => void settleRenaming("back")}>Keep {renaming.from}</button>
        <button onClick={() => void settleRenaming("copy")}>Save a copy</button>
        <button className="primary" onClick={() => void settleRenaming("rename", also)}>Rename it</button>
      </div>
    );
  }
  if (occupied !== null) {
    return (
      <div className="conflict" role="alert">
        <b>There is already a blueprint '{occupied.id}'.</b>
        <span className="grow" />
        <button onClick={() => settleOccupied(null)}>Not now</button>
        <button className="primary" onClick={() => settleOccupied(occupied.free)}>Save as {occupied.free}</button>
      </div>
    );
  }
  if (conflict === null) return null;
  return (
    <div className="conflict" role="alert">
      <b>Somebody else has saved this blueprint meanwhile.</b> Yours is not lost.
      <span className="grow" />
      <button onClick={() => settleConflict("theirs")}>Take theirs (undo brings yours back)</button>
      <button className="primary" onClick={() => settleConflict("mine")}>Save mine over it</button>
    </div>
  );
}

function Empty(): ReactElement | null {
  const count = useStudio((s) => s.model.top.length);
  const [asked] = useState(() => CONTROL[0]!);
  if (count > 0) return null;
  const start = (name: string): void => {
    const type = useStudio.getState().types.get(name);
    if (type !== undefined) add({ title: type.title, wish: "start", body: { uses: name, with: name === "data.value" ? { value: "Hello" } : { url: "http://127.0.0.1:9000" } } });
  };
  return (
    <div className="canvas-empty">
      <h2>Begin with a node</h2>
      <p>Press <kbd>N</kbd> and type what it is to do, or write YAML on the right.</p>
      <div className="row-actions"><button onClick={() => start("data.value")}>A value</button><button onClick={() => start("http.request")}>A web request</button><button onClick={() => add(asked)}>A branch</button></div>
    </div>
  );
}
