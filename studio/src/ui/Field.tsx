import { SquareFunction } from "lucide-react";
import { useEffect, useRef, useState, type ReactElement } from "react";
import { asTyped, fromTyped } from "../model/data";
import { asWords, kindsOf, shortType, type Schema } from "../model/schemas";
import { ExpressionInput } from "./ExpressionInput";
import { Words } from "./Words";

interface Props {
  readonly path: string;
  readonly name: string;
  readonly schema: Schema;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly required?: boolean;
  readonly expression?: boolean;
  readonly description?: string;
  readonly fallback?: unknown;
  readonly problem?: string | undefined;
  readonly plain?: boolean;
  /** Of an expression over items: a text that gives their list. */
  readonly over?: string | undefined;
  /** What it is, where its type says too little. */
  readonly kind?: string;
  /** Instead of what holds without it. */
  readonly placeholder?: string;
  /** How it is typed as one line, where that is not what it is. */
  readonly typed?: Typing;
}

/** A value as one line of text, and back. */
export interface Typing {
  readonly show: (value: unknown) => string;
  readonly read: (text: string, before: unknown) => unknown;
}

/** One value of a form: the right control for its type, or an expression instead. */
export function Field(props: Props): ReactElement {
  const { name, schema, value, onChange, required = false, expression = false, description = "", problem, plain = false } = props;
  const isText = typeof value === "string" && value.includes("${{");
  const simple = simpleKind(schema);
  const [asked, setAsked] = useState(false);
  // What is typed never changes the control: the focus would be lost, and later keys would mean something else.
  const taken = isText || (asked && (value === undefined || typeof value === "string"));
  const free = expression || simple === "text" || (taken && simple !== "data");
  // What an expression took the place of is there again without it.
  const literal = useRef<unknown>(undefined);
  if (!taken) literal.current = value;
  const write = (text: string): void => {
    setAsked(true);
    onChange(text === "" && !required ? undefined : text);
  };
  return (
    <div className={`field${problem === undefined ? "" : " wrong"}`} data-field={name}>
      <div className="field-head">
        <span className="field-name">{name}{required && <i title="must be given">*</i>}</span>
        <small>{props.kind ?? (expression ? "expression" : shortType(schema))}</small>
        {!plain && !expression && simple !== "text" && (
          <button className={`fx${taken ? " on" : ""}`} aria-pressed={taken} title="Take it from an expression" aria-label={`${name} as an expression`} onClick={() => {
            setAsked(!taken);
            onChange(taken ? literal.current : "${{ }}");
          }}><SquareFunction /></button>
        )}
        {!required && value !== undefined && <button className="clear" onClick={() => { setAsked(false); onChange(undefined); }}>clear</button>}
      </div>
      {free && !plain
        ? <ExpressionInput path={props.path} label={name} bare={expression} value={asText(value)} over={props.over} placeholder={placeholder(props)} onChange={write} />
        : props.typed === undefined ? <Control {...props} control={simple} /> : <Line name={name} value={value} typed={props.typed} placeholder={placeholder(props)} onChange={onChange} />}
      {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
      {description !== "" && <p className="help"><Words text={description} /></p>}
    </div>
  );
}

function simpleKind(schema: Schema): "text" | "number" | "boolean" | "choice" | "data" {
  if (Array.isArray(schema["enum"])) return "choice";
  const kinds = kindsOf(schema);
  if (kinds === null) return "data";
  const some = [...kinds].filter((k) => k !== "null");
  if (some.every((k) => k === "integer" || k === "number")) return "number";
  if (some.length === 1 && some[0] === "boolean") return "boolean";
  return some.length === 1 && some[0] === "string" ? "text" : "data";
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}

function placeholder({ fallback, schema, placeholder: given }: Props): string {
  if (given !== undefined && given !== "") return given;
  return fallback === undefined || fallback === null ? (shortType(schema) === "any" ? "a value, or ${{ … }}" : "") : asWords(fallback);
}

/** One line; what is typed stays as it is while it is typed, whatever it is read as. */
function Line({ name, value, typed, placeholder: hint, onChange }: { readonly name: string; readonly value: unknown; readonly typed: Typing; readonly placeholder: string; readonly onChange: (value: unknown) => void }): ReactElement {
  const [text, setText] = useState<string | null>(null);
  return (
    <input
      type="text" aria-label={name} spellCheck={false} value={text ?? typed.show(value)} placeholder={hint}
      onChange={(e) => { setText(e.target.value); onChange(typed.read(e.target.value, value)); }} onBlur={() => setText(null)}
    />
  );
}

function Control(props: Props & { readonly control: ReturnType<typeof simpleKind> }): ReactElement {
  const { name, schema, value, onChange, control: kind, fallback } = props;
  if (kind === "boolean") {
    const on = value === undefined ? fallback === true : value === true;
    return <button role="switch" aria-checked={on} aria-label={name} className="switch" onClick={() => onChange(!on)}><i />{on ? "yes" : "no"}</button>;
  }
  if (kind === "choice") {
    const all = schema["enum"] as readonly unknown[];
    return (
      <select aria-label={name} value={asText(value)} onChange={(e) => onChange(e.target.value === "" ? undefined : (all.find((v) => String(v) === e.target.value) ?? e.target.value))}>
        <option value="">{fallback === undefined || fallback === null ? "—" : `${asWords(fallback)} (default)`}</option>
        {typeof value === "object" && value !== null && <option value={asText(value)}>{asText(value)}</option>}
        {all.map((v) => <option key={String(v)} value={String(v)}>{String(v)}</option>)}
      </select>
    );
  }
  if (kind === "number") {
    return <input type="number" aria-label={name} value={typeof value === "number" ? value : ""} placeholder={placeholder(props)} step="any" {...boundsOf(schema)} onChange={(e) => onChange(e.target.value === "" ? undefined : Number(e.target.value))} />;
  }
  if (kind === "text") {
    return <input type="text" aria-label={name} value={asText(value)} placeholder={placeholder(props)} onChange={(e) => onChange(e.target.value)} />;
  }
  return <DataInput name={name} value={value} onChange={onChange} {...(props.plain ? {} : { path: props.path })} hint={placeholder(props)} />;
}

/** What a browser says itself of a number that is too large or too small. */
function boundsOf({ minimum, maximum }: Schema): { min?: number; max?: number } {
  return { ...(typeof minimum === "number" ? { min: minimum } : {}), ...(typeof maximum === "number" ? { max: maximum } : {}) };
}

interface DataProps {
  readonly name: string;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  /** The node that it belongs to, where it may hold expressions. */
  readonly path?: string;
  readonly hint?: string;
}

/** Any value, as YAML; taken over once it can be read. */
export function DataInput({ name, value, onChange, path, hint = "" }: DataProps): ReactElement {
  const shown = asTyped(value);
  const [text, setText] = useState(shown);
  const [wrong, setWrong] = useState("");
  const [editing, setEditing] = useState(false);
  useEffect(() => { if (!editing) setText(shown); }, [shown, editing]);
  const take = (typed: string): void => {
    setText(typed);
    try {
      const read = fromTyped(typed);
      setWrong("");
      onChange(read);
    } catch (error) {
      setWrong((error as Error).message.split("\n")[0]!);
    }
  };
  const rows = Math.min(12, Math.max(2, text.split("\n").length));
  return (
    <div onFocus={() => setEditing(true)} onBlur={() => setEditing(false)}>
      {path === undefined
        ? <textarea className="mono" aria-label={name} rows={rows} spellCheck={false} value={text} onChange={(e) => take(e.target.value)} placeholder="YAML or JSON" />
        : <ExpressionInput path={path} label={name} value={text} rows={rows} placeholder={hint || "YAML or JSON"} onChange={take} />}
      {wrong !== "" && <p className="problem">{wrong}</p>}
    </div>
  );
}
