import { useStoreApi } from "@xyflow/react";
import { useImperativeHandle, useRef, type ReactElement, type Ref } from "react";
import { cornersOf, shownAs, type Box } from "../model/scene";
import type { EdgeView } from "../model/blueprint";
import { useRun } from "../app/run";
import { useStudio } from "../app/store";

export interface DistanceHandle {
  /** Paint what is in sight; called for every frame in which one moves about far away. */
  readonly show: () => void;
  /** Whatever was painted is forgotten: the blueprint itself is to be seen again. */
  readonly hide: () => void;
}

/** Zoom from which on names are painted; below it they could not be read. */
const NAMES = 0.09;
const COLOURS: Readonly<Record<string, string>> = { completed: "--good", failed: "--bad", running: "--live", waiting: "--warn" };

interface Picture {
  readonly lines: Path2D;
  readonly frames: Path2D;
  /** Cards by the colour of their edge. */
  readonly cards: ReadonlyMap<string, Path2D>;
  readonly names: readonly { readonly text: string; readonly x: number; readonly y: number; readonly right: number; readonly middle: number }[];
  readonly colour: (name: string) => string;
}

function pictureOf(scene: readonly Box[], edges: readonly EdgeView[], folded: ReadonlySet<string>): Picture {
  const look = getComputedStyle(document.documentElement);
  const { model: { nodes } } = useStudio.getState();
  const { tallies } = useRun.getState();
  const corners = cornersOf(scene);
  const lines = new Path2D();
  const frames = new Path2D();
  const cards = new Map<string, Path2D>();
  const names = scene.map((box) => {
    const [x, y] = corners.get(box.path)!;
    const colour = COLOURS[tallies.get(box.path)?.status ?? ""] ?? "--line-strong";
    const path = box.open ? frames : (cards.get(colour) ?? cards.set(colour, new Path2D()).get(colour)!);
    path.rect(x, y, box.width, box.height);
    const node = nodes.get(box.path);
    return { text: node?.name || (node?.id ?? box.path), x: x + 14, y, right: x + box.width - 14, middle: y + (box.open ? 30 : Math.min(box.height, 60) / 2 + 2) };
  });
  const sizes = new Map(scene.map((box) => [box.path, box]));
  for (const edge of edges) {
    const [from, to] = [shownAs(edge.source, folded), shownAs(edge.target, folded)];
    const [a, b] = [corners.get(from), corners.get(to)];
    if (a === undefined || b === undefined || from === to) continue;
    lines.moveTo(a[0] + sizes.get(from)!.width, a[1] + 29);
    lines.lineTo(b[0], b[1] + 29);
  }
  return { lines, frames, cards, names, colour: (name) => look.getPropertyValue(name) };
}

/** A large blueprint from afar, as a picture: what is painted in place of a thousand nodes while one moves about. */
export function Distance({ scene, ref }: { readonly scene: readonly Box[]; readonly ref: Ref<DistanceHandle> }): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = useRef<Picture | null>(null);
  const store = useStoreApi();
  const show = (): void => {
    const one = canvas.current;
    const context = one?.getContext("2d");
    if (!one || !context) return;
    const { transform: [x, y, zoom], width, height } = store.getState();
    const { model: { edges }, folded } = useStudio.getState();
    const { lines, frames, cards, names, colour } = (picture.current ??= pictureOf(scene, edges, folded));
    const ratio = window.devicePixelRatio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (one.width !== wide || one.height !== high) Object.assign(one, { width: wide, height: high });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, wide, high);
    context.setTransform(zoom * ratio, 0, 0, zoom * ratio, x * ratio, y * ratio);
    context.lineWidth = 1 / zoom;
    context.strokeStyle = colour("--line-strong");
    context.stroke(frames);
    context.strokeStyle = colour("--edge");
    context.stroke(lines);
    context.fillStyle = colour("--raised");
    for (const [edge, path] of cards) {
      context.fill(path);
      context.strokeStyle = colour(edge);
      context.stroke(path);
    }
    if (zoom < NAMES) return;
    context.fillStyle = colour("--ink");
    context.font = `600 ${zoom < 0.17 ? 48 : 38}px "Inter Variable", sans-serif`;
    context.textBaseline = "middle";
    const [left, top, right, bottom] = [-x / zoom, -y / zoom, (width - x) / zoom, (height - y) / zoom];
    for (const name of names) if (name.right > left && name.x < right && name.y < bottom && name.middle > top) context.fillText(name.text, name.x, name.middle, name.right - name.x);
  };
  const hide = (): void => {
    if (picture.current === null) return;
    picture.current = null;
    canvas.current?.getContext("2d")?.reset();
  };
  useImperativeHandle(ref, () => ({ show, hide }));
  return <canvas ref={canvas} className="distance" aria-hidden="true" />;
}
