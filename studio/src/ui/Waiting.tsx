import { useState, type ReactElement } from "react";
import { api, type Wait } from "../app/api";
import { attempt, tell } from "../app/store";
import { Field } from "./Field";
import { moment } from "./time";

/** Something that a run waits for, with what can be done about it. */
export function Waiting({ run, wait, done }: { readonly run: string; readonly wait: Wait; readonly done?: () => void }): ReactElement {
  const [comment, setComment] = useState("");
  const [values, setValues] = useState<Record<string, unknown>>({});
  const until = wait.until ? ` until ${moment(wait.until)}` : "";
  if (wait.kind === "approval") {
    const answer = async (approved: boolean): Promise<void> => {
      const fields = approved ? values : Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined));
      if ((await attempt(api.approve(run, wait.node, approved, comment, fields))) === null) return;
      tell(approved ? "approved" : "denied", "good");
      done?.();
    };
    return (
      <div className="wait-box">
        <h2>{wait.title || "Approval"}</h2>
        {wait.description && <p>{wait.description}</p>}
        <p className="help">{wait.node}{until}</p>
        {Object.entries(wait.fields ?? {}).map(([name, schema]) => <Field key={name} plain path="" name={name} schema={schema} required={!("default" in schema)} fallback={schema["default"]} value={values[name]} onChange={(v) => setValues((old) => ({ ...old, [name]: v }))} />)}
        <input aria-label="Comment" placeholder="Comment" value={comment} onChange={(e) => setComment(e.target.value)} />
        <div className="row-actions"><button className="primary" onClick={() => void answer(true)}>Approve</button><button className="danger" onClick={() => void answer(false)}>Deny</button></div>
      </div>
    );
  }
  return (
    <div className="wait-box">
      <p><b>{wait.node}</b> waits for {wait.kind === "signal" ? <>the signal <code>{wait.signal}</code></> : wait.kind}{until}</p>
      {wait.kind === "signal" && <div className="row-actions"><button onClick={() => void attempt(api.signal(run, wait.signal ?? "", null))}>Send it</button></div>}
      {wait.kind === "decision" && <div className="row-actions"><button onClick={() => void attempt(api.resume(run, "repeat"))}>Do it again</button><button className="danger" onClick={() => void attempt(api.resume(run, "fail"))}>Let it fail</button></div>}
    </div>
  );
}
