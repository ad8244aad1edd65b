import { Trash2 } from "lucide-react";
import type { ReactElement } from "react";
import { wordsAt } from "../model/format";
import { asWords, kindsOf, shortType, type Schema } from "../model/schemas";
import type { Path } from "../model/yaml";
import { setField } from "../app/store";
import { DataInput, Field, type Typing } from "./Field";
import { NewName } from "./NewName";
import { problemAt, type Found } from "./problems";

const TYPES = wordsAt(["inputs", "any"]);
const TEXTS = new Set(["date-time", "date", "time", "path", "uri", "email", "uuid"]);

interface Props {
  /** Of the node; empty for the blueprint itself. */
  readonly path: string;
  readonly at: Path;
  /** What one of them is called. */
  readonly what: string;
  readonly label: string;
  readonly hint?: string;
  readonly value: unknown;
  readonly problems: readonly Found[];
  /** Where the problems of all of them stand. */
  readonly within?: Path;
  /** Whether one without a default must be given. */
  readonly needed?: boolean;
}

/** What is asked for, by name: inputs of a blueprint, fields of an approval. */
export function Declarations({ path, at, what, label, hint = "", value, problems, within = [], needed = false }: Props): ReactElement {
  const all = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  return (
    <fieldset>
      <legend>{label}</legend>
      {Object.entries(all).map(([name, declared]) => <Declaration key={name} path={path} at={[...at, name]} what={what} name={name} value={declared} needed={needed} problem={problemAt(problems, [...within, name])} />)}
      <NewName what={what} taken={Object.keys(all)} onAdd={(name) => setField(path, [...at, name], needed ? { type: "string", default: "" } : "string")} />
      {hint !== "" && <p className="help">{hint}</p>}
    </fieldset>
  );
}

/** A declaration as a schema, also where it is the name of a type only. */
function schemaOf(declared: unknown): Schema {
  return typeof declared === "string" ? { type: declared } : typeof declared === "object" && declared !== null ? (declared as Schema) : {};
}

/** The schema of its values: some types are kinds of text. */
function valueSchema(schema: Schema): Schema {
  return typeof schema["type"] === "string" && TEXTS.has(schema["type"]) ? { ...schema, type: "string" } : schema["type"] === "any" ? {} : schema;
}

const CHOICES: Typing = {
  show: (v) => (Array.isArray(v) ? v.map(asWords).join(", ") : ""),
  read: (text) => { const words = text.split(",").map((w) => w.trim()).filter((w) => w !== ""); return words.length === 0 ? undefined : words; },
};

function choicesOf(schema: Schema, value: unknown): unknown {
  const numbers = kindsOf(schema)?.has("number") === true || kindsOf(schema)?.has("integer") === true;
  return Array.isArray(value) && numbers ? value.map((v) => (Number.isFinite(Number(v)) ? Number(v) : (v as unknown))) : value;
}

function Declaration({ path, at, what, name, value, needed, problem }: { readonly path: string; readonly at: Path; readonly what: string; readonly name: string; readonly value: unknown; readonly needed: boolean; readonly problem: string | undefined }): ReactElement {
  const schema = schemaOf(value);
  const values = valueSchema(schema);
  const short = typeof value === "string";
  const set = (key: string) => (given: unknown): void => {
    const v = given === "" && key !== "default" ? undefined : given;
    if (short) return setField(path, at, key === "type" ? v : v === undefined ? value : { type: value, [key]: v });
    // What is left without a key is one of any type, not gone.
    if (v === undefined && Object.keys(schema).length === 1) return setField(path, at, "any");
    setField(path, [...at, key], v);
  };
  const type = typeof schema["type"] === "string" ? schema["type"] : "";
  const bounds = type === "integer" || type === "number" ? ["minimum", "maximum"] : [];
  return (
    <details className="input-item">
      <summary><b>{name}</b><small>{type || shortType(schema)}{"default" in schema ? ` = ${JSON.stringify(schema["default"])}` : needed ? ", must be given" : ""}</small></summary>
      <div className="more-inner">
        {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
        <div className="pair">
          <Field plain path={path} name="type" kind="" schema={{ enum: TYPES }} required value={type} onChange={set("type")} />
          <Field plain={values["type"] !== undefined} path={path} name="default" kind="" schema={values} value={schema["default"]} onChange={set("default")} />
        </div>
        <Field plain path={path} name="description" schema={{ type: "string" }} kind="text" value={schema["description"]} onChange={set("description")} description="Told to whoever fills it in." />
        {type !== "boolean" && type !== "array" && type !== "object" && <Field plain path={path} name="choices" kind="" schema={{}} placeholder="any" typed={CHOICES} value={schema["enum"]} onChange={(v) => set("enum")(choicesOf(schema, v))} description="The only values, with commas between." />}
        {bounds.length > 0 && <div className="pair">{bounds.map((key) => <Field key={key} plain path={path} name={key} kind="" schema={{ type: "number" }} value={schema[key]} onChange={set(key)} />)}</div>}
        <details className="more-fields"><summary>as YAML</summary><DataInput name={`${what} ${name}`} value={value} onChange={(v) => { if (v !== undefined) setField(path, at, v); }} /></details>
        <div className="row-actions"><button className="danger" aria-label={`Remove ${what} ${name}`} onClick={() => setField(path, at, undefined)}><Trash2 />Remove</button></div>
      </div>
    </details>
  );
}
