/** Ways of lines around what stands between their ends: along gaps, with as few turns as can be. */

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A way: how it is drawn, and where something about it can be written. */
export interface Way {
  readonly path: string;
  readonly label: Point;
}

/** Pixels between a line and what it passes. */
const MARGIN = 14;
/** Pixels in which a line turns back. */
const TURN = 26;
/** Widest bow of a change of height. */
const BOW = 72;
/** What a turn costs, in pixels of way. */
const BEND = 40;
/** Most things that are looked at between two ends. */
const MOST = 20;

interface Slab {
  readonly from: number;
  readonly to: number;
  readonly blocked: readonly (readonly [number, number])[];
}

/** A stretch at one height; `bend` tells on which side of its begin the height has changed. */
interface Span {
  readonly slab: Slab;
  readonly y: number;
  readonly bend: "none" | "before" | "after";
}

/**
 * The way of a line that leaves to the right and arrives from the left.
 *
 * `things` is what it must not touch, `own` what it begins and ends at, which only matters on a way back; `lane`
 * keeps lines of different origins apart.
 */
export function wayOf(from: Point, to: Point, things: readonly Rect[], own: readonly Rect[] = [], lane = 0): Way {
  const direct = curve(from, to);
  const near = things.filter((t) => overlaps(t, Math.min(from.x, to.x - TURN), Math.max(from.x + TURN, to.x)));
  const isBack = to.x - from.x < TURN;
  if (!isBack && !near.some((thing) => hits(direct, thing))) return { path: svg(direct), label: at(direct, 0.5) };
  const some = near.length <= MOST ? near : nearest(near, from, to);
  // Where things stand close together, lines pass closer by.
  for (const gap of [MARGIN + lane * 6, MARGIN, 8, 4]) {
    const found = isBack ? (back(from, to, some, own, gap, TURN) ?? back(from, to, some, own, gap, 2 * TURN)) : forward(from, to, some, gap);
    if (found !== null) return found;
  }
  return { path: svg(direct), label: at(direct, 0.5) };
}

function overlaps(thing: Rect, left: number, right: number): boolean {
  return thing.x < right && thing.x + thing.width > left;
}

function nearest(things: readonly Rect[], from: Point, to: Point): Rect[] {
  const middle = (from.y + to.y) / 2;
  const far = (t: Rect): number => Math.abs(t.y + t.height / 2 - middle);
  return [...things].sort((a, b) => far(a) - far(b)).slice(0, MOST);
}

type Cubic = readonly [Point, Point, Point, Point];

/** The bow between two ends that have nothing between them. */
function curve(from: Point, to: Point): Cubic {
  const dx = to.x - from.x;
  const pull = dx >= 0 ? dx / 2 : 8 * Math.sqrt(-dx);
  return [from, { x: from.x + pull, y: from.y }, { x: to.x - pull, y: to.y }, to];
}

function at([a, b, c, d]: Cubic, t: number): Point {
  const s = 1 - t;
  const mix = (k: "x" | "y"): number => s * s * s * a[k] + 3 * s * s * t * b[k] + 3 * s * t * t * c[k] + t * t * t * d[k];
  return { x: mix("x"), y: mix("y") };
}

function hits(line: Cubic, thing: Rect): boolean {
  const steps = Math.min(120, Math.max(16, Math.ceil((Math.abs(line[3].x - line[0].x) + Math.abs(line[3].y - line[0].y)) / 10)));
  for (let i = 1; i < steps; i++) {
    const { x, y } = at(line, i / steps);
    if (x > thing.x - 3 && x < thing.x + thing.width + 3 && y > thing.y - 3 && y < thing.y + thing.height + 3) return true;
  }
  return false;
}

const round = (n: number): number => Math.round(n * 10) / 10;

function svg([a, b, c, d]: Cubic): string {
  return `M${round(a.x)},${round(a.y)} C${round(b.x)},${round(b.y)} ${round(c.x)},${round(c.y)} ${round(d.x)},${round(d.y)}`;
}

/** Strips from left to right, in each of which the same things stand in the way. */
function slabs(left: number, right: number, things: readonly Rect[], gap: number): Slab[] {
  const cuts = new Set([left, right]);
  for (const t of things) {
    for (const x of [t.x - gap, t.x + t.width + gap]) if (x > left && x < right) cuts.add(x);
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).map((to, i) => {
    const from = sorted[i]!;
    const inside = things.filter((t) => t.x - gap < to && t.x + t.width + gap > from);
    return { from, to, blocked: inside.map((t) => [t.y - gap, t.y + t.height + gap] as const) };
  });
}

/** Whether nothing stands between two heights of a strip. */
function free(slab: Slab, a: number, b: number): boolean {
  const [low, high] = a < b ? [a, b] : [b, a];
  return slab.blocked.every(([top, bottom]) => high <= top || low >= bottom);
}

function heights(all: readonly Slab[], ends: readonly number[]): number[] {
  const found = new Set(ends);
  for (const slab of all) for (const [top, bottom] of slab.blocked) found.add(top).add(bottom);
  return [...found];
}

/** Walk through strips in turn, at heights that cost least; null where there is no way. */
function walk(all: readonly Slab[], ys: readonly number[], first: (y: number) => number, last: (y: number) => number): Span[] | null {
  let costs = ys.map((y) => (free(all[0]!, y, y) ? first(y) : Infinity));
  const came: { from: number; bend: Span["bend"] }[][] = [ys.map(() => ({ from: -1, bend: "none" }))];
  for (let i = 1; i < all.length; i++) {
    const [before, slab] = [all[i - 1]!, all[i]!];
    const next = ys.map(() => Infinity);
    const steps: { from: number; bend: Span["bend"] }[] = ys.map(() => ({ from: -1, bend: "none" }));
    ys.forEach((y, b) => {
      if (!free(slab, y, y)) return;
      ys.forEach((other, a) => {
        if (costs[a] === Infinity) return;
        const bend = y === other ? "none" : widest(before, slab, other, y);
        if (bend === null) return;
        const cost = costs[a]! + (y === other ? 0 : Math.abs(y - other) + BEND);
        if (cost < next[b]!) {
          next[b] = cost;
          steps[b] = { from: a, bend };
        }
      });
    });
    costs = next;
    came.push(steps);
  }
  let best = -1;
  let least = Infinity;
  ys.forEach((y, i) => {
    const cost = costs[i]! + last(y);
    if (cost < least) [best, least] = [i, cost];
  });
  if (best < 0) return null;
  const spans: Span[] = [];
  for (let i = all.length - 1; i >= 0; i--) {
    const step = came[i]![best]!;
    spans.push({ slab: all[i]!, y: ys[best]!, bend: step.bend });
    best = step.from;
  }
  return spans.reverse();
}

/** In which of two strips the height can change: the wider one of those with room for it. */
function widest(before: Slab, after: Slab, from: number, to: number): "before" | "after" | null {
  const one = free(before, from, to) ? Math.abs(before.to - before.from) : -1;
  const two = free(after, from, to) ? Math.abs(after.to - after.from) : -1;
  if (one < 0 && two < 0) return null;
  return one >= two ? "before" : "after";
}

function forward(from: Point, to: Point, things: readonly Rect[], gap: number): Way | null {
  const all = slabs(from.x, to.x, things, gap);
  const only = (wanted: number) => (y: number): number => (y === wanted ? 0 : Infinity);
  const spans = walk(all, heights(all, [from.y, to.y]), only(from.y), only(to.y));
  if (spans === null) return null;
  return { path: `M${round(from.x)},${round(from.y)}${drawn(spans, 1)}`, label: labelOf(spans) };
}

/** A strip beside an end, in which a line may turn back. */
function strip(left: number, right: number, things: readonly Rect[]): Slab {
  const inside = things.filter((t) => overlaps(t, left, right));
  return { from: left, to: right, blocked: inside.map((t) => [t.y - 4, t.y + t.height + 4] as const) };
}

function back(from: Point, to: Point, things: readonly Rect[], own: readonly Rect[], gap: number, reach: number): Way | null {
  if (from.x - to.x < 2) return null;
  // Near its ends a bow is still beside them: what sticks out a little there is not in the way.
  const out = strip(from.x + 0.6 * reach, from.x + reach, things);
  const home = strip(to.x - reach, to.x - 0.6 * reach, things);
  const all = slabs(to.x, from.x, [...things, ...own], gap).reverse().map((s) => ({ ...s, from: s.to, to: s.from }));
  const turn = (slab: Slab, end: number) => (y: number): number => (free(slab, end, y) && Math.abs(y - end) > 2 * MARGIN ? Math.abs(y - end) : Infinity);
  const spans = walk(all, heights(all, []), turn(out, from.y), turn(home, to.y));
  if (spans === null) return null;
  const [a, b] = [spans[0]!.y, spans[spans.length - 1]!.y];
  const wide = (reach * 4) / 3;
  const begin = `M${round(from.x)},${round(from.y)} C${round(from.x + wide)},${round(from.y)} ${round(from.x + wide)},${round(a)} ${round(from.x)},${round(a)}`;
  const end = ` C${round(to.x - wide)},${round(b)} ${round(to.x - wide)},${round(to.y)} ${round(to.x)},${round(to.y)}`;
  return { path: begin + drawn(spans, -1) + end, label: labelOf(spans) };
}

/** The stretches with bows where the height changes; `way` is 1 to the right, -1 to the left. */
function drawn(spans: readonly Span[], way: number): string {
  let path = "";
  spans.forEach(({ slab, y, bend }, i) => {
    const before = spans[i - 1];
    const leaves = spans[i + 1]?.bend === "before";
    const wide = Math.abs(slab.to - slab.from);
    const share = bend === "after" && leaves ? wide / 2 : wide;
    if (bend === "after" && before !== undefined) path += bow(slab.from, before.y, slab.from + way * Math.min(BOW, share), y);
    const next = spans[i + 1];
    if (leaves && next !== undefined) {
      const begin = slab.to - way * Math.min(BOW, share);
      path += ` L${round(begin)},${round(y)}${bow(begin, y, slab.to, next.y)}`;
    } else {
      path += ` L${round(slab.to)},${round(y)}`;
    }
  });
  return path;
}

function bow(x: number, y: number, toX: number, toY: number): string {
  const middle = round((x + toX) / 2);
  return ` C${middle},${round(y)} ${middle},${round(toY)} ${round(toX)},${round(toY)}`;
}

/** The middle of the longest stretch at one height. */
function labelOf(spans: readonly Span[]): Point {
  let best = { from: spans[0]!.slab.from, to: spans[0]!.slab.to, y: spans[0]!.y };
  let run = best;
  for (const { slab, y, bend } of spans.slice(1)) {
    run = bend === "none" ? { ...run, to: slab.to } : { from: slab.from, to: slab.to, y };
    if (Math.abs(run.to - run.from) > Math.abs(best.to - best.from)) best = run;
  }
  return { x: (best.from + best.to) / 2, y: best.y };
}
