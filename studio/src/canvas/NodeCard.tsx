import { Handle, Position, useConnection, type NodeProps } from "@xyflow/react";
import { Check, ChevronDown, ChevronRight, CircleDot, Clock3, LoaderCircle, Minus, OctagonAlert, Pin, RotateCcw, ShieldAlert, Timer, TriangleAlert, Undo2, X } from "lucide-react";
import { memo, type ReactElement } from "react";
import type { NodeView } from "../model/blueprint";
import type { Tally } from "../model/runs";
import { shownPorts, type Box } from "../model/scene";
import { toggleBreakpoint, toggleFold, useStudio } from "../app/store";
import { useDebug } from "../app/debug";
import { useRun } from "../app/run";
import { lookOf, subtitle } from "../ui/icons";

export interface CardData extends Record<string, unknown> {
  readonly box: Box;
  readonly problem: string;
}

/** The handle of all that a node gives; no field can be called that. */
export const WHOLE = "=";

const STATES: Readonly<Record<string, ReactElement>> = {
  running: <LoaderCircle className="spin" />, completed: <Check />, failed: <X />, skipped: <Minus />, cancelled: <X />, waiting: <Clock3 />,
};

function State({ tally }: { readonly tally: Tally | undefined }): ReactElement | null {
  if (tally === undefined || tally.status === "pending") return null;
  return <span className={`state state-${tally.status}`} title={tally.status} role="img" aria-label={tally.status}>{STATES[tally.status]}</span>;
}

function Counts({ tally }: { readonly tally: Tally | undefined }): ReactElement | null {
  if (tally === undefined || tally.total < 1) return null;
  const done = tally.completed + tally.skipped + tally.failed + tally.cancelled;
  return (
    <div className="counts">
      <span className="bar" aria-hidden="true"><i className="done" style={{ width: `${(100 * tally.completed) / tally.total}%` }} /><i className="bad" style={{ width: `${(100 * tally.failed) / tally.total}%` }} /></span>
      <span>{done.toLocaleString()} of {tally.total.toLocaleString()}{tally.failed > 0 ? `, ${tally.failed.toLocaleString()} failed` : ""}</span>
    </div>
  );
}

const ICONS: Readonly<Record<string, [ReactElement, string]>> = {
  retry: [<RotateCcw />, "is tried again"], timeout: [<Timer />, "has a time limit"], deadline: [<Timer />, "has a deadline"],
  on_error: [<ShieldAlert />, "goes on when it fails"], compensate: [<Undo2 />, "is undone when the run fails"],
};

function Badges({ node }: { readonly node: NodeView }): ReactElement | null {
  const shown = node.policies.filter((p) => p in ICONS);
  if (shown.length === 0) return null;
  return <span className="badges">{shown.map((p) => <span key={p} title={ICONS[p]![1]}>{ICONS[p]![0]}</span>)}</span>;
}

const tallySame = (path: string) => (s: { tallies: ReadonlyMap<string, Tally> }): Tally | undefined => s.tallies.get(path);

export const NodeCard = memo(function NodeCard({ id, data, selected }: NodeProps): ReactElement | null {
  const { box, problem } = data as CardData;
  const node = useStudio((s) => s.model.nodes.get(id));
  const types = useStudio((s) => s.types);
  const stop = useStudio((s) => s.breakpoints.has(id));
  const pinned = useDebug((s) => id in s.pins);
  const here = useRun((s) => s.stopped.some((p) => p.replace(/\[\d+\]/g, "") === id));
  const tally = useRun(tallySame(id));
  const connecting = useConnection((c) => c.inProgress && c.fromNode.id !== id);
  if (node === undefined) return null;
  const { icon: Icon, hue } = lookOf(node, types);
  const many = selected || connecting;
  const { ins, outs } = many ? shownPorts(node, types, new Set(box.ins), new Set(box.outs), true) : box;
  const frame = box.open ? " frame" : "";
  const classes = `card hue-${hue} run-${tally?.status ?? "none"}${selected ? " selected" : ""}${node.enabled ? "" : " off"}${problem === "" ? "" : " wrong"}${node.repeat === null ? "" : " many"}${frame}${here ? " here" : ""}${many ? " raised" : ""}`;
  return (
    <div className={classes} data-path={id}>
      <Handle type="target" id="*" position={Position.Left} className="port head-port" />
      <div className="card-head">
        {node.kind === "group" && (
          <button className="fold nodrag" aria-label={box.open ? `fold ${node.id}` : `unfold ${node.id}`} onClick={(e) => { e.stopPropagation(); toggleFold(id); }}>
            {box.open ? <ChevronDown /> : <ChevronRight />}
          </button>
        )}
        <span className="tile"><Icon /></span>
        <span className="title">
          <b>{node.name || node.id}</b>
          <small>{subtitle(node)}{node.repeat !== null && node.kind !== "group" ? " · for each" : ""}{node.summary === "" ? "" : ` · ${node.summary}`}</small>
        </span>
        <Badges node={node} />
        {problem !== "" && <span className="state state-wrong" title={problem} role="img" aria-label={`problem: ${problem}`}><TriangleAlert /></span>}
        <State tally={tally} />
      </div>
      {stop && <button className="stop nodrag" title="Breakpoint: a run stops before this node" aria-label={`remove the breakpoint of ${node.id}`} onClick={() => toggleBreakpoint(id)}><OctagonAlert /></button>}
      {pinned && <span className="pin-mark" title="Pinned: gives the data that is kept for it, and does not run" role="img" aria-label={`${node.id} is pinned`}><Pin /></span>}
      {here && <span className="here-mark" title="The run has stopped here"><CircleDot /></span>}
      {node.repeat !== null && <span className="repeat-tag" title={`${node.repeat.kind} ${node.repeat.text}`}>{node.repeat.kind === "map" ? "each" : "loop"} {node.repeat.text}</span>}
      {!box.open && (ins.length > 0 || outs.length > 0) && (
        <div className="ports">
          <div className="ins">{ins.map((name) => <Port key={name} name={name} input />)}</div>
          <div className="outs">{outs.map((name) => <Port key={name} name={name} />)}</div>
        </div>
      )}
      {box.open && <div className="frame-ports">{ins.map((name) => <Port key={name} name={name} input />)}</div>}
      <Counts tally={node.repeat === null && !node.parent.includes(".") && (tally?.total ?? 0) < 2 ? undefined : tally} />
      <Handle type="source" id={WHOLE} position={Position.Right} className="port head-port" />
      {node.compensates !== "" && <span className="undo" title={`Undone by ${node.compensates} when the run fails later`}><Undo2 />{node.compensates}</span>}
      {(box.error || many) && <Handle type="source" id="error" position={Position.Bottom} className="port error-port" title="when it fails" />}
    </div>
  );
});

function Port({ name, input = false }: { readonly name: string; readonly input?: boolean }): ReactElement {
  return (
    <div className="port-row">
      {input && <Handle type="target" id={name} position={Position.Left} className="port" />}
      <span>{name}</span>
      {!input && <Handle type="source" id={name} position={Position.Right} className="port" />}
    </div>
  );
}
