/** Where everything is drawn: sizes, ports and places of the nodes of a model. */
import type { Model, NodeView } from "./blueprint";
import { arrange } from "./layout";
import { outputOf } from "./ports";
import { fieldsOf, typeOfName, type Types } from "./schemas";

export interface Box {
  readonly path: string;
  readonly parent: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Drawn as a frame around its body. */
  readonly open: boolean;
  /** Parameters with a port of their own. */
  readonly ins: readonly string[];
  /** Fields and routes with a port of their own. */
  readonly outs: readonly string[];
  /** Whether something goes on where it fails. */
  readonly error: boolean;
}

export const WIDTH = 228;
export const HEAD = 58;
export const ROW = 22;
export const FRAME_HEAD = 46;
/** What hangs below a node that is undone when the run fails. */
export const UNDO = 34;
export const PAD = 28;

interface Ports {
  readonly ins: Map<string, Set<string>>;
  readonly outs: Map<string, Set<string>>;
  readonly errors: Set<string>;
}

function portsOf(model: Model): Ports {
  const ports: Ports = { ins: new Map(), outs: new Map(), errors: new Set() };
  const add = (map: Map<string, Set<string>>, path: string, port: string): void => {
    if (port !== "") (map.get(path) ?? map.set(path, new Set()).get(path)!).add(port);
  };
  for (const edge of model.edges) {
    if (edge.kind === "error") ports.errors.add(edge.source);
    else add(ports.outs, edge.source, edge.fromPort);
    add(ports.ins, edge.target, edge.toPort);
  }
  return ports;
}

/** The ports of a node: those in use, and what must be given; all of them when it is looked at. */
export function shownPorts(node: NodeView, types: Types, usedIn: ReadonlySet<string> | undefined, usedOut: ReadonlySet<string> | undefined, all: boolean): { ins: string[]; outs: string[] } {
  const type = typeOfName(types, node.type);
  const ins = node.repeat?.kind === "map" ? ["map"] : [];
  for (const parameter of type?.parameters ?? []) {
    const open = parameter.required && !node.parameters.includes(parameter.name);
    if (all || open || usedIn?.has(parameter.name)) ins.push(parameter.name);
  }
  for (const name of usedIn ?? []) if (!ins.includes(name)) ins.push(name);
  const outs = node.kind === "branch" ? [...node.routes] : [];
  for (const name of usedOut ?? []) if (!outs.includes(name)) outs.push(name);
  if (all && node.kind !== "branch") for (const name of Object.keys(fieldsOf(outputOf(node, types)))) if (!outs.includes(name)) outs.push(name);
  return { ins, outs };
}

/** Everything to draw, containers before what is in them. */
export function sceneOf(model: Model, types: Types, folded: ReadonlySet<string>): Box[] {
  const ports = portsOf(model);
  const byParent = new Map<string, NodeView[]>();
  for (const node of model.nodes.values()) {
    const list = byParent.get(node.parent);
    if (list === undefined) byParent.set(node.parent, [node]);
    else list.push(node);
  }
  return body("", model, types, folded, ports, byParent).boxes;
}

function body(
  parent: string, model: Model, types: Types, folded: ReadonlySet<string>, ports: Ports,
  byParent: ReadonlyMap<string, readonly NodeView[]>,
): { boxes: Box[]; width: number; height: number } {
  const nodes = byParent.get(parent) ?? [];
  const inner = new Map<string, Box[]>();
  const sizes = nodes.map((node) => {
    const { ins, outs } = shownPorts(node, types, ports.ins.get(node.path), ports.outs.get(node.path), false);
    const rows = Math.max(ins.length, outs.length);
    const open = node.kind === "group" && !folded.has(node.path);
    const hangs = node.compensates === "" ? 0 : UNDO;
    if (!open) return { node, ins, outs, open, width: WIDTH, height: HEAD + rows * ROW + (rows > 0 ? 8 : 0) + hangs };
    const made = body(node.path, model, types, folded, ports, byParent);
    inner.set(node.path, made.boxes);
    return { node, ins, outs, open, width: Math.max(WIDTH + 2 * PAD, made.width + 2 * PAD), height: made.height + FRAME_HEAD + 2 * PAD };
  });
  const lines = model.edges.flatMap((edge) => {
    const source = childOf(parent, edge.source);
    const target = childOf(parent, edge.target);
    return source === null || target === null || source === target ? [] : [{ source, target }];
  });
  const auto = arrange(sizes.map((s) => ({ id: s.node.path, width: s.width, height: s.height })), lines);
  const offset: readonly [number, number] = parent === "" ? [0, 0] : [PAD, FRAME_HEAD + PAD];
  let width = 0;
  let height = 0;
  const boxes = sizes.flatMap(({ node, ins, outs, open, width: w, height: h }) => {
    const [ax, ay] = auto.places.get(node.path)!;
    const [x, y] = node.place ?? [ax + offset[0], ay + offset[1]];
    width = Math.max(width, x - offset[0] + w);
    height = Math.max(height, y - offset[1] + h);
    const box: Box = { path: node.path, parent, x, y, width: w, height: h, open, ins, outs, error: ports.errors.has(node.path) };
    return [box, ...(inner.get(node.path) ?? [])];
  });
  return { boxes, width: width || WIDTH, height: height || HEAD };
}

function childOf(parent: string, path: string): string | null {
  if (parent === "") return path.split(".")[0]!;
  if (!path.startsWith(`${parent}.`)) return null;
  return `${parent}.${path.slice(parent.length + 1).split(".")[0]!}`;
}

/** Where each box stands on the whole canvas; a box says where it stands in the one around it. */
export function cornersOf(scene: readonly Box[]): Map<string, readonly [number, number]> {
  const corners = new Map<string, readonly [number, number]>([["", [0, 0]]]);
  for (const box of scene) {
    const [left, top] = corners.get(box.parent) ?? [0, 0];
    corners.set(box.path, [left + box.x, top + box.y]);
  }
  return corners;
}

/** Where lines begin or end at a node: the middle of each port, from its corner. */
export interface PortPlace {
  readonly id: string;
  readonly input: boolean;
  readonly side: "left" | "right" | "bottom";
  readonly x: number;
  readonly y: number;
}

const EDGE = 1.5;
/** From the top of the ports to the first one. */
const ABOVE = 4;
/** The middle of the port of all that a node gives, and of that of a frame. */
const MIDDLE = 29;
const FRAME_MIDDLE = 23;

/** From the right to the middle of the port for errors. */
const ERROR = 29;

/** The ports of a node as they are drawn, known before anything is; `whole` names that of all that it gives. */
export function portPlaces(box: Box, whole: string): PortPlace[] {
  const head = EDGE + (box.open ? FRAME_MIDDLE : MIDDLE);
  const row = (index: number): number => EDGE + (box.open ? FRAME_HEAD : HEAD - 2 * EDGE + ABOVE) + ROW * (index + 0.5);
  const right = box.width - EDGE;
  return [
    { id: "*", input: true, side: "left", x: EDGE, y: head },
    ...box.ins.map((id, i): PortPlace => ({ id, input: true, side: "left", x: EDGE, y: row(i) })),
    { id: whole, input: false, side: "right", x: right, y: head },
    ...(box.open ? [] : box.outs.map((id, i): PortPlace => ({ id, input: false, side: "right", x: right, y: row(i) }))),
    ...(box.error ? [{ id: "error", input: false, side: "bottom", x: right - ERROR, y: box.height - EDGE } satisfies PortPlace] : []),
  ];
}

/** What is drawn in place of a node: itself, or the folded container that hides it. */
export function shownAs(path: string, folded: ReadonlySet<string>): string {
  const parts = path.split(".");
  for (let n = 1; n < parts.length; n++) {
    const outer = parts.slice(0, n).join(".");
    if (folded.has(outer)) return outer;
  }
  return path;
}
