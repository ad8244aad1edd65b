import {
  applyNodeChanges, Background, Position, BackgroundVariant, Controls, ReactFlow, getViewportForBounds, useReactFlow, useStore, useStoreApi, SelectionMode, useOnViewportChange, type Viewport,
  type Connection, type Edge, type IsValidConnection, type Node, type NodeChange, type OnConnectEnd,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type DragEvent, type ReactElement } from "react";
import { FRAME_HEAD, PAD, portPlaces, sceneOf, shownAs, type Box } from "../model/scene";
import type { EdgeView, Model, Note } from "../model/blueprint";
import { whyNot } from "../model/ports";
import { add, addingOf, connectPorts, enter, fitAgain, mayChange, moveAll, select, selectEdge, selectNotes, tell, useStudio, type Adding } from "../app/store";
import { aroundOf } from "../model/around";
import { AroundContext, Line, type LineData } from "./Line";
import { NodeCard, WHOLE, type CardData } from "./NodeCard";
import { Distance, type DistanceHandle } from "./Distance";
import { Overview, type OverviewHandle } from "./Overview";
import { NoteCard, noteId, noteOf, type NoteData } from "./NoteCard";
import { focusPalette, openLarge } from "../ui/commands";
import { CONTROL } from "../ui/Palette";

const nodeTypes = { card: NodeCard, note: NoteCard };
const edgeTypes = { line: Line };
/** More nodes than these are drawn only where one looks. */
const HUGE = 150;
/** The size below which a large blueprint that moves is painted as one picture. */
const FAR = 0.3;
/** Milliseconds without a move after which one stands still. */
const STILL = 200;
/** The size at which large blueprints begin. */
const READABLE = 0.5;

function boundsOf(scene: readonly Box[], notes: readonly Note[]): { x: number; y: number; width: number; height: number } {
  const top = scene.filter((box) => box.parent === "");
  const x = Math.min(...top.map((b) => b.x), ...notes.map((n) => n.at[0]));
  const y = Math.min(...top.map((b) => b.y), ...notes.map((n) => n.at[1]));
  const right = Math.max(...top.map((b) => b.x + b.width), ...notes.map((n) => n.at[0] + 240));
  const bottom = Math.max(...top.map((b) => b.y + b.height), ...notes.map((n) => n.at[1] + 60));
  return { x, y, width: right - x, height: bottom - y };
}

function problemsByNode(model: Model, problems: readonly { path?: string | null; message: string }[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, message } of problems) {
    const parts = (path ?? "").split(".");
    if (parts[0] !== "nodes") continue;
    const ids: string[] = [];
    for (let i = 0; parts[i] === "nodes" && i + 1 < parts.length; i += 2) ids.push(parts[i + 1]!);
    const key = ids.join(".");
    if (model.nodes.has(key) && !found.has(key)) found.set(key, message);
  }
  return found;
}

const SIDES = { left: Position.Left, right: Position.Right, bottom: Position.Bottom };
/** The size of a port, as the style sheet has it. */
const PORT = 11;

/** The ports of a node that was not drawn yet: with them it need not be, to draw the lines to it. */
function handlesOf(box: Box): NonNullable<Node["handles"]> {
  return portPlaces(box, WHOLE).map(({ id, input, side, x, y }) => ({ id, type: input ? "target" : "source", position: SIDES[side], x: x - PORT / 2, y: y - PORT / 2, width: PORT, height: PORT }));
}

/** What was drawn has its true ports, also those that it shows at times only. */
function drawn(nodes: Node[]): Node[] {
  return nodes.map((node) => {
    if (node.handles === undefined || node.measured?.width === undefined) return node;
    const measured = { ...node };
    delete measured.handles;
    return measured;
  });
}

function nodeOf(box: Box, problem: string, selected: boolean, old: Node | undefined, many: boolean): Node {
  const data = old?.data as CardData | undefined;
  const same = data !== undefined && data.problem === problem && JSON.stringify(data.box) === JSON.stringify(box);
  if (same && old!.selected === selected && old!.position.x === box.x && old!.position.y === box.y) return old!;
  const node: Node = {
    id: box.path, type: "card", position: { x: box.x, y: box.y }, selected,
    data: same ? old!.data : ({ box, problem } satisfies CardData),
    initialWidth: box.width, initialHeight: box.height,
    ...(box.open ? { style: { width: box.width, height: box.height } } : { style: { width: box.width } }),
    ariaLabel: box.path, zIndex: box.open ? -1 : 1,
  };
  if (box.parent !== "") node.parentId = box.parent;
  if (many && old?.measured?.width === undefined) node.handles = handlesOf(box);
  if (old?.measured) node.measured = same || old.measured.width === box.width ? old.measured : {};
  return node;
}

function noteNode(note: Note, selected: boolean, old: Node | undefined): Node {
  if (old !== undefined && (old.data as NoteData).note === note && old.selected === selected) return old;
  const node: Node = {
    id: noteId(note.index), type: "note", position: { x: note.at[0], y: note.at[1] }, selected, data: { note } satisfies NoteData,
    ariaLabel: `note: ${note.text}`, zIndex: 0, connectable: false, initialWidth: 240, initialHeight: 60,
  };
  if (old?.measured) node.measured = old.measured;
  return node;
}

function edgesOf(lines: readonly EdgeView[], folded: ReadonlySet<string>, chosen: string | null, old: ReadonlyMap<string, Edge>): Edge[] {
  const found: Edge[] = [];
  const seen = new Set<string>();
  for (const line of lines) {
    const source = shownAs(line.source, folded);
    const target = shownAs(line.target, folded);
    if (source === target) continue;
    const hidden = source !== line.source || target !== line.target;
    const id = hidden ? `${source}>>${target}` : line.id;
    if (seen.has(id)) continue;
    seen.add(id);
    const selected = line.id === chosen;
    const before = old.get(id);
    if (before !== undefined && (before.data as LineData).line === line && before.selected === selected) {
      found.push(before);
      continue;
    }
    found.push({
      id, source, target, type: "line", selected, data: { line } satisfies LineData,
      sourceHandle: source === line.source && line.fromPort !== "" ? line.fromPort : WHOLE, targetHandle: target === line.target && line.toPort !== "" ? line.toPort : "*",
      ariaLabel: `${line.source} to ${line.target}${line.toPort === "" ? "" : `, ${line.toPort}`}`, zIndex: 0,
    });
  }
  return found;
}

export function Canvas({ readOnly = false }: { readonly readOnly?: boolean }): ReactElement {
  const model = useStudio((s) => s.model);
  const types = useStudio((s) => s.types);
  const folded = useStudio((s) => s.folded);
  const selected = useStudio((s) => s.selected);
  const chosen = useStudio((s) => s.edge);
  const written = useStudio((s) => s.model.head.notes);
  const notes = useStudio((s) => s.notes);
  const problems = useStudio((s) => s.problems);
  const fit = useStudio((s) => s.fit);
  const look = useStudio((s) => s.look);
  const flow = useReactFlow();
  const store = useStoreApi();
  const scene = useMemo(() => sceneOf(model, types, folded), [model, types, folded]);
  const around = useMemo(() => aroundOf(scene), [scene]);
  const wrong = useMemo(() => problemsByNode(model, problems), [model, problems]);
  const made = useCallback((old: readonly Node[]): Node[] => {
    const by = new Map(old.map((node) => [node.id, node]));
    const cards = scene.map((box) => nodeOf(box, wrong.get(box.path) ?? "", selected.has(box.path), by.get(box.path), scene.length > HUGE));
    return [...written.map((note) => noteNode(note, notes.has(note.index), by.get(noteId(note.index)))), ...cards];
  }, [scene, wrong, selected, written, notes]);
  const [nodes, setNodes] = useState<Node[]>(() => made([]));
  useEffect(() => setNodes(made), [made]);
  const kept = useRef<ReadonlyMap<string, Edge>>(new Map());
  const edges = useMemo(() => edgesOf(model.edges, folded, chosen, kept.current), [model.edges, folded, chosen]);
  useEffect(() => { kept.current = new Map(edges.map((e) => [e.id, e])); }, [edges]);
  const fitted = useRef(-1);
  /** What is shown since everything was fitted in; and in what room. */
  const whole = useRef<Viewport | null>(null);
  const room = useStore((s) => `${s.width}x${s.height}`);
  const roomBefore = useRef(room);
  useEffect(() => {
    if (roomBefore.current === room) return;
    roomBefore.current = room;
    if (whole.current === null || scene.length > HUGE) return;
    const [x, y, zoom] = store.getState().transform;
    // As long as nobody has moved it, all that was in sight stays so in more or less room.
    const { x: left, y: top, zoom: before } = whole.current;
    if (Math.abs(x - left) < 1 && Math.abs(y - top) < 1 && Math.abs(zoom - before) < 0.001) fitAgain();
  }, [room, scene, store]);
  useLayoutEffect(() => {
    const { width, height } = store.getState();
    if (fitted.current === fit || scene.length === 0 || width === 0) return;
    fitted.current = fit;
    // Before anything is drawn, so that nothing is drawn where nobody looks.
    const bounds = boundsOf(scene, written);
    const least = scene.length > HUGE && !useStudio.getState().whole ? READABLE : 0.05;
    const view = getViewportForBounds(bounds, width, height, least, 1.05, { top: "64px", left: "40px", right: "40px", bottom: "84px" });
    // What is too large to be seen at once begins at its beginning.
    const x = bounds.width * view.zoom > width ? 40 - bounds.x * view.zoom : view.x;
    const y = bounds.height * view.zoom > height ? 64 - bounds.y * view.zoom : view.y;
    whole.current = { x, y, zoom: view.zoom };
    void flow.setViewport(whole.current);
  });

  const dragging = useRef(false);
  const moving = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const onNodesChange = useCallback((changes: NodeChange[]) => {
    const picked = changes.filter((c) => c.type === "select");
    if (picked.length > 0) {
      const now = new Set(useStudio.getState().selected);
      const nowNotes = new Set(useStudio.getState().notes);
      for (const change of picked) {
        const note = noteOf(change.id);
        if (note !== null) nowNotes[change.selected ? "add" : "delete"](note);
        else now[change.selected ? "add" : "delete"](change.id);
      }
      select(now, true);
      selectNotes(nowNotes);
    }
    const rest = changes.filter((c) => c.type !== "remove" && c.type !== "select");
    if (rest.length > 0) setNodes((old) => drawn(applyNodeChanges(rest, old)));
    // What the arrow keys move is kept as well, a moment after the last one.
    if (!dragging.current && rest.some((c) => c.type === "position" && c.dragging === false)) {
      clearTimeout(moving.current);
      moving.current = setTimeout(() => keepMoved(flow.getNodes().filter((n) => n.selected)), 350);
    }
  }, [flow]);

  const looked = useRef(0);
  useEffect(() => {
    if (look === null || look.count === looked.current) return;
    looked.current = look.count;
    const box = around.get(look.path.slice(0, Math.max(0, look.path.lastIndexOf("."))))?.find((b) => b.path === look.path)?.rect;
    const { width, height } = store.getState();
    if (box === undefined) return;
    if (look.whole) return void flow.setViewport(getViewportForBounds(box, width, height, 0.3, 1.2, 0.12), { duration: 200 });
    const [x, y, zoom] = store.getState().transform;
    const [left, top] = [box.x * zoom + x, box.y * zoom + y];
    if (left < 0 || top < 60 || left + box.width * zoom > width || top + box.height * zoom > height - 70) void flow.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom, duration: 200 });
  }, [look, around, flow, store]);

  const onDragStart = useCallback(() => { dragging.current = true; }, []);
  const onDragStop = useCallback((_: unknown, __: Node, moved: Node[]) => {
    dragging.current = false;
    keepMoved(moved);
  }, []);

  const isValid: IsValidConnection = useCallback((line) => {
    const { model: now, types: known } = useStudio.getState();
    const to = line.targetHandle === "*" ? "" : (line.targetHandle ?? "");
    return whyNot(now, known, line.source, portOf(line.sourceHandle), line.target, to) === null;
  }, []);
  const onConnect = useCallback((line: Connection) => connectPorts(line.source, portOf(line.sourceHandle), line.target, line.targetHandle ?? "*"), []);
  const onConnectEnd: OnConnectEnd = useCallback((_event, state) => {
    if (state.isValid === true || state.fromNode === null) return;
    if (state.toNode === null) return addBehind(state.fromNode.id, state.fromHandle);
    const reversed = state.fromHandle?.type === "target";
    const [from, to] = reversed ? [state.toNode, state.fromNode] : [state.fromNode, state.toNode];
    const [fromHandle, toHandle] = reversed ? [state.toHandle, state.fromHandle] : [state.fromHandle, state.toHandle];
    connectPorts(from.id, portOf(fromHandle?.id), to.id, toHandle?.id ?? "*");
  }, []);

  const onDrop = useCallback((event: DragEvent) => {
    event.preventDefault();
    const name = event.dataTransfer.getData("application/x-atomiton");
    const adding: Adding | undefined = CONTROL.find((c) => c.wish === name.replace("control:", "")) ?? typeAdding(name);
    if (adding === undefined) return;
    const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const under = flow.getIntersectingNodes({ x: at.x, y: at.y, width: 1, height: 1 }).filter((n) => n.type === "card" && (n.data as CardData).box.open).pop();
    const origin = under === undefined ? { x: 0, y: 0 } : (flow.getInternalNode(under.id)?.internals.positionAbsolute ?? { x: 0, y: 0 });
    add(adding, { parent: under?.id ?? "", place: [Math.round(at.x - origin.x - 110), Math.round(at.y - origin.y - 24)] });
  }, [flow]);

  const frame = useRef<HTMLDivElement>(null);
  const zoomed = useCallback((view: Viewport) => {
    // What is small is drawn in fewer and larger letters; a class of the frame does it, no node is drawn anew.
    const level = view.zoom < 0.09 ? "dots" : view.zoom < 0.17 ? "tiny" : view.zoom < 0.3 ? "far" : view.zoom < 0.45 ? "low" : view.zoom < 0.68 ? "mid" : "near";
    if (frame.current !== null) frame.current.dataset["zoom"] = level;
  }, []);
  const still = useRef<ReturnType<typeof setInterval> | undefined>(undefined);
  const overview = useRef<OverviewHandle>(null);
  const distance = useRef<DistanceHandle>(null);
  const last = useRef(0);
  const rest = useCallback(() => {
    // Asked within a frame: one that takes long is no rest.
    requestAnimationFrame(() => {
      if (performance.now() - last.current < STILL) return;
      clearInterval(still.current);
      still.current = undefined;
      delete frame.current?.dataset["moving"];
      delete frame.current?.dataset["painted"];
      distance.current?.hide();
    });
  }, []);
  const moved = useCallback((view: Viewport) => {
    zoomed(view);
    overview.current?.show();
    if (frame.current === null) return;
    // While one moves about, a large blueprint is drawn without what takes long and says little.
    frame.current.dataset["moving"] = "";
    // From afar all of it is one picture until one stands still: a thousand nodes cannot follow.
    if (view.zoom < FAR && !dragging.current && distance.current !== null) {
      frame.current.dataset["painted"] = "";
      distance.current.show();
    } else if (frame.current.dataset["painted"] !== undefined) {
      delete frame.current.dataset["painted"];
      distance.current?.hide();
    }
    last.current = performance.now();
    still.current ??= setInterval(rest, STILL / 2);
  }, [zoomed, rest]);
  useOnViewportChange({ onChange: moved });
  useEffect(() => () => clearInterval(still.current), []);
  return (
    <div className={`canvas${scene.length > HUGE ? " huge" : ""}`} ref={frame} onDrop={onDrop} onDragOver={(e) => { e.preventDefault(); e.dataTransfer.dropEffect = "copy"; }}>
      <AroundContext value={around}>
      <ReactFlow
        nodes={nodes} edges={edges} nodeTypes={nodeTypes} edgeTypes={edgeTypes}
        onNodesChange={onNodesChange} onNodeDragStart={onDragStart} onNodeDragStop={onDragStop} onConnect={onConnect} onConnectEnd={onConnectEnd} isValidConnection={isValid}
        onNodeDoubleClick={(_, node) => {
          if (node.type !== "card") return;
          if (useStudio.getState().model.nodes.get(node.id)?.kind === "group") enter(node.id);
          else if (!readOnly) openLarge();
        }}
        onNodeMouseEnter={(event, node) => { (event.currentTarget as HTMLElement).title = flow.getZoom() < FAR && node.type === "card" ? shownName(node.id) : ""; }}
        onEdgeClick={(_, edge) => selectEdge(edge.id)} onPaneClick={() => { selectEdge(null); select([]); selectNotes([]); }}
        nodesDraggable={!readOnly && mayChange()} nodesConnectable={!readOnly && mayChange()} deleteKeyCode={null} selectionKeyCode="Shift" multiSelectionKeyCode={["Meta", "Control", "Shift"]}
        selectionMode={SelectionMode.Partial} onlyRenderVisibleElements={nodes.length > HUGE} minZoom={0.05} maxZoom={2} connectionRadius={34} proOptions={{ hideAttribution: true }}
        elevateNodesOnSelect elevateEdgesOnSelect nodeDragThreshold={4} snapToGrid snapGrid={[4, 4]} disableKeyboardA11y={false}
        defaultViewport={{ x: 60, y: 60, zoom: nodes.length > HUGE ? 0.3 : 0.9 }}
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1.6} />
        <Controls showInteractive={false} position="bottom-left" aria-label="View" />
        {scene.length > HUGE && <Distance scene={scene} ref={distance} />}
        {scene.length > 12 && <Overview scene={scene} ref={overview} />}
      </ReactFlow>
      </AroundContext>
    </div>
  );
}

/** A line that was drawn to where nothing is asks for a node to lead to. */
function addBehind(path: string, handle: { readonly type: string; readonly id?: string | null } | null): void {
  const from = useStudio.getState().model.nodes.get(path);
  const port = portOf(handle?.id);
  // A new node comes behind all that a node gives, or a field of it that fits; not behind a route that was not the first.
  if (from === undefined || handle?.type !== "source" || port === "error" || from.routes.length > 0) return;
  select([path]);
  focusPalette();
}

/** The name of a node, told where it is too small to be read on it. */
function shownName(path: string): string {
  const node = useStudio.getState().model.nodes.get(path);
  return node?.name || path;
}

/** Keep where nodes and notes were moved to. */
function keepMoved(moved: readonly Node[]): void {
  const places = new Map<string, readonly [number, number]>();
  const notes = new Map<number, readonly [number, number]>();
  for (const { id, position, parentId } of moved) {
    const inside = parentId !== undefined;
    const x = Math.round(inside ? Math.max(PAD, position.x) : position.x);
    const y = Math.round(inside ? Math.max(FRAME_HEAD + 8, position.y) : position.y);
    const note = noteOf(id);
    if (note !== null) notes.set(note, [x, y]);
    else places.set(id, [x, y]);
  }
  moveAll(places, notes);
}

/** The field, route or `error` that a handle stands for; empty for all of an output. */
function portOf(handle: string | null | undefined): string {
  return handle === WHOLE ? "" : (handle ?? "");
}

function typeAdding(name: string): Adding | undefined {
  const type = useStudio.getState().types.get(name);
  if (type === undefined && name !== "") tell(`there is no node type '${name}'`, "bad");
  return type === undefined ? undefined : addingOf(type);
}
