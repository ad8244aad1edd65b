import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wayOf, type Point, type Rect, type Way } from "../src/model/routing";

/** Points along the path as it is drawn. */
function points(way: Way): Point[] {
  const numbers = [...way.path.matchAll(/([MLC])([^MLC]+)/g)];
  const found: Point[] = [];
  let at: Point = { x: 0, y: 0 };
  for (const [, kind, rest] of numbers) {
    const all = rest!.trim().split(/[ ,]+/).map(Number);
    const to = { x: all[all.length - 2]!, y: all[all.length - 1]! };
    if (kind === "M") at = to;
    const steps = kind === "M" ? 0 : 24;
    for (let i = 1; i <= steps; i++) {
      const t = i / steps;
      const s = 1 - t;
      const mix = (k: 0 | 1): number => {
        const [a, d] = [k === 0 ? at.x : at.y, k === 0 ? to.x : to.y];
        return kind === "L" ? s * a + t * d : s * s * s * a + 3 * s * s * t * all[k]! + 3 * s * t * t * all[2 + k]! + t * t * t * d;
      };
      found.push({ x: mix(0), y: mix(1) });
    }
    at = to;
  }
  return found;
}

const touches = (way: Way, thing: Rect): boolean =>
  points(way).some(({ x, y }) => x > thing.x + 1 && x < thing.x + thing.width - 1 && y > thing.y + 1 && y < thing.y + thing.height - 1);

const box = (x: number, y: number, width = 220, height = 60): Rect => ({ x, y, width, height });

describe("ways of lines", () => {
  it("is a plain bow where nothing stands between", () => {
    const way = wayOf({ x: 0, y: 0 }, { x: 100, y: 40 }, [box(200, 0), box(0, 300)]);
    expect(way.path).toBe("M0,0 C50,0 50,40 100,40");
    expect(way.label).toEqual({ x: 50, y: 20 });
  });

  it("goes around what stands between, on the shorter side, and has room for words there", () => {
    const thing = box(100, -10);
    const way = wayOf({ x: 0, y: 0 }, { x: 420, y: 0 }, [thing]);
    expect(touches(way, thing)).toBe(false);
    expect(Math.min(...points(way).map((p) => p.y))).toBe(-24);
    expect(way.label).toEqual({ x: 210, y: -24 });
  });

  it("of different origins lie beside each other", () => {
    const one = wayOf({ x: 0, y: 0 }, { x: 420, y: 0 }, [box(100, -10)], [], 0);
    const two = wayOf({ x: 0, y: 0 }, { x: 420, y: 0 }, [box(100, -10)], [], 1);
    expect(one.label.y - two.label.y).toBe(6);
  });

  it("squeezes through where there is little room", () => {
    const things = [box(120, -10), box(120, 90)];
    const way = wayOf({ x: 100, y: 10 }, { x: 360, y: 80 }, [...things]);
    for (const thing of things) expect(touches(way, thing)).toBe(false);
  });

  it("turns back around its own ends", () => {
    const [from, to] = [box(400, 0), box(0, 10)];
    const way = wayOf({ x: 620, y: 20 }, { x: 0, y: 30 }, [], [from, to]);
    expect(touches(way, from)).toBe(false);
    expect(touches(way, to)).toBe(false);
  });

  it("touches nothing, wherever nodes stand on a board", () => {
    const cell = fc.tuple(fc.nat(5), fc.nat(6));
    fc.assert(
      fc.property(cell, cell, fc.array(cell, { maxLength: 20 }), fc.nat(2), ([a, b], [c, d], others, lane) => {
        if (a === c && b === d) return;
        const place = ([column, row]: readonly [number, number]): Rect => box(column * 300 + (row % 3) * 8, row * 96 + (column % 2) * 12);
        const [from, to] = [place([a, b]), place([c, d])];
        const things = others.filter(([x, y]) => !(x === a && y === b) && !(x === c && y === d)).map(place);
        const way = wayOf({ x: from.x + from.width, y: from.y + 29 }, { x: to.x, y: to.y + 29 }, things, [from, to], lane % 2);
        for (const thing of things) expect(touches(way, thing), way.path).toBe(false);
        if (Math.abs(a - c) > 0) for (const thing of [from, to]) expect(touches(way, thing), way.path).toBe(false);
        const all = points(way);
        expect(all[all.length - 1]).toEqual({ x: to.x, y: to.y + 29 });
      }),
      { numRuns: 500 },
    );
  });

  it("gives up on no number of nodes, and is quick", () => {
    const things = Array.from({ length: 400 }, (_, i) => box(300 * (1 + Math.floor(i / 20)), (i % 20) * 92));
    const began = performance.now();
    const way = wayOf({ x: 230, y: 900 }, { x: 300 * 21, y: 20 }, things);
    expect(way.path).toMatch(/^M230,900/);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
