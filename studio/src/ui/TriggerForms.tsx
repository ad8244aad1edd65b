import { CalendarClock, FolderSearch, Radio, Trash2, Webhook } from "lucide-react";
import { useEffect, useId, useState, type ReactElement } from "react";
import { FORMS, SCHEDULES, TRIGGERS } from "../model/forms";
import { asWords } from "../model/schemas";
import { api, Refused } from "../app/api";
import { setField } from "../app/store";
import { DataInput } from "./Field";
import { problemAt, useProblems } from "./problems";
import { SchemaForm } from "./SchemaForm";

const ICONS = { schedule: CalendarClock, webhook: Webhook, event: Radio, watch: FolderSearch };
type Kind = keyof typeof ICONS;

/** What starts runs by itself, where a server keeps the blueprint. */
export function TriggerForms({ value }: { readonly value: unknown }): ReactElement {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const problems = useProblems(["triggers"]);
  const add = (kind: string): void => {
    const chosen = TRIGGERS.find((t) => t.key === kind);
    if (chosen === undefined) return;
    const made = { [kind]: chosen.sample };
    if (list.length > 0) setField("", ["triggers", list.length], made);
    else setField("", ["triggers"], [made]);
  };
  return (
    <fieldset>
      <legend>Started by</legend>
      {problemAt(problems, []) !== undefined && <p className="problem" role="alert">{problemAt(problems, [])}</p>}
      {list.map((trigger, index) => <One key={index} index={index} value={trigger} />)}
      <select aria-label="Add a trigger" value="" onChange={(e) => add(e.target.value)}>
        <option value="">{list.length === 0 ? "by hand only; add…" : "add…"}</option>
        {TRIGGERS.map(({ key, words }) => <option key={key} value={key}>{words}</option>)}
      </select>
      {list.length > 0 && <p className="help">Once it is saved, a server that keeps this blueprint starts these runs.</p>}
    </fieldset>
  );
}

function One({ index, value }: { readonly index: number; readonly value: unknown }): ReactElement {
  const own = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const kind = (Object.keys(ICONS) as Kind[]).find((key) => key in own);
  const remove = <button className="icon" aria-label={`Remove trigger ${index + 1}`} title="Remove" onClick={() => setField("", ["triggers", index], undefined)}><Trash2 /></button>;
  if (kind === undefined) return <div className="trigger"><header><b>Trigger {index + 1}</b>{remove}</header><DataInput name={`trigger ${index + 1}`} value={value} onChange={(v) => setField("", ["triggers", index], v)} /></div>;
  const Icon = ICONS[kind];
  const settings = (own[kind] ?? {}) as Record<string, unknown>;
  return (
    <div className="trigger" role="group" aria-label={`Trigger ${index + 1}: ${FORMS[kind].legend}`}>
      <header><Icon /><b>{FORMS[kind].legend}</b>{remove}</header>
      {kind === "schedule" && <Preset index={index} cron={asWords(settings["cron"])} />}
      <SchemaForm bare form={kind} path="" at={["triggers", index, kind]} value={own[kind] ?? {}}>
        {kind === "schedule" ? <Firings cron={asWords(settings["cron"])} timezone={asWords(settings["timezone"]) || "UTC"} /> : kind === "webhook" ? <p className="help">Called at <code>{`${location.origin}/hooks/${asWords(settings["path"]).replace(/^\/|\/$/g, "")}`}</code></p> : null}
      </SchemaForm>
    </div>
  );
}

/** Schedules that many want, by name. */
function Preset({ index, cron }: { readonly index: number; readonly cron: string }): ReactElement {
  const id = useId();
  const known = SCHEDULES.some(([fields]) => fields === cron);
  return (
    <div className="field">
      <div className="field-head"><label className="field-name" htmlFor={id}>how often</label></div>
      <select id={id} value={known ? cron : ""} onChange={(e) => { if (e.target.value !== "") setField("", ["triggers", index, "schedule", "cron"], e.target.value); }}>
        {!known && <option value="">as cron says</option>}
        {SCHEDULES.map(([fields, words]) => <option key={fields} value={fields}>{words}</option>)}
      </select>
    </div>
  );
}

const WHEN: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

function inWords(moment: number, timezone: string): string {
  const date = new Date(moment * 1000);
  try {
    return date.toLocaleString("en-GB", { ...WHEN, timeZone: timezone });
  } catch {
    return date.toLocaleString("en-GB", WHEN); // this browser does not know the zone
  }
}

/** When a schedule starts runs next, as the server would. */
function Firings({ cron, timezone }: { readonly cron: string; readonly timezone: string }): ReactElement | null {
  const [seen, setSeen] = useState<{ readonly moments: readonly number[]; readonly why: string }>({ moments: [], why: "" });
  useEffect(() => {
    const asking = new AbortController();
    const timer = setTimeout(() => {
      api.firings(cron, timezone, asking.signal).then((moments) => setSeen({ moments, why: moments.length === 0 ? "never" : "" })).catch((error: unknown) => {
        if (error instanceof Refused) setSeen({ moments: [], why: error.status === 0 ? "" : error.message });
      });
    }, 250);
    return () => { clearTimeout(timer); asking.abort(); };
  }, [cron, timezone]);
  if (seen.moments.length === 0) return seen.why === "" ? null : <p className="help">Next: {seen.why}</p>;
  return (
    <div className="firings" role="group" aria-label="Next runs">
      <span>Next, in {timezone}</span>
      <ol>{seen.moments.map((moment) => <li key={moment}><time dateTime={new Date(moment * 1000).toISOString()}>{inWords(moment, timezone)}</time></li>)}</ol>
    </div>
  );
}
