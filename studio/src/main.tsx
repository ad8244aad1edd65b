import "@fontsource-variable/inter/wght.css";
import "./style.css";
import { Blocks, ClipboardCheck, Inbox, ListVideo, Moon, Search, Zap } from "lucide-react";
import { lazy, StrictMode, Suspense, useEffect, useSyncExternalStore, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import { begin, setDialog, useStudio } from "./app/store";
import { cycleTheme } from "./ui/commands";
import { Fallen } from "./ui/Fallen";
import { Dialogs, Toasts } from "./ui/Dialogs";
import { Home } from "./pages/Home";
import { Approvals, Runs } from "./pages/Runs";

const Editor = lazy(() => import("./pages/Editor"));
const RunPage = lazy(() => import("./pages/RunPage"));
const Compare = lazy(() => import("./pages/Compare"));
const Triggers = lazy(() => import("./pages/Triggers"));
const Queue = lazy(() => import("./pages/Queue"));

const listen = (to: () => void): (() => void) => {
  window.addEventListener("hashchange", to);
  return () => window.removeEventListener("hashchange", to);
};

/** A part of an address; one that is badly written stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function useHash(): string[] {
  const hash = useSyncExternalStore(listen, () => location.hash);
  return hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decoded);
}

function Page({ parts }: { readonly parts: readonly string[] }): ReactElement {
  const [first, second, third] = parts;
  if (first === "b" && second !== undefined) return <Editor id={second} run={third ?? null} />;
  if (first === "runs") return second === undefined ? <Runs /> : <RunPage key={second} run={second} />;
  if (first === "compare" && second !== undefined && third !== undefined) return <Compare a={second} b={third} />;
  if (first === "approvals") return <Approvals />;
  if (first === "triggers") return <Triggers />;
  if (first === "queue") return <Queue />;
  return <Home />;
}

function App(): ReactElement {
  const parts = useHash();
  const info = useStudio((s) => s.info);
  const fatal = useStudio((s) => s.fatal);
  const editing = parts[0] === "b";
  useEffect(() => {
    void begin().then(() => {
      const open = useStudio.getState().info?.open;
      if (open && location.hash === "") location.hash = `#/b/${open}`;
    });
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setDialog("commands");
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  if (fatal !== null) return <main className="page"><h1>The studio cannot start</h1><p className="lead" role="alert">{fatal}</p><button className="primary" onClick={() => location.reload()}>Try again</button></main>;
  if (info === null) return <main className="page"><p className="empty">Loading…</p></main>;
  const place = (name: string): "page" | undefined => (name === (editing ? "" : (parts[0] ?? "")) ? "page" : undefined);
  return (
    <div className="shell">
      <nav className="rail" aria-label="Studio">
        <a className="logo" href="#/" aria-label="Atomiton"><svg viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="4.2" /><ellipse cx="16" cy="16" rx="13" ry="5.4" /><ellipse cx="16" cy="16" rx="13" ry="5.4" transform="rotate(60 16 16)" /><ellipse cx="16" cy="16" rx="13" ry="5.4" transform="rotate(120 16 16)" /></svg></a>
        <a href="#/" aria-current={place("")} title="Blueprints"><Blocks /><span>Blueprints</span></a>
        <a href="#/runs" aria-current={place("runs")} title="Runs"><ListVideo /><span>Runs</span></a>
        <a href="#/approvals" aria-current={place("approvals")} title="Approvals"><ClipboardCheck /><span>Approvals</span></a>
        <a href="#/triggers" aria-current={place("triggers")} title="Triggers and schedules"><Zap /><span>Triggers</span></a>
        <a href="#/queue" aria-current={place("queue")} title="Queue and dead letters"><Inbox /><span>Queue</span></a>
        <span className="grow" />
        <button title="Commands (Ctrl+K)" onClick={() => setDialog("commands")}><Search /><span>Search</span></button>
        <button title="Light or dark" onClick={cycleTheme}><Moon /><span>Theme</span></button>
      </nav>
      <Fallen place={parts.join("/")}><Suspense fallback={<main className="page"><p className="empty">Loading…</p></main>}><Page parts={parts} /></Suspense></Fallen>
      <Dialogs editor={editing} />
      <Toasts />
    </div>
  );
}

const theme = localStorage.getItem("theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset["theme"] = theme;
createRoot(document.getElementById("app")!).render(<StrictMode><App /></StrictMode>);
