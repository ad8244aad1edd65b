/** Two runs beside each other: the way they went, what they gave, how long it took. No network, no React. */
import type { NodeRun, RunLog, Seen } from "./runs";

export interface Side {
  readonly log: RunLog;
  readonly nodes: Readonly<Record<string, Seen>>;
}

export interface Compared {
  readonly path: string;
  readonly one: Seen | null;
  readonly two: Seen | null;
  /** Whether one of them took another way here: it is not there, or ended otherwise. */
  readonly way: boolean;
  /** Whether both gave something, and not the same. */
  readonly data: boolean;
  /** Milliseconds that the second took longer; null where that cannot be said. */
  readonly longer: number | null;
  /** When the earlier one of them began, counted from the start of its run. */
  readonly began: number;
}

/** Every node of two runs, in the order in which they began. */
export function compare(a: Side, b: Side, most = 2000): Compared[] {
  const paths = [...new Set([...Object.keys(a.nodes), ...Object.keys(b.nodes), ...a.log.nodes.keys(), ...b.log.nodes.keys()])];
  const found = paths.slice(0, most).map((path): Compared => {
    const one = a.nodes[path] ?? null;
    const two = b.nodes[path] ?? null;
    const [left, right] = [a.log.nodes.get(path), b.log.nodes.get(path)];
    const both = left?.hasOutput === true && right?.hasOutput === true;
    const took = one?.duration_ms != null && two?.duration_ms != null ? two.duration_ms - one.duration_ms : null;
    return {
      path, one, two, longer: took,
      way: one?.status !== two?.status || (one?.attempts ?? 0) !== (two?.attempts ?? 0),
      data: both && !same(left.output, right.output),
      began: Math.min(start(left, one, a), start(right, two, b)),
    };
  });
  return found.sort((x, y) => x.began - y.began);
}

function start(node: NodeRun | undefined, seen: Seen | null, side: Side): number {
  const first = node?.attempts[0]?.from ?? seen?.since;
  return first === undefined ? Number.MAX_SAFE_INTEGER : first - side.log.started;
}

/** Whether two values are the same, whatever the order of the keys of a map. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}

export interface Difference {
  readonly at: string;
  readonly one: unknown;
  readonly two: unknown;
}

/** Where two values differ, up to a number of places; the smallest parts that do. */
export function differences(one: unknown, two: unknown, most = 50, at = ""): Difference[] {
  if (same(one, two)) return [];
  const maps = typeof one === "object" && typeof two === "object" && one !== null && two !== null && Array.isArray(one) === Array.isArray(two);
  if (!maps) return [{ at, one, two }];
  const list = Array.isArray(one);
  const found: Difference[] = [];
  for (const key of new Set([...Object.keys(one), ...Object.keys(two)])) {
    if (found.length >= most) break;
    const place = list ? `${at}[${key}]` : at === "" ? key : `${at}.${key}`;
    found.push(...differences((one as Record<string, unknown>)[key], (two as Record<string, unknown>)[key], most - found.length, place));
  }
  return found;
}
