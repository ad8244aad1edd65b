import { AlignCenterHorizontal, AlignCenterVertical, AlignEndHorizontal, AlignEndVertical, AlignHorizontalSpaceBetween, AlignStartHorizontal, AlignStartVertical, AlignVerticalSpaceBetween, BookOpen, Bug, Copy, Eye, Play, Power, Trash2 } from "lucide-react";
import { useEffect, useMemo, useState, type ReactElement } from "react";
import { whyNotName } from "../model/names";
import { pathOf } from "../model/operations";
import { outputOf } from "../model/ports";
import { asWords, fieldsOf, shortType, typeOfName, type Schema } from "../model/schemas";
import { nodeAt, plain, read } from "../model/yaml";
import type { NodeView } from "../model/blueprint";
import { alignSelected, duplicate, removeSelected, renameNode, setField, setTop, tell, toggleBreakpoint, toggleEnabled, useStudio } from "../app/store";
import { lookOf, subtitle } from "./icons";
import { DataInput, Field } from "./Field";
import { ExpressionInput } from "./ExpressionInput";
import type { Align } from "../model/align";
import { ALIGN } from "./commands";
import { requestRun } from "./Execute";

/** The value of a node as its text says it, read again only when the text of the node has changed. */
function useValue(path: string): Record<string, unknown> {
  const text = useStudio((s) => s.model.text);
  return useMemo(() => {
    const found = plain(nodeAt(read(text).contents, pathOf(path)));
    return (typeof found === "object" && found !== null ? found : {}) as Record<string, unknown>;
  }, [text, path]);
}

export function Inspector(): ReactElement | null {
  const selected = useStudio((s) => s.selected);
  const [one] = selected;
  if (selected.size === 0) return <BlueprintForm />;
  if (selected.size > 1) return <Many count={selected.size} />;
  return <NodeForm key={one} path={one!} />;
}

function Many({ count }: { readonly count: number }): ReactElement {
  return (
    <section className="inspector" aria-label="Selection">
      <h2>{count} nodes</h2>
      <div className="row-actions">
        <button onClick={() => duplicate()}><Copy />Duplicate</button>
        <button onClick={() => toggleEnabled()}><Power />On or off</button>
        <button className="danger" onClick={() => removeSelected()}><Trash2 />Remove</button>
      </div>
      <div className="align" role="group" aria-label="Put in line">
        {ALIGN.map(({ title, keys, how }) => {
          const Icon = ALIGN_ICONS[how];
          return <button key={how} className="icon" aria-label={title} title={`${title} (${keys})`} onClick={() => alignSelected(how)}><Icon /></button>;
        })}
      </div>
    </section>
  );
}

const ALIGN_ICONS: Readonly<Record<Align, typeof Copy>> = {
  left: AlignStartVertical, center: AlignCenterVertical, right: AlignEndVertical, top: AlignStartHorizontal, middle: AlignCenterHorizontal, bottom: AlignEndHorizontal,
  across: AlignHorizontalSpaceBetween, down: AlignVerticalSpaceBetween,
};

type Tab = "parameters" | "policies" | "docs";

function NodeForm({ path }: { readonly path: string }): ReactElement | null {
  const node = useStudio((s) => s.model.nodes.get(path));
  const stop = useStudio((s) => s.breakpoints.has(path));
  const [tab, setTab] = useState<Tab>("parameters");
  const value = useValue(path);
  if (node === undefined) return null;
  const { icon: Icon, hue } = lookOf(node);
  return (
    <section className="inspector" aria-label={`Node ${node.id}`}>
      <div className={`inspector-head hue-${hue}`}>
        <span className="tile"><Icon /></span>
        <div><IdInput node={node} /><small>{subtitle(node)}</small></div>
      </div>
      <div className="row-actions">
        <button title="Run what this node needs, and the node" onClick={() => requestRun({ until: path })}><Play />Run to here</button>
        <button className={stop ? "on" : ""} aria-pressed={stop} title="A run stops before this node" onClick={() => toggleBreakpoint(path)}><Bug />Breakpoint</button>
        <button className={node.enabled ? "" : "on"} aria-label={node.enabled ? "Switch off" : "Switch on"} title={node.enabled ? "Switch off: it is skipped" : "Switch on"} onClick={() => toggleEnabled()}><Power /></button>
        <button aria-label="Duplicate" title="Duplicate (Ctrl+D)" onClick={() => duplicate()}><Copy /></button>
        <button className="danger" aria-label="Remove" title="Remove (Delete)" onClick={() => removeSelected()}><Trash2 /></button>
      </div>
      <NodeProblems path={path} />
      <div className="tabs" role="tablist">
        {(["parameters", "policies", "docs"] as const).map((name) => (
          <button key={name} role="tab" aria-selected={tab === name} onClick={() => setTab(name)}>{{ parameters: "Parameters", policies: "Policies", docs: "About" }[name]}</button>
        ))}
      </div>
      <div className="form" role="tabpanel">
        {tab === "parameters" && <Parameters node={node} value={value} />}
        {tab === "policies" && <Policies node={node} value={value} />}
        {tab === "docs" && <About node={node} />}
      </div>
    </section>
  );
}

function IdInput({ node }: { readonly node: NodeView }): ReactElement {
  const [id, setId] = useState(node.id);
  useEffect(() => setId(node.id), [node.id]);
  return <input className="id-input" aria-label="Id of the node" value={id} spellCheck={false} onChange={(e) => setId(e.target.value)} onBlur={() => { renameNode(node.path, id); setId(node.id); }} onKeyDown={(e) => { if (e.key === "Enter") e.currentTarget.blur(); if (e.key === "Escape") { setId(node.id); e.currentTarget.blur(); } }} />;
}

function useProblems(path: string): { at: string; message: string }[] {
  const problems = useStudio((s) => s.problems);
  const start = pathOf(path).join(".");
  return useMemo(() => problems.filter((p) => p.path === start || (p.path?.startsWith(`${start}.`) && !p.path.startsWith(`${start}.nodes.`))).map((p) => ({ at: (p.path ?? "").slice(start.length + 1), message: p.hint ? `${p.message} — ${p.hint}` : p.message })), [problems, start]);
}

function NodeProblems({ path }: { readonly path: string }): ReactElement | null {
  const found = useProblems(path).filter((p) => !p.at.startsWith("with."));
  return found.length === 0 ? null : <ul className="problems">{found.map((p) => <li key={p.at + p.message}>{p.message}</li>)}</ul>;
}

function Parameters({ node, value }: { readonly node: NodeView; readonly value: Record<string, unknown> }): ReactElement {
  const types = useStudio((s) => s.types);
  const problems = useProblems(node.path);
  const type = typeOfName(types, node.type);
  const given = (value["with"] ?? {}) as Record<string, unknown>;
  const problem = (at: string): string | undefined => problems.find((p) => p.at === at || p.at.startsWith(`${at}.`))?.message;
  const known = new Set(type?.parameters.map((p) => p.name));
  return (
    <>
      {node.repeat !== null && <Repeat node={node} value={value} />}
      {node.kind === "branch" && <Routes node={node} value={value} />}
      {node.kind === "wait" && <LabelledData path={node.path} label="What it waits for" value={value["wait"]} onChange={(v) => setField(node.path, ["wait"], v)} />}
      {node.kind === "call" && <Field plain path={node.path} name="call" schema={{ type: "string" }} value={value["call"]} required onChange={(v) => setField(node.path, ["call"], v)} description="Id of a kept blueprint, or ./file.yaml" />}
      {type?.parameters.map((p) => (
        <Field key={p.name} path={node.path} name={p.name} schema={p.schema} required={p.required} expression={p.expression} {...(p.expression ? { over: listOf(given["items"]) } : {})} description={p.description} fallback={p.default} value={given[p.name]} problem={problem(`with.${p.name}`)} onChange={(v) => setField(node.path, ["with", p.name], v)} />
      ))}
      {Object.keys(given).filter((name) => !known.has(name)).map((name) => (
        <Field key={name} path={node.path} name={name} schema={{}} value={given[name]} problem={problem(`with.${name}`)} onChange={(v) => setField(node.path, ["with", name], v)} />
      ))}
      {node.kind === "group" && <LabelledData path={node.path} label="Output" help="What the group gives; without it what its last nodes give." value={value["output"]} onChange={(v) => setField(node.path, ["output"], v)} />}
      <Field plain path={node.path} name="name" schema={{ type: "string" }} value={value["name"]} onChange={(v) => setField(node.path, ["name"], v || undefined)} description="Shown on the canvas instead of the id" />
      <Field plain path={node.path} name="description" schema={{ type: "string" }} value={value["description"]} onChange={(v) => setField(node.path, ["description"], v || undefined)} />
    </>
  );
}

/** A text that gives a list, of a parameter that holds one. */
function listOf(items: unknown): string | undefined {
  if (typeof items === "string") return items;
  const text = Array.isArray(items) ? JSON.stringify(items) : "";
  return text === "" || text.includes("${{") ? undefined : `\${{ ${text} }}`;
}

function LabelledData({ label, value, onChange, path, help = "" }: { readonly path?: string; readonly label: string; readonly value: unknown; readonly onChange: (v: unknown) => void; readonly help?: string }): ReactElement {
  return <div className="field"><div className="field-head"><span className="field-name">{label}</span></div><DataInput name={label} value={value} onChange={onChange} {...(path === undefined ? {} : { path })} />{help !== "" && <p className="help">{help}</p>}</div>;
}

function Repeat({ node, value }: { readonly node: NodeView; readonly value: Record<string, unknown> }): ReactElement {
  if (node.repeat?.kind === "loop") return <LabelledData path={node.path} label="Loop" help="while, until or times; start, max, delay" value={value["loop"]} onChange={(v) => setField(node.path, ["loop"], v)} />;
  return (
    <fieldset>
      <legend>For each item</legend>
      <Field path={node.path} name="map" schema={{ type: "array" }} value={value["map"]} required onChange={(v) => setField(node.path, ["map"], v)} description="The list" />
      <div className="pair">
        <Field plain path={node.path} name="as" schema={{ type: "string" }} value={value["as"]} fallback="item" onChange={(v) => setField(node.path, ["as"], v || undefined)} />
        <Field plain path={node.path} name="concurrency" schema={{ type: "integer" }} value={value["concurrency"]} onChange={(v) => setField(node.path, ["concurrency"], v)} />
      </div>
      <Field plain path={node.path} name="on_item_error" schema={{ enum: ["fail", "collect", "skip"] }} fallback="fail" value={value["on_item_error"]} onChange={(v) => setField(node.path, ["on_item_error"], v)} />
    </fieldset>
  );
}

function Routes({ node, value }: { readonly node: NodeView; readonly value: Record<string, unknown> }): ReactElement {
  const routes = (value["branch"] ?? {}) as Record<string, unknown>;
  const add = (name: string): void => setField(node.path, ["branch", name], "true");
  return (
    <fieldset>
      <legend>Routes, the first that is true is taken</legend>
      {Object.entries(routes).map(([route, condition]) => (
        <Field key={route} path={node.path} name={route} schema={{}} expression value={condition} onChange={(v) => setField(node.path, ["branch", route], v)} />
      ))}
      <NewName what="route" taken={Object.keys(routes)} onAdd={add} />
    </fieldset>
  );
}

/** A line to name something new; says why where it cannot be called that. */
function NewName({ what, taken, onAdd }: { readonly what: string; readonly taken: readonly string[]; readonly onAdd: (name: string) => void }): ReactElement {
  const [name, setName] = useState("");
  const add = (): void => {
    const why = whyNotName(name, taken, what);
    if (why !== null) return tell(why, "bad");
    onAdd(name);
    setName("");
  };
  return (
    <form className="inline" onSubmit={(e) => { e.preventDefault(); add(); }}>
      <input aria-label={`Name of a new ${what}`} placeholder={`new ${what}`} value={name} onChange={(e) => setName(e.target.value)} /><button>Add</button>
    </form>
  );
}

const DURATION: Schema = { type: "string" };

function Policies({ node, value }: { readonly node: NodeView; readonly value: Record<string, unknown> }): ReactElement {
  const retry = (value["retry"] ?? {}) as Record<string, unknown>;
  const set = (at: string) => (v: unknown) => setField(node.path, [at], v === "" ? undefined : v);
  const onError = value["on_error"];
  return (
    <>
      <fieldset>
        <legend>When it fails</legend>
        <div className="pair">
          <Field plain path={node.path} name="attempts" schema={{ type: "integer" }} fallback={1} value={retry["attempts"]} onChange={(v) => setField(node.path, ["retry", "attempts"], v)} description="All tries together" />
          <Field plain path={node.path} name="delay" schema={DURATION} fallback="1s" value={retry["delay"]} onChange={(v) => setField(node.path, ["retry", "delay"], v || undefined)} description="Before the second" />
        </div>
        <div className="field">
          <div className="field-head"><span className="field-name">then</span></div>
          <select aria-label="When it has failed for good" value={onError === "continue" ? "continue" : onError === undefined ? "" : "value"} onChange={(e) => setField(node.path, ["on_error"], e.target.value === "" ? undefined : e.target.value === "value" ? { value: null } : "continue")}>
            <option value="">the run fails</option><option value="continue">go on, with nothing</option><option value="value">go on, with a value</option>
          </select>
          <p className="help">A line from the handle below the node goes where errors are to go.</p>
        </div>
        {typeof onError === "object" && onError !== null && <LabelledData path={node.path} label="value instead" value={(onError as Record<string, unknown>)["value"]} onChange={(v) => setField(node.path, ["on_error", "value"], v ?? null)} />}
        <LabelledData path={node.path} label="compensate" help="A node that undoes this one when the run fails later: uses, with" value={value["compensate"]} onChange={(v) => setField(node.path, ["compensate"], v)} />
      </fieldset>
      <fieldset>
        <legend>Time</legend>
        <div className="pair">
          <Field plain path={node.path} name="timeout" schema={DURATION} value={value["timeout"]} onChange={set("timeout")} description="Of one try: 10s, 5m" />
          <Field plain path={node.path} name="deadline" schema={DURATION} value={value["deadline"]} onChange={set("deadline")} description="Of all tries" />
        </div>
      </fieldset>
      <fieldset>
        <legend>When it runs</legend>
        <div className="field"><div className="field-head"><span className="field-name">if</span><small>expression</small></div>
          <ExpressionInput path={node.path} label="if" bare value={asWords(value["if"])} onChange={(v) => setField(node.path, ["if"], v === "" ? undefined : v)} placeholder="always" />
          <p className="help">When it is false the node is skipped.</p></div>
        <Field plain path={node.path} name="join" schema={{ enum: ["all", "any", "first", "settled"] }} fallback="all" value={value["join"]} onChange={set("join")} description="Which of what it needs must be there; settled runs for clean-up, too" />
        <LabelledData label="needs" help="Nodes to wait for without taking anything from them" value={value["needs"]} onChange={set("needs")} />
      </fieldset>
    </>
  );
}

function About({ node }: { readonly node: NodeView }): ReactElement {
  const types = useStudio((s) => s.types);
  const type = typeOfName(types, node.type);
  const fields = Object.entries(fieldsOf(outputOf(node, types)));
  return (
    <div className="about">
      {type !== undefined && <><h2><BookOpen />{type.title}</h2><p>{type.description}</p><p className="help">{EFFECTS[type.effect] ?? type.effect}</p></>}
      <h3><Eye />Output</h3>
      {fields.length === 0 ? <p className="help">{shortType(outputOf(node, types))}</p> : (
        <dl>{fields.map(([name, schema]) => <div key={name}><dt>{name}</dt><dd>{shortType(schema)}{typeof schema["description"] === "string" ? ` — ${schema["description"]}` : ""}</dd></div>)}</dl>
      )}
      {type !== undefined && type.example !== "" && <><h3>Example</h3><pre>{type.example}</pre></>}
    </div>
  );
}

const EFFECTS: Readonly<Record<string, string>> = {
  pure: "It changes nothing outside: it can be done again at any time.",
  idempotent: "Doing it twice is as good as doing it once.",
  once: "It is not done again unasked when nobody saw how it ended.",
};

/** What the blueprint says of itself, when no node is selected. */
function BlueprintForm(): ReactElement {
  const text = useStudio((s) => s.model.text);
  const head = useStudio((s) => s.model.head);
  const value = useMemo(() => (plain(read(text).contents) ?? {}) as Record<string, unknown>, [text]);
  const set = (name: string) => (v: unknown) => setTop([name], v === "" ? undefined : v);
  const inputs = (value["inputs"] ?? {}) as Record<string, unknown>;
  return (
    <section className="inspector" aria-label="Blueprint">
      <h2>Blueprint</h2>
      <div className="form">
        <Field plain path="" name="id" schema={{ type: "string" }} required value={value["id"]} onChange={(v) => setTop(["id"], v ?? "")} description="Small letters, digits and -" />
        <Field plain path="" name="name" schema={{ type: "string" }} value={value["name"]} onChange={set("name")} />
        <Field plain path="" name="description" schema={{ type: "string" }} value={value["description"]} onChange={set("description")} />
        <fieldset>
          <legend>Inputs</legend>
          {head.inputs.map((input) => (
            <details key={input.name} className="input-item">
              <summary><b>{input.name}</b><small>{shortType(input.schema)}{input.required ? "" : ` = ${JSON.stringify(input.schema["default"])}`}</small></summary>
              <DataInput name={`input ${input.name}`} value={inputs[input.name]} onChange={(v) => setTop(["inputs", input.name], v)} />
            </details>
          ))}
          <NewName what="input" taken={Object.keys(inputs)} onAdd={(name) => setTop(["inputs", name], { type: "string", default: "" })} />
        </fieldset>
        <LabelledData path="" label="Output" help="What a run gives; without it what the last nodes give." value={value["output"]} onChange={set("output")} />
        <LabelledData label="Constants" value={value["variables"]} onChange={set("variables")} />
      </div>
    </section>
  );
}
