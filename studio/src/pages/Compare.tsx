import { ArrowLeft, GitFork } from "lucide-react";
import { useEffect, useMemo, useState, type ReactElement } from "react";
import { api, type RunView } from "../app/api";
import { attempt } from "../app/store";
import { compare, differences, type Compared, type Side } from "../model/compare";
import { startLog, takeIn } from "../model/runs";
import { ErrorBox } from "../ui/ErrorBox";
import { StatusChip } from "../ui/StatusChip";
import { duration, moment, shortRun } from "../ui/time";

interface Loaded extends Side {
  readonly view: RunView;
}

async function load(run: string): Promise<Loaded> {
  const [view, facts] = await Promise.all([api.run(run), api.facts(run)]);
  const log = startLog();
  takeIn(log, facts);
  return { view, log, nodes: view.nodes };
}

type Show = "all" | "way" | "data" | "time";
const SHOWS: readonly [Show, string][] = [["all", "Everything"], ["way", "Another way"], ["data", "Other data"], ["time", "Slower or faster"]];

/** Two runs side by side: where they went apart, what they gave, where the time went. */
export default function Compare({ a, b }: { readonly a: string; readonly b: string }): ReactElement {
  const [both, setBoth] = useState<readonly [Loaded, Loaded] | null>(null);
  const [show, setShow] = useState<Show>("all");
  const [open, setOpen] = useState<string | null>(null);
  useEffect(() => { void attempt(Promise.all([load(a), load(b)])).then((found) => { if (found !== null) setBoth(found); }); }, [a, b]);
  const rows = useMemo(() => (both === null ? [] : compare(both[0], both[1])), [both]);
  if (both === null) return <main className="page"><p className="empty">Loading…</p></main>;
  const [one, two] = both;
  const apart = rows.find((row) => row.way || row.data);
  const wanted = rows.filter((row) => show === "all" || (show === "way" && row.way) || (show === "data" && row.data) || (show === "time" && row.longer !== null && Math.abs(row.longer) >= 1));
  if (show === "time") wanted.sort((x, y) => Math.abs(y.longer ?? 0) - Math.abs(x.longer ?? 0));
  const slowest = Math.max(1, ...rows.map((row) => Math.max(row.one?.duration_ms ?? 0, row.two?.duration_ms ?? 0)));
  return (
    <main className="page">
      <header className="page-head">
        <a className="icon" href="#/runs" aria-label="All runs"><ArrowLeft /></a><h1>Two runs</h1>
        <div className="segments" role="group" aria-label="What to show">{SHOWS.map(([name, words]) => <button key={name} aria-pressed={show === name} onClick={() => setShow(name)}>{words}</button>)}</div>
      </header>
      <div className="versus">
        {both.map(({ view, log }, n) => (
          <section key={view.run} aria-label={n === 0 ? "The first run" : "The second run"}>
            <p><a href={`#/runs/${view.run}`}>{shortRun(view.run)}</a> <StatusChip status={view.status} /></p>
            <p className="muted">{view.blueprint}, {moment(log.started)}, took {duration(view.duration_ms)}{view.forked_from === null ? "" : ", a fork"}</p>
            {view.error !== null && <ErrorBox error={view.error} />}
          </section>
        ))}
      </div>
      <p className="lead apart">{apart === undefined ? "Both went the same way, and gave the same." : <><GitFork aria-hidden="true" /><span>They part at <b>{apart.path}</b>: {apart.way ? `${apart.one?.status ?? "not there"}, and ${apart.two?.status ?? "not there"}` : "it gave something else"}.</span></>}</p>
      <div className="table-wrap">
        <table className="runs compared">
          <thead><tr><th scope="col">Node</th><th scope="col">First</th><th scope="col">Second</th><th scope="col">Time</th><th scope="col">Data</th></tr></thead>
          <tbody>
            {wanted.slice(0, 500).flatMap((row) => [
              <tr key={row.path} className={row.way || row.data ? "differs" : ""}>
                <th scope="row">{row.path}</th><td><How row={row} side="one" /></td><td><How row={row} side="two" /></td>
                <td><Times row={row} slowest={slowest} /></td>
                <td>{row.data ? <button aria-expanded={open === row.path} onClick={() => setOpen(open === row.path ? null : row.path)}>differs</button> : <span className="muted">{one.log.nodes.get(row.path)?.hasOutput === true && two.log.nodes.get(row.path)?.hasOutput === true ? "the same" : ""}</span>}</td>
              </tr>,
              ...(open === row.path ? [<tr key={`${row.path}:data`}><td colSpan={5}><Differing one={one.log.nodes.get(row.path)?.output} two={two.log.nodes.get(row.path)?.output} /></td></tr>] : []),
            ])}
          </tbody>
        </table>
        {wanted.length === 0 && <p className="empty">Nothing of this kind.</p>}
        {wanted.length > 500 && <p className="empty">Only the first 500 of {wanted.length.toLocaleString()} are shown.</p>}
      </div>
      <h2 className="section">What they gave</h2>
      <div className="table-wrap"><Differing one={one.view.output} two={two.view.output} /></div>
    </main>
  );
}

function How({ row, side }: { readonly row: Compared; readonly side: "one" | "two" }): ReactElement {
  const node = row[side];
  if (node === null) return <span className="muted">not there</span>;
  return <><StatusChip status={node.status} /> <span className="muted">{node.attempts > 1 ? `${node.attempts} tries` : ""}</span></>;
}

function Times({ row, slowest }: { readonly row: Compared; readonly slowest: number }): ReactElement {
  const share = (ms: number | null | undefined): string => `${(100 * (ms ?? 0)) / slowest}%`;
  return (
    <div className="times">
      <span className="both-times" aria-hidden="true"><i style={{ width: share(row.one?.duration_ms) }} /><i style={{ width: share(row.two?.duration_ms) }} /></span>
      <span className="muted">{row.longer === null ? "" : Math.abs(row.longer) < 0.01 ? "as long" : `${row.longer < 0 ? "−" : "+"}${duration(Math.abs(row.longer))}`}</span>
    </div>
  );
}

/** Where two values differ, place by place. */
function Differing({ one, two }: { readonly one: unknown; readonly two: unknown }): ReactElement {
  const found = differences(one, two);
  if (found.length === 0) return <p className="empty">The same.</p>;
  const text = (value: unknown): string => (value === undefined ? "—" : (JSON.stringify(value, null, 1) ?? "—").slice(0, 2000));
  return (
    <table className="places">
      <thead><tr><th scope="col">Where</th><th scope="col">First</th><th scope="col">Second</th></tr></thead>
      <tbody>{found.map((d) => <tr key={d.at}><th scope="row"><code>{d.at === "" ? "all of it" : d.at}</code></th><td><pre>{text(d.one)}</pre></td><td><pre>{text(d.two)}</pre></td></tr>)}</tbody>
    </table>
  );
}
