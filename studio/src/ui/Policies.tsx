import { useId, type ReactElement } from "react";
import type { NodeView } from "../model/blueprint";
import { asWords } from "../model/schemas";
import { chooseRepeat, setField, type Repeating } from "../app/store";
import { Compensation } from "./Compensation";
import { ExpressionInput } from "./ExpressionInput";
import { Field } from "./Field";
import { LabelledData } from "./LabelledData";
import { problemAt, type Found } from "./problems";
import { SchemaForm } from "./SchemaForm";

interface Props {
  readonly node: NodeView;
  readonly value: Readonly<Record<string, unknown>>;
  readonly problems: readonly Found[];
}

/** When a node runs, how often, how long, and what happens when it fails. */
export function Policies({ node, value, problems }: Props): ReactElement {
  const repeats = node.kind === "uses" || node.kind === "group" || node.kind === "call";
  return (
    <>
      <Failing node={node} value={value} problems={problems} />
      <Compensation path={node.path} value={value["compensate"]} problems={problems} />
      <SchemaForm form="time" path={node.path} at={[]} value={value} />
      <fieldset>
        <legend>When it runs</legend>
        <div className="field"><div className="field-head"><span className="field-name">if</span><small>expression</small></div>
          <ExpressionInput path={node.path} label="if" bare value={typeof value["if"] === "boolean" ? String(value["if"]) : asWords(value["if"])} onChange={(v) => setField(node.path, ["if"], v === "" ? undefined : v)} placeholder="always" />
          {problemAt(problems, ["if"]) !== undefined && <p className="problem" role="alert">{problemAt(problems, ["if"])}</p>}
          <p className="help">When it is false the node is skipped.</p></div>
        <Join path={node.path} value={value["join"]} problem={problemAt(problems, ["join"])} />
        <LabelledData label="needs" help="Nodes to wait for without taking anything from them" value={value["needs"]} onChange={(v) => setField(node.path, ["needs"], v === "" ? undefined : v)} />
        {repeats && <Often path={node.path} how={node.repeat?.kind ?? ""} />}
      </fieldset>
      {node.kind === "uses" && <SchemaForm form="place" path={node.path} at={[]} value={value} />}
    </>
  );
}

function Failing({ node, value, problems }: Props): ReactElement {
  const onError = value["on_error"];
  const id = useId();
  return (
    <fieldset>
      <legend>When it fails</legend>
      <SchemaForm bare form="retry" path={node.path} at={["retry"]} value={value["retry"]} />
      <div className="field">
        <div className="field-head"><label className="field-name" htmlFor={id}>then</label></div>
        <select id={id} value={onError === "continue" ? "continue" : onError === undefined ? "" : "value"} onChange={(e) => setField(node.path, ["on_error"], e.target.value === "" ? undefined : e.target.value === "value" ? { value: null } : "continue")}>
          <option value="">the run fails</option><option value="continue">go on, with nothing</option><option value="value">go on, with a value</option>
        </select>
        {problemAt(problems, ["on_error"]) !== undefined && <p className="problem" role="alert">{problemAt(problems, ["on_error"])}</p>}
        <p className="help">A line from the handle below the node goes where errors are to go.</p>
      </div>
      {typeof onError === "object" && onError !== null && <LabelledData path={node.path} label="value instead" value={(onError as Record<string, unknown>)["value"]} onChange={(v) => setField(node.path, ["on_error", "value"], v ?? null)} />}
    </fieldset>
  );
}

const JOINS: readonly (readonly [string, string])[] = [["", "all have completed"], ["any", "all have ended, and one has completed"], ["first", "one has completed"], ["settled", "all have ended, however: for cleaning up"], ["at_least", "so many have completed"]];

function Join({ path, value, problem }: { readonly path: string; readonly value: unknown; readonly problem: string | undefined }): ReactElement {
  const id = useId();
  const counted = typeof value === "object" && value !== null;
  const shown = counted ? "at_least" : value === "all" ? "" : asWords(value);
  const choose = (how: string): void => setField(path, ["join"], how === "" ? undefined : how === "at_least" ? { at_least: 1 } : how);
  return (
    <div className={`field${problem === undefined ? "" : " wrong"}`}>
      <div className="field-head"><label className="field-name" htmlFor={id}>join</label><small>of what it needs</small></div>
      <select id={id} value={shown} onChange={(e) => choose(e.target.value)}>{JOINS.map(([key, words]) => <option key={key} value={key}>{words}</option>)}</select>
      {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
      {counted && <Field plain path={path} name="at_least" schema={{ type: "integer", minimum: 1 }} required value={(value as Record<string, unknown>)["at_least"]} onChange={(v) => setField(path, ["join", "at_least"], v ?? 1)} />}
    </div>
  );
}

function Often({ path, how }: { readonly path: string; readonly how: Repeating }): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <div className="field-head"><label className="field-name" htmlFor={id}>how often</label></div>
      <select id={id} value={how} onChange={(e) => chooseRepeat(path, e.target.value as Repeating)}>
        <option value="">once</option><option value="map">for each item of a list</option><option value="loop">again and again</option>
      </select>
      {how !== "" && <p className="help">What it repeats stands under Parameters.</p>}
    </div>
  );
}
