import { useReactFlow, useStoreApi } from "@xyflow/react";
import { useEffect, useImperativeHandle, useRef, type PointerEvent, type ReactElement, type Ref } from "react";
import { cornersOf, type Box } from "../model/scene";
import { useStudio } from "../app/store";
import { lookOf } from "../ui/icons";

export interface OverviewHandle {
  /** Show what part is in sight; called for every frame in which one moves about. */
  readonly show: () => void;
}

const WIDTH = 190;
const HEIGHT = 126;
const EDGE = 6;

interface Scale { readonly x: number; readonly y: number; readonly by: number }

function scaleOf(scene: readonly Box[]): Scale {
  const top = scene.filter((box) => box.parent === "");
  const left = Math.min(...top.map((b) => b.x));
  const upper = Math.min(...top.map((b) => b.y));
  const wide = Math.max(...top.map((b) => b.x + b.width)) - left;
  const high = Math.max(...top.map((b) => b.y + b.height)) - upper;
  const by = Math.min((WIDTH - 2 * EDGE) / Math.max(1, wide), (HEIGHT - 2 * EDGE) / Math.max(1, high));
  return { x: left - (WIDTH / by - wide) / 2, y: upper - (HEIGHT / by - high) / 2, by };
}

/** All of a blueprint in small. It is painted once; only the frame around what is in sight moves. */
export function Overview({ scene, ref }: { readonly scene: readonly Box[]; readonly ref: Ref<OverviewHandle> }): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  const sight = useRef<HTMLDivElement>(null);
  const store = useStoreApi();
  const flow = useReactFlow();
  const scale = useRef<Scale>({ x: 0, y: 0, by: 1 });
  const show = (): void => {
    const { transform: [tx, ty, zoom], width, height } = store.getState();
    const { x, y, by } = scale.current;
    if (sight.current === null) return;
    const { style } = sight.current;
    style.transform = `translate(${(-tx / zoom - x) * by}px, ${(-ty / zoom - y) * by}px)`;
    style.width = `${(width / zoom) * by}px`;
    style.height = `${(height / zoom) * by}px`;
  };
  useImperativeHandle(ref, () => ({ show }));
  useEffect(() => {
    scale.current = scaleOf(scene);
    const paint = (): void => {
      const context = canvas.current?.getContext("2d");
      if (!context) return;
      const ratio = window.devicePixelRatio;
      const look = getComputedStyle(document.documentElement);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, WIDTH, HEIGHT);
      const { x, y, by } = scale.current;
      const { nodes } = useStudio.getState().model;
      const colours = new Map<string, string>(); // asking for one takes longer than painting with it
      const colour = (name: string): string => colours.get(name) ?? colours.set(name, look.getPropertyValue(name)).get(name)!;
      const corners = cornersOf(scene);
      for (const box of scene) {
        const [left, top] = corners.get(box.path)!;
        const node = nodes.get(box.path);
        context.fillStyle = colour(box.open ? "--line" : node === undefined ? "--edge" : `--h-${lookOf(node).hue}`);
        context.fillRect((left - x) * by, (top - y) * by, Math.max(1, box.width * by), Math.max(1, box.height * by));
      }
    };
    paint();
    show();
    const watch = new MutationObserver(paint); // light or dark
    watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => watch.disconnect();
  });
  const go = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const { x, y, by } = scale.current;
    void flow.setCenter((event.clientX - box.x) / by + x, (event.clientY - box.y) / by + y, { zoom: flow.getZoom() });
  };
  return (
    <div className="overview" role="img" aria-label="Overview" onPointerDown={(e) => { e.currentTarget.setPointerCapture(e.pointerId); go(e); }} onPointerMove={go}>
      <canvas ref={canvas} width={WIDTH * window.devicePixelRatio} height={HEIGHT * window.devicePixelRatio} />
      <div className="sight" ref={sight} />
    </div>
  );
}
