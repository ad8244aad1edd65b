import { FilePlus2, Plug, Search, Trash2 } from "lucide-react";
import { useEffect, useMemo, useState, type ReactElement } from "react";
import { api, type BlueprintInfo } from "../app/api";
import { templates, type Template } from "../app/templates";
import { attempt, mayChange, tell, useStudio } from "../app/store";
import { lookOfType } from "../ui/icons";
import { Words } from "../ui/Words";
import { draft, forget, NEW, unsaved, type Kept } from "../app/draft";

export function ago(seconds: number): string {
  const past = Date.now() / 1000 - seconds;
  if (past < 60) return "just now";
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString();
}

const listed = (words: readonly string[]): string => [words.slice(0, -1).join(", "), words[words.length - 1]].filter((w) => w !== "").join(" and ");

export function Home(): ReactElement {
  const types = useStudio((s) => s.types);
  const [list, setList] = useState<readonly BlueprintInfo[] | null>(null);
  const [offered, setOffered] = useState<readonly Template[]>([]);
  const [typed, setTyped] = useState("");
  useEffect(() => { void attempt(api.blueprints()).then(setList); }, []);
  useEffect(() => { void templates(new Set(types.keys())).then(setOffered); }, [types]);
  const found = useMemo(() => (list ?? []).filter((b) => `${b.id} ${b.name} ${b.description}`.toLowerCase().includes(typed.toLowerCase())), [list, typed]);
  const [kept, setKept] = useState<readonly Kept[]>([]);
  useEffect(() => setKept(unsaved().filter((k) => k.touched)), []); // the editor that is left keeps its text before this
  const begin = (text: string | null, on: Kept | null = null): void => {
    draft.text = text;
    draft.key = on?.key ?? null;
    location.hash = "#/b/new";
  };
  const bringBack = async (id: string): Promise<void> => {
    if ((await attempt(api.undelete(id))) === null) return;
    setList(await attempt(api.blueprints()));
  };
  const remove = async (info: BlueprintInfo): Promise<void> => {
    if ((await attempt(api.remove(info.id))) === null) return;
    forget(info.id);
    setList((old) => (old ?? []).filter((b) => b.id !== info.id));
    tell(`${info.id} was removed`, "info", { label: "Undo", run: () => void bringBack(info.id) });
  };
  const empty = list !== null && list.length === 0;
  return (
    <main className="page">
      <header className="page-head">
        <h1>{empty ? "Welcome" : "Blueprints"}</h1>
        {!empty && <label className="search"><Search aria-hidden="true" /><input type="search" aria-label="Search blueprints" placeholder="Search" value={typed} onChange={(e) => setTyped(e.target.value)} /></label>}
        <span className="grow" />
        {mayChange() && <button className="primary" onClick={() => begin(NEW)}><FilePlus2 />New blueprint</button>}
      </header>
      {empty && <p className="lead">A blueprint says what is to happen, step by step. Take an example, press <b>Execute</b>, and change it from there.</p>}
      {list === null && <p className="empty">Loading…</p>}
      {(!empty || kept.length > 0) && (
        <ul className="cards">
          {kept.map((one) => (
            <li key={one.key} className="blueprint unsaved">
              <button onClick={() => begin(null, one)}><b>{one.name || "Untitled"}</b><small>Go on where you were</small></button>
              <footer><span className="chip chip-waiting">not saved yet</span><span>{ago(one.at / 1000)}</span>
                <button className="icon" aria-label={`Discard ${one.name}`} title="Discard" onClick={() => { forget(one.key); setKept((all) => all.filter((k) => k !== one)); }}><Trash2 /></button></footer>
            </li>
          ))}
          {found.map((info) => (
            <li key={info.id} className="blueprint">
              <a href={`#/b/${info.id}`}><b>{info.name || info.id}</b><small>{info.description || info.id}</small></a>
              <footer><span>revision {info.revision}</span><span>{ago(info.updated_at)}</span>{typeof info.problem === "string" && <span className="chip chip-waiting" title={info.problem}>draft</span>}
                {mayChange() && <button className="icon" aria-label={`Remove ${info.id}`} title="Remove" onClick={() => void remove(info)}><Trash2 /></button>}</footer>
            </li>
          ))}
          {list !== null && list.length > 0 && found.length === 0 && <li className="empty">Nothing is called that.</li>}
        </ul>
      )}
      <h2 className="section">{empty ? "Examples" : "Begin with an example"}</h2>
      <ul className="cards">
        {offered.map((template) => (
          <li key={template.id} className="template">
            <button onClick={() => begin(template.text)}>
              <span className="tiles">{template.types.slice(0, 5).map((type) => { const { icon: Icon, hue } = lookOfType(type); return <span key={type} className={`tile hue-${hue}`}><Icon /></span>; })}</span>
              <b>{template.title}</b><small><Words text={template.about} /></small>
              {template.needed.length > 0 && <span className="needed"><Plug aria-hidden="true" />Needs {listed(template.needed)}</span>}
            </button>
          </li>
        ))}
      </ul>
    </main>
  );
}
