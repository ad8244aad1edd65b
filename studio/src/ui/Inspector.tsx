import { AlignCenterHorizontal, AlignCenterVertical, AlignEndHorizontal, AlignEndVertical, AlignHorizontalSpaceBetween, AlignStartHorizontal, AlignStartVertical, AlignVerticalSpaceBetween, BookOpen, Bug, Copy, Eye, Play, Power, Trash2 } from "lucide-react";
import { useEffect, useMemo, useState, type ReactElement } from "react";
import { pathOf } from "../model/operations";
import { outputOf } from "../model/ports";
import { fieldsOf, shortType, typeOfName } from "../model/schemas";
import { nodeAt, plain, read } from "../model/yaml";
import type { NodeView } from "../model/blueprint";
import { alignSelected, duplicate, removeSelected, renameNode, setField, toggleBreakpoint, toggleEnabled, useStudio } from "../app/store";
import { lookOf, subtitle } from "./icons";
import { BlueprintForm } from "./BlueprintForm";
import { Field } from "./Field";
import { LabelledData } from "./LabelledData";
import { TypeParameters } from "./Parameters";
import { Policies } from "./Policies";
import { problemAt, useProblems, type Found } from "./problems";
import { Routes } from "./Routes";
import { SchemaForm } from "./SchemaForm";
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
  const types = useStudio((s) => s.types);
  const stop = useStudio((s) => s.breakpoints.has(path));
  const [tab, setTab] = useState<Tab>("parameters");
  const value = useValue(path);
  const problems = useProblems(pathOf(path));
  if (node === undefined) return null;
  const { icon: Icon, hue } = lookOf(node, types);
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
      <NodeProblems problems={problems} />
      <div className="tabs" role="tablist">
        {(["parameters", "policies", "docs"] as const).map((name) => (
          <button key={name} role="tab" aria-selected={tab === name} onClick={() => setTab(name)}>{{ parameters: "Parameters", policies: "Policies", docs: "About" }[name]}</button>
        ))}
      </div>
      <div className="form" role="tabpanel">
        {tab === "parameters" && <Parameters node={node} value={value} problems={problems} />}
        {tab === "policies" && <Policies node={node} value={value} problems={problems} />}
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

function NodeProblems({ problems }: { readonly problems: readonly Found[] }): ReactElement | null {
  const found = problems.filter((p) => !p.at.startsWith("with."));
  return found.length === 0 ? null : <ul className="problems">{found.map((p) => <li key={p.at + p.message}>{p.message}</li>)}</ul>;
}

function Parameters({ node, value, problems }: { readonly node: NodeView; readonly value: Record<string, unknown>; readonly problems: readonly Found[] }): ReactElement {
  const types = useStudio((s) => s.types);
  const { path } = node;
  return (
    <>
      {node.repeat?.kind === "map" && <SchemaForm form="map" path={path} at={[]} value={value} />}
      {node.repeat?.kind === "loop" && <SchemaForm form="loop" path={path} at={["loop"]} value={value["loop"]} />}
      {node.kind === "branch" && <Routes node={node} value={value} problems={problems} />}
      {node.kind === "wait" && <SchemaForm form="wait" path={path} at={["wait"]} value={value["wait"]} />}
      {node.kind === "call" && <Field plain path={path} name="call" schema={{ type: "string" }} value={value["call"]} required problem={problemAt(problems, ["call"])} onChange={(v) => setField(path, ["call"], v)} description="Id of a kept blueprint, or ./file.yaml" />}
      <TypeParameters type={typeOfName(types, node.type)} path={path} at={["with"]} given={(value["with"] ?? {}) as Record<string, unknown>} problems={problems} />
      {node.kind === "group" && <LabelledData path={path} label="Output" help="What the group gives; without it what its last nodes give." value={value["output"]} problem={problemAt(problems, ["output"])} onChange={(v) => setField(path, ["output"], v)} />}
      {node.kind === "group" && <Field plain path={path} name="race" schema={{ type: "boolean" }} fallback={false} value={value["race"]} onChange={(v) => setField(path, ["race"], v === false ? undefined : v)} description="The first of its last nodes to complete wins; the others are cancelled." />}
      <Field plain path={path} name="name" schema={{ type: "string" }} value={value["name"]} onChange={(v) => setField(path, ["name"], v || undefined)} description="Shown on the canvas instead of the id" />
      <Field plain path={path} name="description" schema={{ type: "string" }} value={value["description"]} onChange={(v) => setField(path, ["description"], v || undefined)} />
    </>
  );
}

function About({ node }: { readonly node: NodeView }): ReactElement {
  const types = useStudio((s) => s.types);
  const type = typeOfName(types, node.type);
  const fields = Object.entries(fieldsOf(outputOf(node, types)));
  return (
    <div className="about">
      {type !== undefined && <><h2><BookOpen />{type.title}</h2>{type.deprecated !== "" && <p className="problems">Deprecated: {type.deprecated}</p>}{(type.details || type.description).split("\n\n").map((part) => <p key={part}>{part}</p>)}<p className="help">{EFFECTS[type.effect] ?? type.effect}</p></>}
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
