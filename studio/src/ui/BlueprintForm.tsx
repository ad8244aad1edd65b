import { useMemo, type ReactElement } from "react";
import { whyNotBlueprintId } from "../model/names";
import { plain, read } from "../model/yaml";
import { setTop, useStudio } from "../app/store";
import { Declarations } from "./Declarations";
import { Field } from "./Field";
import { LabelledData } from "./LabelledData";
import { problemAt, useProblems } from "./problems";
import { SchemaForm } from "./SchemaForm";
import { TriggerForms } from "./TriggerForms";

/** What the blueprint says of itself, when no node is selected. */
export function BlueprintForm(): ReactElement {
  const text = useStudio((s) => s.model.text);
  const saved = useStudio((s) => (s.etag === null ? null : s.id));
  const value = useMemo(() => (plain(read(text).contents) ?? {}) as Record<string, unknown>, [text]);
  const problems = useProblems([]);
  const inputs = useProblems(["inputs"]);
  const set = (name: string) => (v: unknown) => setTop([name], v === "" ? undefined : v);
  const id = typeof value["id"] === "string" ? value["id"] : "";
  const wrong = whyNotBlueprintId(id) ?? problemAt(problems, ["id"]);
  return (
    <section className="inspector" aria-label="Blueprint">
      <h2>Blueprint</h2>
      <div className="form">
        <Field plain path="" name="id" schema={{ type: "string" }} required value={value["id"]} problem={wrong} onChange={(v) => setTop(["id"], v ?? "")} description={saved !== null && saved !== id && wrong === undefined ? `Saved as ${saved}: saving asks whether to rename it or to make a copy.` : "Small letters, digits and -"} />
        <Field plain path="" name="name" schema={{ type: "string" }} value={value["name"]} onChange={set("name")} />
        <Field plain path="" name="description" schema={{ type: "string" }} value={value["description"]} onChange={set("description")} />
        <Declarations path="" at={["inputs"]} what="input" label="Inputs" value={value["inputs"]} problems={inputs} needed />
        <TriggerForms value={value["triggers"]} />
        <LabelledData path="" label="Output" help="What a run gives; without it what the last nodes give." value={value["output"]} problem={problemAt(problems, ["output"])} onChange={set("output")} />
        <LabelledData label="Constants" value={value["variables"]} problem={problemAt(problems, ["variables"])} onChange={set("variables")} />
        <SchemaForm form="limits" path="" at={["limits"]} value={value["limits"]} />
        <SchemaForm form="keeping" path="" at={[]} value={value} />
      </div>
    </section>
  );
}
