/** Finding places for nodes: in layers from left to right, with few crossings, in one quick pass. */

export interface Box {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface Line {
  readonly source: string;
  readonly target: string;
}

export interface Arranged {
  readonly places: ReadonlyMap<string, readonly [number, number]>;
  readonly width: number;
  readonly height: number;
}

const GAP_X = 76;
const GAP_Y = 32;
const SWEEPS = 4;

export function arrange(boxes: readonly Box[], lines: readonly Line[]): Arranged {
  const size = new Map(boxes.map((box) => [box.id, box]));
  const kept = lines.filter((line) => size.has(line.source) && size.has(line.target) && line.source !== line.target);
  const into = group(kept, "target", "source");
  const outOf = group(kept, "source", "target");
  const rank = ranks(boxes, into, outOf);
  const layers: string[][] = [];
  for (const box of boxes) (layers[rank.get(box.id)!] ??= []).push(box.id);
  const ways = new Set(lead(kept, rank, layers, size, into, outOf));
  const filled = layers.filter((layer) => layer !== undefined);
  sweep(filled, into, outOf);
  const made = position(filled, size, into, outOf);
  return ways.size === 0 ? made : { ...made, places: new Map([...made.places].filter(([id]) => !ways.has(id))) };
}

const MOST_WAYS = 4000;

/** Keep room for lines that pass layers by: a thin box in each of those layers. */
function lead(
  lines: readonly Line[], rank: ReadonlyMap<string, number>, layers: string[][], size: Map<string, Box>,
  into: Map<string, string[]>, outOf: Map<string, string[]>,
): string[] {
  const made: string[] = [];
  const seen = new Set<string>();
  for (const { source, target } of lines) {
    const [from, to] = [rank.get(source)!, rank.get(target)!];
    if (to - from < 2 || seen.has(`${source} ${target}`) || made.length > MOST_WAYS) continue;
    seen.add(`${source} ${target}`);
    let before = source;
    for (let layer = from + 1; layer <= to; layer++) {
      const id = layer === to ? target : `${source} ${target} ${layer}`;
      if (layer < to) {
        size.set(id, { id, width: 0, height: 12 });
        layers[layer]!.push(id);
        made.push(id);
      }
      if (before !== source) (outOf.get(before) ?? outOf.set(before, []).get(before)!).push(id);
      if (id !== target) (into.get(id) ?? into.set(id, []).get(id)!).push(before);
      before = id;
    }
    // The line itself pulls straight; what stands between must not be pushed aside by it as well.
    const list = into.get(target)!;
    list[list.indexOf(source)] = before;
    const outs = outOf.get(source)!;
    outs[outs.indexOf(target)] = `${source} ${target} ${from + 1}`;
  }
  return made;
}

function group(lines: readonly Line[], by: "source" | "target", other: "source" | "target"): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of lines) {
    const list = found.get(line[by]);
    if (list === undefined) found.set(line[by], [line[other]]);
    else if (!list.includes(line[other])) list.push(line[other]);
  }
  return found;
}

/** The longest way to a node; a node without a way to it stands right before what needs it. */
function ranks(boxes: readonly Box[], into: ReadonlyMap<string, string[]>, outOf: ReadonlyMap<string, string[]>): Map<string, number> {
  const left = new Map(boxes.map((box) => [box.id, into.get(box.id)?.length ?? 0]));
  const rank = new Map(boxes.map((box) => [box.id, 0]));
  const ready = boxes.filter((box) => left.get(box.id) === 0).map((box) => box.id);
  const order: string[] = [];
  while (ready.length > 0) {
    const id = ready.shift()!;
    order.push(id);
    for (const next of outOf.get(id) ?? []) {
      rank.set(next, Math.max(rank.get(next)!, rank.get(id)! + 1));
      const rest = left.get(next)! - 1;
      left.set(next, rest);
      if (rest === 0) ready.push(next);
    }
  }
  for (const id of order) {
    if ((into.get(id)?.length ?? 0) > 0 || (outOf.get(id)?.length ?? 0) === 0) continue;
    rank.set(id, Math.max(0, Math.min(...outOf.get(id)!.map((n) => rank.get(n)!)) - 1));
  }
  return rank;
}

function sweep(layers: string[][], into: ReadonlyMap<string, string[]>, outOf: ReadonlyMap<string, string[]>): void {
  const at = new Map<string, number>();
  const number = (layer: readonly string[]): void => layer.forEach((id, i) => at.set(id, i));
  layers.forEach(number);
  for (let turn = 0; turn < SWEEPS; turn++) {
    const forward = turn % 2 === 0;
    const order = forward ? layers : [...layers].reverse();
    for (const layer of order) {
      const weight = new Map(layer.map((id) => [id, mean((forward ? into : outOf).get(id), at) ?? at.get(id)!]));
      layer.sort((a, b) => weight.get(a)! - weight.get(b)!);
      number(layer);
    }
  }
}

function mean(ids: readonly string[] | undefined, at: ReadonlyMap<string, number>): number | null {
  const found = (ids ?? []).map((id) => at.get(id)).filter((n) => n !== undefined);
  return found.length === 0 ? null : found.reduce((a, b) => a + b, 0) / found.length;
}

/** Give places: each node as near to the middle of its neighbours as its layer allows. */
function position(layers: readonly string[][], size: ReadonlyMap<string, Box>, into: ReadonlyMap<string, string[]>, outOf: ReadonlyMap<string, string[]>): Arranged {
  const middle = new Map<string, number>();
  const height = (id: string): number => size.get(id)!.height;
  for (const layer of layers) {
    let y = 0;
    for (const id of layer) {
      middle.set(id, y + height(id) / 2);
      y += height(id) + GAP_Y;
    }
  }
  for (let turn = 0; turn < SWEEPS * 2; turn++) {
    const forward = turn % 2 === 0;
    for (const layer of forward ? layers : [...layers].reverse()) {
      settle(layer, layer.map((id) => mean((forward ? into : outOf).get(id), middle) ?? middle.get(id)!), height, middle);
    }
  }
  const places = new Map<string, readonly [number, number]>();
  let top = Infinity;
  for (const id of middle.keys()) top = Math.min(top, middle.get(id)! - height(id) / 2);
  let x = 0;
  let bottom = 0;
  for (const layer of layers) {
    for (const id of layer) {
      const y = Math.round(middle.get(id)! - height(id) / 2 - top);
      places.set(id, [x, y]);
      bottom = Math.max(bottom, y + height(id));
    }
    x += Math.max(...layer.map((id) => size.get(id)!.width)) + GAP_X;
  }
  return { places, width: Math.max(0, x - GAP_X), height: bottom };
}

/** Keep an order and distances while each comes close to its wish: neighbours that collide move as one. */
function settle(layer: readonly string[], wish: readonly number[], height: (id: string) => number, middle: Map<string, number>): void {
  const offset: number[] = [];
  layer.forEach((id, i) => offset.push(i === 0 ? 0 : offset[i - 1]! + (height(layer[i - 1]!) + height(id)) / 2 + GAP_Y));
  const blocks: { sum: number; count: number; from: number }[] = [];
  layer.forEach((_, i) => {
    let block = { sum: wish[i]! - offset[i]!, count: 1, from: i };
    for (let last = blocks[blocks.length - 1]; last && last.sum / last.count > block.sum / block.count; last = blocks[blocks.length - 1]) {
      block = { sum: block.sum + last.sum, count: block.count + last.count, from: last.from };
      blocks.pop();
    }
    blocks.push(block);
  });
  blocks.forEach((block, b) => {
    const end = blocks[b + 1]?.from ?? layer.length;
    for (let i = block.from; i < end; i++) middle.set(layer[i]!, block.sum / block.count + offset[i]!);
  });
}
