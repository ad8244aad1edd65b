/** What stands around: where everything that is drawn lies, as the ways of lines need it. */
import type { Rect } from "./routing";
import type { Box } from "./scene";

interface Standing {
  readonly path: string;
  readonly open: boolean;
  readonly rect: Rect;
}

/** Everything by the body that it stands in, at places of the whole canvas. */
export type Around = ReadonlyMap<string, readonly Standing[]>;

export function aroundOf(scene: readonly Box[]): Around {
  const corner = new Map<string, readonly [number, number]>([["", [0, 0]]]);
  const found = new Map<string, Standing[]>();
  for (const box of scene) {
    const [left, top] = corner.get(box.parent) ?? [0, 0];
    const rect = { x: left + box.x, y: top + box.y, width: box.width, height: box.height };
    if (box.open) corner.set(box.path, [rect.x, rect.y]);
    const list = found.get(box.parent) ?? found.set(box.parent, []).get(box.parent)!;
    list.push({ path: box.path, open: box.open, rect });
  }
  return found;
}

const holds = (outer: string, path: string): boolean => path.startsWith(`${outer}.`);

/** What a line between two nodes must not touch, and the two themselves. */
export function inTheWay(around: Around, source: string, target: string): { things: Rect[]; own: Rect[] } {
  const things: Rect[] = [];
  const own: Rect[] = [];
  const look = (body: string): void => {
    for (const { path, open, rect } of around.get(body) ?? []) {
      if (path === source || path === target) own.push(rect);
      else if (holds(path, source) || holds(path, target)) { if (open) look(path); }
      else things.push(rect);
    }
  };
  look("");
  return { things, own };
}

/** A small number that is the same for all lines of one origin, and mostly another for others. */
export function laneOf(source: string): number {
  let hash = 0;
  for (let i = 0; i < source.length; i++) hash = (hash * 31 + source.charCodeAt(i)) | 0;
  return Math.abs(hash) % 3;
}
