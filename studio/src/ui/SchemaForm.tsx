import { useId, useState, type ReactElement } from "react";
import { codesOf, durationOf, fieldsOfForm, FORMS, kindOf, strangersTo, valueAt, type Control, type Form, type FormField, type FormName } from "../model/forms";
import { pathOf } from "../model/operations";
import type { Path } from "../model/yaml";
import { asWords } from "../model/schemas";
import { chooseKind, setField } from "../app/store";
import { Declarations } from "./Declarations";
import { DataInput, Field, type Typing } from "./Field";
import { problemAt, useProblems, type Found } from "./problems";

interface Props {
  readonly form: FormName;
  /** Of the node; empty for the blueprint itself. */
  readonly path: string;
  /** Where in it. */
  readonly at: Path;
  readonly value: unknown;
  /** Without a frame and a name of its own. */
  readonly bare?: boolean;
  readonly children?: ReactElement | null;
}

/** A form of the table, for what stands at a place of the blueprint. */
export function SchemaForm({ form: name, path, at, value, bare = false, children = null }: Props): ReactElement {
  const form: Form = FORMS[name];
  const problems = useProblems([...pathOf(path), ...at]);
  const kind = form.kinds === undefined ? null : kindOf(name, value);
  const id = useId();
  if (value !== undefined && (typeof value !== "object" || value === null)) {
    return <div className="field"><div className="field-head"><span className="field-name">{form.legend}</span></div><DataInput name={form.legend} value={value} onChange={(v) => setField(path, at, v)} path={path} /></div>;
  }
  const fields = fieldsOfForm(name, kind);
  const common = { path, at, value, problems };
  const inner = (
    <>
      {form.kinds !== undefined && (
        <div className="field">
          <div className="field-head"><label className="field-name" htmlFor={id}>{form.kinds.label}</label></div>
          <select id={id} value={kind ?? ""} onChange={(e) => { if (kind !== null) chooseKind(path, at, kind, form.kinds!.of.find((k) => k.key === e.target.value)!, strangersTo(name, e.target.value)); }}>
            {kind === null && <option value="">—</option>}
            {form.kinds.of.map((one) => <option key={one.key} value={one.key}>{one.words}</option>)}
          </select>
        </div>
      )}
      <Fields {...common} fields={fields.filter((f) => !f.rare)} />
      {children}
      <Rare {...common} fields={fields.filter((f) => f.rare)} />
    </>
  );
  return bare ? inner : <fieldset><legend>{form.legend}</legend>{inner}</fieldset>;
}

interface Common {
  readonly path: string;
  readonly at: Path;
  readonly value: unknown;
  readonly problems: readonly Found[];
  readonly fields: readonly FormField[];
}

/** What few need: open where some of it is said. */
function Rare(props: Common): ReactElement | null {
  const said = props.fields.some((field) => valueAt(props.value, field.at) !== undefined);
  const [open, setOpen] = useState(said);
  if (props.fields.length === 0) return null;
  return (
    <details className="more-fields" open={open || said} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>{props.fields.map((f) => f.name).join(", ")}</summary>
      <div className="more-inner"><Fields {...props} /></div>
    </details>
  );
}

/** Fields below each other, and beside each other where the table says so. */
function Fields(props: Common): ReactElement {
  const rows: FormField[][] = [];
  for (const field of props.fields) {
    if (field.beside && rows.length > 0) rows[rows.length - 1]!.push(field);
    else rows.push([field]);
  }
  return <>{rows.map((row) => (row.length === 1 ? <One key={row[0]!.name} {...props} field={row[0]!} /> : <div key={row[0]!.name} className="pair">{row.map((field) => <One key={field.name} {...props} field={field} />)}</div>))}</>;
}

const DURATION: Typing = { show: (v) => (typeof v === "number" ? `${v}` : asWords(v)), read: durationOf };
const CODES: Typing = { show: (v) => (Array.isArray(v) ? v.join(", ") : asWords(v)), read: codesOf };
const WORDS: Partial<Record<Control, string>> = { duration: "duration", codes: "codes", count: "number or expression", text: "text", number: "number", choice: "choice", expression: "text" };

function One({ path, at, value, problems, field }: Common & { readonly field: FormField }): ReactElement {
  const { control, name, schema } = field;
  const here = valueAt(value, field.at);
  const change = (v: unknown): void => setField(path, [...at, ...field.at], v === "" && !field.required ? undefined : v);
  if (control === "declarations") return <Declarations path={path} at={[...at, ...field.at]} what="field" label={name} hint={field.hint} value={here} problems={problems} within={field.at} />;
  const common = {
    path, name, value: here, required: field.required, fallback: field.fallback, placeholder: field.placeholder, description: field.hint, problem: problemAt(problems, field.at),
    ...(WORDS[control] === undefined ? {} : { kind: WORDS[control] }),
  };
  switch (control) {
    case "condition": return <Field {...common} schema={schema} expression onChange={change} />;
    case "count": return <Field {...common} schema={schema} expression onChange={(v) => change(typeof v === "string" && /^\d+$/.test(v) ? Number(v) : v)} />;
    case "expression": return <Field {...common} schema={name === "map" ? schema : { type: "string" }} onChange={change} />;
    case "duration": return <Field {...common} plain schema={schema} typed={DURATION} onChange={change} />;
    case "codes": return <Field {...common} plain schema={schema} typed={CODES} onChange={change} />;
    case "data": return <Field {...common} schema={schema} onChange={change} />;
    default: return <Field {...common} plain schema={schema} onChange={change} />;
  }
}
