import { CalendarDays, Filter, GitCompare, RefreshCw } from "lucide-react";
import { useCallback, useEffect, useState, type ReactElement } from "react";
import { api, type Asked, type RunHeader } from "../app/api";
import { PERIODS, periodOf } from "../model/period";
import { attempt } from "../app/store";
import { STATUSES, StatusChip } from "../ui/StatusChip";
import { Waiting } from "../ui/Waiting";
import { ago, duration, moment, shortRun } from "../ui/time";

export function Runs(): ReactElement {
  const [status, setStatus] = useState("");
  const [blueprint, setBlueprint] = useState("");
  const [runs, setRuns] = useState<readonly RunHeader[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [time, setTime] = useState("");
  const [day, setDay] = useState("");
  const asked = time === "on" ? day : time;
  /** A page of runs; none that are too old, and nothing behind them. */
  const ask = useCallback(async (from: string | null) => {
    const { since, before } = periodOf(asked, Date.now() / 1000);
    const page = await attempt(api.runs({ status, blueprint, before: from ?? before, limit: 50 }));
    if (page === null || since === null) return page;
    const within = page.runs.filter((run) => run.created_at >= since);
    return { runs: within, next: within.length < page.runs.length ? null : page.next };
  }, [status, blueprint, asked]);
  const load = useCallback(async () => {
    const page = await ask(null);
    if (page === null) return;
    setRuns(page.runs);
    setNext(page.next);
  }, [ask]);
  useEffect(() => {
    const first = setTimeout(() => void load(), 120);
    const timer = setInterval(() => { if (!document.hidden) void load(); }, 4000);
    return () => { clearTimeout(first); clearInterval(timer); };
  }, [load]);
  const more = async (): Promise<void> => {
    const page = await ask(next);
    if (page === null) return;
    setRuns((old) => [...(old ?? []), ...page.runs]);
    setNext(page.next);
  };
  // What was loaded before fits at once, too.
  const shown = (runs ?? []).filter((run) => (status === "" || run.status === status) && (blueprint === "" || run.blueprint === blueprint));
  const toggle = (run: string): void => setChosen((old) => (old.includes(run) ? old.filter((r) => r !== run) : [...old.slice(-1), run]));
  return (
    <main className="page">
      <header className="page-head">
        <h1>Runs</h1>
        <label className="select"><Filter aria-hidden="true" /><select aria-label="Status" value={status} onChange={(e) => setStatus(e.target.value)}><option value="">every status</option>{STATUSES.map((s) => <option key={s}>{s}</option>)}</select></label>
        <label className="select"><CalendarDays aria-hidden="true" /><select aria-label="Time" value={time} onChange={(e) => setTime(e.target.value)}><option value="">any time</option>{PERIODS.map(([key, words]) => <option key={key} value={key}>{words}</option>)}<option value="on">on a day…</option></select></label>
        {time === "on" && <input type="date" aria-label="Day" value={day} onChange={(e) => setDay(e.target.value)} />}
        <input aria-label="Blueprint" placeholder="of the blueprint…" value={blueprint} onChange={(e) => setBlueprint(e.target.value.trim())} />
        <span className="grow" />
        {chosen.length === 2 && <a className="button primary" href={`#/compare/${[...chosen].sort().join("/")}`}><GitCompare />Compare</a>}
        <button className="icon" aria-label="Load again" title="Load again" onClick={() => void load()}><RefreshCw /></button>
      </header>
      <div className="table-wrap">
        <table className="runs">
          <thead><tr><th scope="col"><span className="hidden">Compare</span></th><th scope="col">Status</th><th scope="col">Blueprint</th><th scope="col">Started</th><th scope="col">Took</th><th scope="col">Why</th><th scope="col">Run</th></tr></thead>
          <tbody>
            {shown.map((run) => (
              <tr key={run.run} className={`row-${run.status}`}>
                <td><input type="checkbox" aria-label={`Compare ${run.run}`} checked={chosen.includes(run.run)} onChange={() => toggle(run.run)} /></td>
                <td><StatusChip status={run.status} /></td>
                <td><b>{run.blueprint}</b></td>
                <td title={moment(run.created_at)}>{ago(run.created_at)}</td>
                <td className="number">{run.ended_at === null ? "" : duration((run.ended_at - run.created_at) * 1000)}</td>
                <td className="why" title={run.error_message ?? run.reason ?? ""}>{run.error_message ?? run.reason ?? ""}</td>
                <td><a className="whole-row run-id" title={run.run} href={`#/runs/${run.run}`}>{shortRun(run.run)}</a></td>
              </tr>
            ))}
          </tbody>
        </table>
        {runs !== null && runs.length === 0 && <p className="empty">No run fits this.</p>}
        {next !== null && <button className="more" onClick={() => void more()}>Older runs</button>}
      </div>
    </main>
  );
}

export function Approvals(): ReactElement {
  const [asked, setAsked] = useState<readonly Asked[] | null>(null);
  const load = useCallback(async () => { const found = await attempt(api.approvals()); if (found !== null) setAsked(found); }, []);
  useEffect(() => {
    void load();
    const timer = setInterval(() => { if (!document.hidden && !document.activeElement?.matches("input, textarea")) void load(); }, 4000);
    return () => clearInterval(timer);
  }, [load]);
  return (
    <main className="page">
      <header className="page-head"><h1>Approvals</h1></header>
      {asked !== null && asked.length === 0 && <p className="lead">Nobody is waited for.</p>}
      <ul className="inbox">
        {(asked ?? []).map((a) => (
          <li key={a.run + a.wait.node}>
            <header><span><b>{a.blueprint}</b> <span className="muted run-id" title={a.run}>{shortRun(a.run)}</span></span><a href={`#/runs/${a.run}`}>Look at the run</a></header>
            <Waiting run={a.run} wait={a.wait} done={() => setTimeout(() => void load(), 300)} />
          </li>
        ))}
      </ul>
    </main>
  );
}
