/** Putting several things in line, and at even distances. */

export type Align = "left" | "center" | "right" | "top" | "middle" | "bottom" | "across" | "down";

export interface Placed {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** New places; `across` and `down` make the gaps even and leave the outermost where they are. */
export function aligned(boxes: readonly Placed[], how: Align): Map<string, readonly [number, number]> {
  const found = new Map<string, readonly [number, number]>();
  if (boxes.length < 2) return found;
  if (how === "across" || how === "down") return spread(boxes, how === "across");
  const left = Math.min(...boxes.map((b) => b.x));
  const right = Math.max(...boxes.map((b) => b.x + b.width));
  const top = Math.min(...boxes.map((b) => b.y));
  const bottom = Math.max(...boxes.map((b) => b.y + b.height));
  for (const { id, x, y, width, height } of boxes) {
    const place: Record<Exclude<Align, "across" | "down">, readonly [number, number]> = {
      left: [left, y], center: [round((left + right - width) / 2), y], right: [right - width, y],
      top: [x, top], middle: [x, round((top + bottom - height) / 2)], bottom: [x, bottom - height],
    };
    found.set(id, place[how]);
  }
  return found;
}

/** Pixels between things for which there is no room. */
const APART = 24;

/** To a whole number, which is never the negative zero. */
const round = (n: number): number => Math.round(n) + 0;

function spread(boxes: readonly Placed[], across: boolean): Map<string, readonly [number, number]> {
  const start = (b: Placed): number => (across ? b.x : b.y);
  const size = (b: Placed): number => (across ? b.width : b.height);
  const sorted = [...boxes].sort((a, b) => start(a) - start(b) || size(a) - size(b));
  const [first, last] = [sorted[0]!, sorted[sorted.length - 1]!];
  const room = start(last) + size(last) - start(first) - sorted.reduce((sum, b) => sum + size(b), 0);
  // What lies over each other is drawn apart, beyond the last one if need be.
  const gap = room >= 0 ? room / (sorted.length - 1) : APART;
  let at = start(first);
  return new Map(sorted.map((b) => {
    const now = b === last && room >= 0 ? start(last) : round(at);
    at += size(b) + gap;
    return [b.id, across ? [now, b.y] as const : [b.x, now] as const];
  }));
}
