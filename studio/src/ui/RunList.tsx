import { Check, CircleDashed, CirclePause, Clock3, ExternalLink, LoaderCircle, PanelLeftClose, Undo2, X } from "lucide-react";
import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { api, type RunHeader } from "../app/api";
import { ENDED, useRun, watch } from "../app/run";
import { attempt, setPane, useStudio } from "../app/store";
import { STATUSES } from "./StatusChip";
import { duration, moment } from "./time";

/** Runs that are asked for at once. */
const PAGE = 50;
/** Milliseconds after which it is looked again. */
const AGAIN = 3000;

const ICONS: Readonly<Record<string, ReactElement>> = {
  queued: <CircleDashed />, running: <LoaderCircle className="spin" />, waiting: <Clock3 />, paused: <CirclePause />, compensating: <Undo2 />, completed: <Check />, failed: <X />, cancelled: <X />,
};

/** The runs of a blueprint, the latest first, looked at again and again. */
function useRuns(blueprint: string, status: string): { runs: readonly RunHeader[] | null; older: (() => void) | null } {
  const [pages, setPages] = useState<{ readonly of: string; readonly runs: readonly RunHeader[]; readonly next: string | null } | null>(null);
  const of = `${blueprint}/${status}`;
  const run = useRun((s) => s.run);
  const state = useRun((s) => s.view?.status);
  const load = useCallback(async () => {
    const page = await api.runs({ blueprint, status, limit: PAGE }).catch(() => null); // it is asked again soon
    if (page === null) return;
    setPages((old) => {
      if (old === null || old.of !== of || old.runs.length <= PAGE) return { of, ...page };
      const fresh = new Set(page.runs.map((one) => one.run));
      const last = page.runs[page.runs.length - 1]?.run ?? "";
      return { of, runs: [...page.runs, ...old.runs.filter((one) => !fresh.has(one.run) && one.run < last)], next: old.next };
    });
  }, [blueprint, status, of]);
  useEffect(() => {
    const first = setTimeout(() => void load(), 50);
    const timer = setInterval(() => { if (!document.hidden) void load(); }, AGAIN);
    return () => { clearTimeout(first); clearInterval(timer); };
  }, [load, run, state]);
  const now = pages?.of === of ? pages : null;
  const older = async (): Promise<void> => {
    const page = await attempt(api.runs({ blueprint, status, limit: PAGE, before: now?.next ?? "" }));
    if (page !== null) setPages((old) => (old?.of === of ? { of, runs: [...old.runs, ...page.runs], next: page.next } : old));
  };
  return { runs: now?.runs ?? null, older: now?.next == null ? null : () => void older() };
}

/** What the blueprint says now, as runs name it; null where it is not kept. */
function useHashNow(): string | null {
  const id = useStudio((s) => s.id);
  const etag = useStudio((s) => s.etag);
  const [hash, setHash] = useState<string | null>(null);
  useEffect(() => {
    let gone = false;
    if (id === null || etag === null) return;
    void api.blueprint(id).then(({ info }) => { if (!gone) setHash(info.hash); }, () => undefined);
    return () => { gone = true; };
  }, [id, etag]);
  return etag === null ? null : hash;
}

/** Runs of the blueprint that is open, beside its canvas: the chosen one is shown on it. */
export function RunList(): ReactElement {
  const blueprint = useStudio((s) => s.model.head.id || s.id || "");
  const [status, setStatus] = useState("");
  const { runs, older } = useRuns(blueprint, status);
  const shown = useRun((s) => s.run);
  const hash = useHashNow();
  const list = useRef<HTMLOListElement>(null);
  const onKey = (event: KeyboardEvent): void => {
    const all = [...(list.current?.querySelectorAll<HTMLButtonElement>("button") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    all[Math.max(0, Math.min(to, all.length - 1))]?.focus();
  };
  return (
    <section className="run-list" aria-label="Runs of this blueprint">
      <header>
        <h2>Runs</h2>
        <select aria-label="Status" value={status} onChange={(e) => setStatus(e.target.value)}><option value="">every status</option>{STATUSES.map((s) => <option key={s}>{s}</option>)}</select>
        <button className="icon" aria-label="Close the list of runs" title="Close (H)" onClick={() => setPane({ runs: false })}><PanelLeftClose /></button>
      </header>
      <div className="run-list-body" onKeyDown={onKey}>
        <ol ref={list}>{(runs ?? []).map((run) => <One key={run.run} run={run} shown={run.run === shown} earlier={hash !== null && run.blueprint_hash !== hash} />)}</ol>
        {runs !== null && runs.length === 0 && <p className="empty">{status === "" ? "It has not run yet. Press Execute, and its runs are listed here." : `None is ${status}.`}</p>}
        {older !== null && <button className="link more-came" onClick={older}>Older runs</button>}
      </div>
    </section>
  );
}

function One({ run, shown, earlier }: { readonly run: RunHeader; readonly shown: boolean; readonly earlier: boolean }): ReactElement {
  const reason = ENDED.has(run.status) || run.reason === run.status ? "" : run.reason;
  const why = run.error_message ?? reason ?? "";
  const time = run.ended_at === null ? "" : ` ${run.status === "completed" ? "in" : "after"} ${duration((run.ended_at - run.created_at) * 1000)}`;
  return (
    <li className={`one-run run-${run.status}`}>
      <button aria-current={shown ? "true" : undefined} title={why} onClick={() => choose(run)}>
        <span className={`state state-${run.status}`} aria-hidden="true">{ICONS[run.status]}</span>
        <b>{moment(run.created_at)}</b>
        <small className="how"><em>{run.status}</em>{time}</small>
        {why !== "" && <small className="why">{why}</small>}
      </button>
      {shown && <p>{earlier && <span>The blueprint has changed since. </span>}<a href={`#/runs/${run.run}`}><ExternalLink />{earlier ? "As it was" : "The run alone"}</a></p>}
    </li>
  );
}

/** Show a run on the canvas; of a kept blueprint the address is that of both. */
function choose({ run, blueprint }: RunHeader): void {
  const { id, etag } = useStudio.getState();
  setPane({ run: true });
  if (useRun.getState().run !== run) watch(run, blueprint);
  if (etag !== null && id !== null) location.replace(`#/b/${encodeURIComponent(id)}/${run}`);
}
