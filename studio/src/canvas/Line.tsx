import { BaseEdge, EdgeLabelRenderer, type EdgeProps } from "@xyflow/react";
import { createContext, memo, useContext, useMemo, type ReactElement } from "react";
import { inTheWay, laneOf, type Around } from "../model/around";
import type { EdgeView } from "../model/blueprint";
import { wayOf } from "../model/routing";
import { outputFor, useRun } from "../app/run";

export interface LineData extends Record<string, unknown> {
  readonly line: EdgeView;
}

/** What stands around the lines. */
export const AroundContext = createContext<Around>(new Map());

/** How many things went along a line, where that says something. */
function carried(line: EdgeView): string {
  const output = outputFor(line.source);
  const value = line.fromPort === "" || output === null || typeof output !== "object" ? output : (output as Record<string, unknown>)[line.fromPort];
  if (!Array.isArray(value)) return "";
  return value.length === 1 ? "1 item" : `${value.length.toLocaleString()} items`;
}

/** How long the head of a line is, and half of how high. */
const HEAD = 9;
const HALF = 4.5;

/** A head that points at what a line leads to: every line arrives from the left. */
const headAt = (x: number, y: number): string => `M${x - HEAD},${y - HALF} L${x},${y} L${x - HEAD},${y + HALF} Z`;

export const Line = memo(function Line(props: EdgeProps): ReactElement {
  const { line } = props.data as LineData;
  const { sourceX, sourceY, targetX, targetY, source, target } = props;
  const around = useContext(AroundContext);
  const way = useMemo(() => {
    const { things, own } = inTheWay(around, source, target);
    // The line ends inside of its head, so that the point of it is sharp.
    return wayOf({ x: sourceX, y: sourceY }, { x: targetX - HEAD / 2, y: targetY }, things, own, laneOf(source));
  }, [around, sourceX, sourceY, targetX, targetY, source, target]);
  const done = useRun((s) => s.tallies.get(line.source)?.status);
  const aim = useRun((s) => s.tallies.get(line.target)?.status);
  const label = useRun((s) => (s.version > 0 && done === "completed" && line.kind === "data" ? carried(line) : ""));
  const state = done === "completed" && aim !== undefined && aim !== "pending" ? (aim === "skipped" ? " unused" : aim === "running" ? " flowing" : " used") : "";
  return (
    <>
      <BaseEdge id={props.id} path={way.path} className={`line line-${line.kind}${state}${props.selected ? " line-selected" : ""}`} interactionWidth={16} />
      <path className="line-head" d={headAt(targetX, targetY)} />
      {label !== "" && (
        <EdgeLabelRenderer>
          <div className="line-label" style={{ transform: `translate(-50%, -108%) translate(${way.label.x}px, ${way.label.y}px)` }}>{label}</div>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
