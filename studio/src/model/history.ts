import { applyEdits, invertEdits, type Edit } from "./text";

/** One thing that was done, and can be undone. */
interface Step {
  readonly label: string;
  readonly forward: readonly Edit[];
  readonly back: readonly Edit[];
  readonly merge: string | null;
  readonly at: number;
  /** The node that got another path, and that path. */
  readonly renamed: Renamed | null;
}

export type Renamed = readonly [from: string, to: string];

/** A text with its past and its future. Nothing in it changes in place. */
export interface History {
  readonly text: string;
  readonly past: readonly Step[];
  readonly future: readonly Step[];
}

/** Steps that are kept; the oldest go first. */
const MOST = 1000;
/** Milliseconds in which typing in one place is one step. */
const PAUSE = 800;

export function startHistory(text: string): History {
  return { text, past: [], future: [] };
}

export interface Doing {
  readonly label: string;
  /** Steps with the same name, one right after the other, are undone together. */
  readonly merge?: string;
  readonly now?: number;
  /** The node that gets another path by it. */
  readonly renamed?: Renamed;
}

export function change(history: History, edits: readonly Edit[], doing: Doing): History {
  if (edits.length === 0) return history;
  const { text } = history;
  const after = applyEdits(text, edits);
  const now = doing.now ?? 0;
  const merge = doing.merge ?? null;
  const step: Step = {
    label: doing.label,
    forward: [...edits],
    back: invertEdits(text, edits),
    merge,
    at: now,
    renamed: doing.renamed ?? null,
  };
  const last = history.past[history.past.length - 1];
  if (last !== undefined && merge !== null && last.merge === merge && now - last.at < PAUSE) {
    const before = applyEdits(text, last.back);
    const whole: Step = { ...step, forward: [{ from: 0, to: before.length, insert: after }], back: [{ from: 0, to: after.length, insert: before }] };
    return { text: after, past: [...history.past.slice(0, -1), whole], future: [] };
  }
  return { text: after, past: [...history.past, step].slice(-MOST), future: [] };
}

/** What a move through the history gave: the new state, and the edits that led there. */
export interface Moved {
  readonly history: History;
  readonly edits: readonly Edit[];
  readonly label: string;
  /** The path that a node had, and the one that it has by this. */
  readonly renamed: Renamed | null;
}

export function undo(history: History): Moved | null {
  const step = history.past[history.past.length - 1];
  if (step === undefined) return null;
  return {
    history: {
      text: applyEdits(history.text, step.back),
      past: history.past.slice(0, -1),
      future: [step, ...history.future],
    },
    edits: step.back,
    label: step.label,
    renamed: step.renamed === null ? null : [step.renamed[1], step.renamed[0]],
  };
}

export function redo(history: History): Moved | null {
  const [step, ...rest] = history.future;
  if (step === undefined) return null;
  return {
    history: {
      text: applyEdits(history.text, step.forward),
      past: [...history.past, { ...step, merge: null }],
      future: rest,
    },
    edits: step.forward,
    label: step.label,
    renamed: step.renamed,
  };
}
