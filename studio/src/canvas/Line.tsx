import { BaseEdge, EdgeLabelRenderer, getBezierPath, type EdgeProps } from "@xyflow/react";
import { memo, type ReactElement } from "react";
import type { EdgeView } from "../model/blueprint";
import { outputFor, useRun } from "../app/run";

export interface LineData extends Record<string, unknown> {
  readonly line: EdgeView;
}

/** How many things went along a line, where that says something. */
function carried(line: EdgeView): string {
  const output = outputFor(line.source);
  const value = line.fromPort === "" || output === null || typeof output !== "object" ? output : (output as Record<string, unknown>)[line.fromPort];
  if (!Array.isArray(value)) return "";
  return value.length === 1 ? "1 item" : `${value.length.toLocaleString()} items`;
}

export const Line = memo(function Line(props: EdgeProps): ReactElement {
  const { line } = props.data as LineData;
  const [path, x, y] = getBezierPath({ ...props, curvature: 0.32 });
  const done = useRun((s) => s.tallies.get(line.source)?.status);
  const target = useRun((s) => s.tallies.get(line.target)?.status);
  const label = useRun((s) => (s.version > 0 && done === "completed" && line.kind === "data" ? carried(line) : ""));
  const state = done === "completed" && target !== undefined && target !== "pending" ? (target === "skipped" ? " unused" : target === "running" ? " flowing" : " used") : "";
  return (
    <>
      <BaseEdge id={props.id} path={path} className={`line line-${line.kind}${state}${props.selected ? " line-selected" : ""}`} interactionWidth={16} />
      {label !== "" && (
        <EdgeLabelRenderer>
          <div className="line-label" style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>{label}</div>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
