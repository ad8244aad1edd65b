import { RefreshCw, RotateCcw } from "lucide-react";
import { useCallback, useEffect, useState, type ReactElement } from "react";
import { api, type DeadLetter, type QueueSizes, type RunHeader } from "../app/api";
import { attempt, tell, useStudio } from "../app/store";
import { ago, moment, shortRun } from "../ui/time";

interface Queued {
  readonly header: RunHeader;
  readonly why: string;
  readonly until: number | null;
}

/** Runs that wait in the queue, each with the reason; asked for a few, since it is one question each. */
async function waiting(): Promise<Queued[]> {
  const { runs } = await api.runs({ status: "queued", limit: 50 });
  return Promise.all(runs.map(async (header) => {
    const [wait] = await api.waits(header.run).catch(() => []);
    return { header, why: wait?.title ?? header.reason ?? "", until: wait?.until ?? null };
  }));
}

/** What waits for its turn and why, and what has failed in the queue. */
export default function Queue(): ReactElement {
  const [sizes, setSizes] = useState<QueueSizes | null>(null);
  const [queued, setQueued] = useState<readonly Queued[]>([]);
  const [dead, setDead] = useState<readonly DeadLetter[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [blueprint, setBlueprint] = useState("");
  const [code, setCode] = useState("");
  const may = useStudio((s) => s.info?.role !== "viewer");
  const load = useCallback(async () => {
    const found = await attempt(Promise.all([api.queue(), waiting(), api.dead({ blueprint, code })]));
    if (found === null) return;
    setSizes(found[0]);
    setQueued(found[1]);
    setDead(found[2].runs);
    setNext(found[2].next);
  }, [blueprint, code]);
  useEffect(() => {
    const first = setTimeout(() => void load(), 120);
    const timer = setInterval(() => { if (!document.hidden) void load(); }, 4000);
    return () => { clearTimeout(first); clearInterval(timer); };
  }, [load]);
  const more = async (): Promise<void> => {
    const page = await attempt(api.dead({ blueprint, code, before: next ?? "" }));
    if (page === null) return;
    setDead((old) => [...(old ?? []), ...page.runs]);
    setNext(page.next);
  };
  const replay = async (letters: readonly DeadLetter[]): Promise<void> => {
    let done = 0;
    for (const letter of letters) if ((await attempt(api.replay(letter.run))) !== null) done++;
    if (done > 0) tell(done === 1 ? "it is done again, as a new run" : `${done} are done again, as new runs`, "good");
    void load();
  };
  return (
    <main className="page">
      <header className="page-head"><h1>Queue</h1><span className="grow" /><button className="icon" aria-label="Load again" title="Load again" onClick={() => void load()}><RefreshCw /></button></header>
      <dl className="sizes">
        {([["waiting", "wait for their turn"], ["delayed", "wait for their time"], ["running", "under way"]] as const).map(([key, words]) => <div key={key}><dt>{words}</dt><dd>{(sizes?.[key] ?? 0).toLocaleString()}</dd></div>)}
      </dl>
      <h2 className="section">Waiting</h2>
      {queued.length === 0 ? <p className="empty">No run waits for its turn.</p> : <div className="table-wrap"><table className="runs">
        <thead><tr><th scope="col">Blueprint</th><th scope="col">Queued</th><th scope="col">Why it waits</th><th scope="col">Run</th></tr></thead>
        <tbody>{queued.map(({ header, why, until }) => <tr key={header.run}><td><b>{header.blueprint}</b></td><td>{ago(header.created_at)}</td><td>{why}{until === null ? "" : `, until ${moment(until)}`}</td><td><a className="run-id" title={header.run} href={`#/runs/${header.run}`}>{shortRun(header.run)}</a></td></tr>)}</tbody>
      </table></div>}
      <div className="page-head section-head">
        <h2 className="section">Dead letters</h2>
        <input aria-label="Blueprint" placeholder="of the blueprint…" value={blueprint} onChange={(e) => setBlueprint(e.target.value.trim())} />
        <input aria-label="Error" placeholder="with the error…" value={code} onChange={(e) => setCode(e.target.value.trim().toUpperCase())} />
        <span className="grow" />
        {may && dead !== null && dead.length > 1 && <button onClick={() => void replay(dead)}><RotateCcw />Replay these {dead.length}</button>}
      </div>
      {dead !== null && dead.length === 0 && <p className="empty">{blueprint + code === "" ? "No queued run has failed." : "None fits this."}</p>}
      {dead !== null && dead.length > 0 && <div className="table-wrap"><table className="runs">
        <thead><tr><th scope="col">Blueprint</th><th scope="col">Failed</th><th scope="col">Why</th><th scope="col">Run</th><th scope="col"><span className="hidden">Actions</span></th></tr></thead>
        <tbody>{dead.map((letter) => <tr key={letter.run} className="row-failed"><td><b>{letter.blueprint}</b></td><td title={moment(letter.ended_at)}>{ago(letter.ended_at)}</td><td className="why" title={letter.message}><code>{letter.code}</code> {letter.message}</td><td><a className="run-id" title={letter.run} href={`#/runs/${letter.run}`}>{shortRun(letter.run)}</a></td><td>{may && <button aria-label={`Replay ${letter.run}`} onClick={() => void replay([letter])}><RotateCcw />Replay</button>}</td></tr>)}</tbody>
      </table>{next !== null && <button className="more" onClick={() => void more()}>Older ones</button>}</div>}
    </main>
  );
}
