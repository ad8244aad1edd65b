import { CalendarClock, FolderSearch, Pause, Play, Radio, RefreshCw, Webhook, Zap } from "lucide-react";
import { useCallback, useEffect, useState, type ReactElement, type SyntheticEvent } from "react";
import { api, type Trigger } from "../app/api";
import { attempt, read, tell, useStudio } from "../app/store";
import type { InputView } from "../model/blueprint";
import { InputFields, missing, type Given } from "../ui/InputFields";
import { ago, moment } from "../ui/time";

const KINDS: Readonly<Record<Trigger["kind"], [ReactElement, string]>> = {
  schedule: [<CalendarClock />, "schedule"], webhook: [<Webhook />, "webhook"], event: [<Radio />, "event"], watch: [<FolderSearch />, "watched folder"],
};

/** In how long, or how long ago, in words. */
export function until(moment: number, now = Date.now() / 1000): string {
  const seconds = moment - now;
  if (seconds <= 0) return "now";
  if (seconds < 90) return `in ${Math.round(seconds)} s`;
  if (seconds < 5400) return `in ${Math.round(seconds / 60)} min`;
  return seconds < 129_600 ? `in ${Math.round(seconds / 3600)} h` : `in ${Math.round(seconds / 86_400)} days`;
}

/** What a trigger waits for, as its author wrote it. */
export function waitsFor({ kind, settings }: Trigger): string {
  const words = (key: string): string => (typeof settings[key] === "string" ? settings[key] : "");
  if (kind === "schedule") return [words("cron") || `every ${words("every")}`, words("timezone")].filter(Boolean).join(", ");
  if (kind === "webhook") return `/hooks/${words("path") || words("id")}`;
  if (kind === "event") return words("type");
  return [words("path"), words("pattern")].filter(Boolean).join("/");
}

/** What starts runs by itself: when it does next, when it did last, and why it could not. */
export default function Triggers(): ReactElement {
  const [triggers, setTriggers] = useState<readonly Trigger[] | null>(null);
  const [text, setText] = useState("");
  const [firing, setFiring] = useState<string | null>(null);
  const may = useStudio((s) => s.info?.role !== "viewer");
  const load = useCallback(async () => { const found = await attempt(api.triggers()); if (found !== null) setTriggers(found); }, []);
  useEffect(() => {
    const first = setTimeout(() => void load(), 0);
    const timer = setInterval(() => { if (!document.hidden) void load(); }, 4000);
    return () => { clearTimeout(first); clearInterval(timer); };
  }, [load]);
  const pause = async (trigger: Trigger): Promise<void> => {
    if ((await attempt(api.pauseTrigger(trigger.id, !trigger.fired.paused))) === null) return;
    tell(trigger.fired.paused ? `${trigger.id} starts runs again` : `${trigger.id} starts nothing until it is resumed`, "good");
    void load();
  };
  const shown = (triggers ?? []).filter((t) => t.id.includes(text));
  return (
    <main className="page">
      <header className="page-head">
        <h1>Triggers</h1>
        <input aria-label="Filter" placeholder="of the blueprint…" value={text} onChange={(e) => setText(e.target.value.trim())} />
        <span className="grow" />
        <button className="icon" aria-label="Load again" title="Load again" onClick={() => void load()}><RefreshCw /></button>
      </header>
      {triggers !== null && triggers.length === 0 && <p className="lead">No saved blueprint has a trigger. Write one under <code>triggers:</code>, such as <code>- schedule: {"{cron: \"0 7 * * *\"}"}</code>.</p>}
      {shown.length > 0 && <div className="table-wrap">
        <table className="runs triggers">
          <thead><tr><th scope="col">Blueprint</th><th scope="col">What starts it</th><th scope="col">Next</th><th scope="col">Last</th><th scope="col">Runs</th><th scope="col"><span className="hidden">Actions</span></th></tr></thead>
          <tbody>
            {shown.map((trigger) => (
              <tr key={trigger.id} className={trigger.fired.paused ? "off" : ""}>
                <td><a href={`#/b/${trigger.blueprint}`}><b>{trigger.blueprint}</b></a></td>
                <td><span className="trigger-kind">{KINDS[trigger.kind][0]}{KINDS[trigger.kind][1]}</span> <code>{waitsFor(trigger)}</code></td>
                <td>{trigger.fired.paused ? <span className="chip chip-paused">paused</span> : trigger.next_at === null ? <span className="muted">when it happens</span> : <span title={moment(trigger.next_at)}>{until(trigger.next_at)}<br /><small className="muted">{moment(trigger.next_at)}</small></span>}</td>
                <td>
                  {trigger.fired.fired_at === null ? <span className="muted">never</span> : <span title={moment(trigger.fired.fired_at)}>{ago(trigger.fired.fired_at)}</span>}
                  {trigger.fired.run !== null && <> <a href={`#/runs/${trigger.fired.run}`}>the run</a></>}
                  {(trigger.invalid ?? trigger.fired.problem) !== null && <p className="problem">{trigger.invalid ?? trigger.fired.problem}</p>}
                </td>
                <td className="number">{trigger.kind === "webhook" ? "" : trigger.fired.count.toLocaleString()}</td>
                <td>{may && <div className="row-actions">
                  <button aria-label={`${trigger.fired.paused ? "Resume" : "Pause"} ${trigger.id}`} onClick={() => void pause(trigger)}>{trigger.fired.paused ? <Play /> : <Pause />}{trigger.fired.paused ? "Resume" : "Pause"}</button>
                  <button aria-label={`Fire ${trigger.id} now`} aria-expanded={firing === trigger.id} onClick={() => setFiring(firing === trigger.id ? null : trigger.id)}><Zap />Fire</button>
                </div>}
                {firing === trigger.id && <Fire trigger={trigger} done={() => { setFiring(null); void load(); }} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>}
    </main>
  );
}

/** Start the run of a trigger now, with inputs where its blueprint has some. */
function Fire({ trigger, done }: { readonly trigger: Trigger; readonly done: () => void }): ReactElement | null {
  const [inputs, setInputs] = useState<readonly InputView[] | null>(null);
  const [values, setValues] = useState<Given>({});
  useEffect(() => {
    let gone = false;
    void attempt(api.blueprint(trigger.blueprint)).then((stored) => { if (!gone) setInputs(stored === null ? [] : read(stored.text).head.inputs); });
    return () => { gone = true; };
  }, [trigger.blueprint]);
  const fire = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    const wanting = missing(inputs ?? [], values);
    if (wanting !== null) return tell(wanting, "bad");
    const run = await attempt(api.fireTrigger(trigger.id, Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))));
    if (run === null) return;
    tell(`${trigger.id} was fired`, "good", { label: "Look at the run", run: () => { location.hash = `#/runs/${run}`; } });
    done();
  };
  if (inputs === null) return null;
  return (
    <form className="fire" onSubmit={(event) => void fire(event)}>
      {inputs.length === 0 ? <p className="help">It takes no inputs.</p> : <InputFields inputs={inputs} values={values} onChange={setValues} />}
      <button className="primary" type="submit"><Zap />Fire now</button>
    </form>
  );
}
