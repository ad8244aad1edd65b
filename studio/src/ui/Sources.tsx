import { ChevronDown, ChevronRight, Play } from "lucide-react";
import { useMemo, useState, type ReactElement, type ReactNode } from "react";
import { partOf, readable, type Source } from "../model/given";
import { outputOf } from "../model/ports";
import { fieldsOf, shortType, type Schema } from "../model/schemas";
import type { Previewed } from "../app/api";
import { usePreview } from "../app/preview";
import { outputFor, useRun } from "../app/run";
import { select, useStudio } from "../app/store";
import { requestRun } from "./Execute";
import { lookOf } from "./icons";
import { Part } from "./Part";
import { Tree, Value } from "./Value";

/** Nodes that are listed though they have nothing to do with the one that is looked at. */
const FEW = 4;

/** All that a node can read, with what it was in the run that is looked at; what it reads stands first. */
export function Sources({ path }: { readonly path: string }): ReactElement {
  const model = useStudio((s) => s.model);
  const [all, setAll] = useState(false);
  const sources = useMemo(() => readable(model, path), [model, path]);
  const before = useMemo(() => new Set(model.edges.filter((e) => e.target === path).map((e) => e.source)), [model, path]);
  const near = sources.filter((s) => s.kind !== "node" || before.has(s.path));
  const far = sources.filter((s) => !near.includes(s));
  const hidden = far.length > FEW && !all;
  if (sources.length === 0) return <p className="empty">Nothing comes before this node, and the blueprint has no inputs: it begins with what its form says.</p>;
  // In one list, so that what is unfolded stays so when the node begins to read it.
  return (
    <>
      {[
        ...near.map((source) => <One key={source.root} path={path} source={source} open near />),
        ...(far.length > 0 && near.length > 0 ? [<h3 key="" className="others">Others that it could read</h3>] : []),
        ...(hidden ? far.slice(0, FEW) : far).map((source) => <One key={source.root} path={path} source={source} near={false} open={near.length === 0 && far.length === 1} />),
      ]}
      {hidden && <button className="link more-came" onClick={() => setAll(true)}>{far.length - FEW} more</button>}
    </>
  );
}

interface Shown {
  readonly source: Source;
  readonly open: boolean;
  /** Whether the node has to do with it already. */
  readonly near: boolean;
}

function One({ path, source, open, near }: Shown & { readonly path: string }): ReactElement {
  if (source.kind === "item" || source.kind === "index") return <Item path={path} root={source.root} kind={source.kind} />;
  return source.kind === "inputs" ? <Inputs open={open} /> : <FromNode source={source} open={open} near={near} />;
}

function Fold({ name, first, head, children }: { readonly name: string; readonly first: boolean; readonly head: ReactNode; readonly children: ReactNode }): ReactElement {
  const [open, setOpen] = useState(first);
  return (
    <section className="came" aria-label={`What ${name} gave`}>
      <header><button className="icon" aria-expanded={open} aria-label={`${open ? "Fold" : "Unfold"} what ${name} gave`} onClick={() => setOpen(!open)}>{open ? <ChevronDown /> : <ChevronRight />}</button>{head}</header>
      {open && children}
    </section>
  );
}

function FromNode({ source, open, near }: Shown): ReactElement | null {
  const node = useStudio((s) => s.model.nodes.get(source.path));
  const types = useStudio((s) => s.types);
  const version = useRun((s) => s.version);
  const value = useMemo(() => (version < 0 ? undefined : outputFor(source.path)), [source.path, version]);
  if (node === undefined) return null;
  const { icon: Icon, hue } = lookOf(node);
  const head = (
    <>
      <span className={`tile hue-${hue}`}><Icon /></span>
      <button className="link" title="Look at this node" aria-label={`Go to ${node.name || node.id}`} onClick={() => select([source.path])}>{node.name || node.id}</button>
      <small>{node.name === "" ? "" : node.id}</small>
      {value === undefined && near && <button className="run-came" aria-label={`Run it: ${source.path}`} title={`Run what ${source.path} needs, and it`} onClick={() => requestRun({ until: source.path })}><Play />Run it</button>}
    </>
  );
  return <Fold name={source.path} first={open} head={head}>{value === undefined ? <Fields root={source.root} schema={outputOf(node, types)} /> : <Given value={value} root={source.root} />}</Fold>;
}

function Inputs({ open }: { readonly open: boolean }): ReactElement {
  const inputs = useStudio((s) => s.model.head.inputs);
  const version = useRun((s) => s.version);
  const log = useRun((s) => s.log);
  const given = version > 0 && typeof log.inputs === "object" && log.inputs !== null ? log.inputs : null;
  const schema: Schema = { type: "object", properties: Object.fromEntries(inputs.map((i) => [i.name, i.schema])) };
  return <Fold name="inputs" first={open} head={<b>Inputs of the run</b>}>{given === null ? <Fields root="inputs" schema={schema} /> : <Value value={given} from="inputs" first="tree" />}</Fold>;
}

/** The fields of what was never seen, by its type. */
function Fields({ root, schema }: { readonly root: string; readonly schema: Schema }): ReactElement {
  return (
    <div className="fields">
      <div className="tree-leaf"><Part name={root} expression={root} /><small>{shortType(schema)}</small></div>
      <div className="tree-inner">{Object.entries(fieldsOf(schema)).map(([name, inner]) => <div key={name} className="tree-leaf"><Part name={name} expression={partOf(root, name)} /><small>{shortType(inner)}</small></div>)}</div>
    </div>
  );
}

/** The item of a map, or its number: that of the first one is shown. */
function Item({ path, root, kind }: { readonly path: string; readonly root: string; readonly kind: Source["kind"] }): ReactElement {
  const seen = usePreview({ path, text: `\${{ ${root} }}`, bare: false });
  const value = useMemo(() => whole(seen), [seen]);
  const what = kind === "index" ? "number of the turn" : "item of the turn";
  return (
    <section className="came came-item" aria-label={root}>
      <header><b>{root}</b><small>{value === undefined ? what : `${what}: the first one`}</small></header>
      {value === undefined ? <Fields root={root} schema={kind === "index" ? { type: "integer" } : {}} /> : <Given value={value} root={root} />}
    </section>
  );
}

/** What came in, as a tree; what has no parts needs no choice of how it is shown. */
function Given({ value, root }: { readonly value: unknown; readonly root: string }): ReactElement {
  if (typeof value === "object" && value !== null) return <Value value={value} from={root} first="tree" />;
  return <div className="value value-body"><Tree name="" value={value} depth={0} from={root} /></div>;
}

/** What is shown of an expression, as a value; undefined where it was cut. */
function whole(seen: Previewed | null): unknown {
  if (seen?.ok !== true || seen.size > seen.text.length) return undefined;
  try {
    return JSON.parse(seen.text) as unknown;
  } catch {
    return undefined;
  }
}
