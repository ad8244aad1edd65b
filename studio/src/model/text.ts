/** Changes of a text. Positions are UTF-16 offsets into the text before the change. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** Sort edits and refuse those that overlap: such a pair has no meaning. */
export function ordered(edits: readonly Edit[]): Edit[] {
  const sorted = [...edits].sort((a, b) => a.from - b.from || a.to - b.to);
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]!.from < sorted[i - 1]!.to) throw new RangeError("edits overlap");
  }
  return sorted;
}

/** The text after the edits, all of which are about the same text. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const edit of ordered(edits)) {
    result += text.slice(at, edit.from) + edit.insert;
    at = edit.to;
  }
  return result + text.slice(at);
}

/** The edits that lead back from the text after `edits` to `text`. */
export function invertEdits(text: string, edits: readonly Edit[]): Edit[] {
  let shift = 0;
  return ordered(edits).map((edit) => {
    const from = edit.from + shift;
    shift += edit.insert.length - (edit.to - edit.from);
    return { from, to: from + edit.insert.length, insert: text.slice(edit.from, edit.to) };
  });
}

/** The one edit that leads from a text to another; none if they are the same. */
export function difference(before: string, after: string): Edit[] {
  if (before === after) return [];
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let end = 0;
  while (
    end < most - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  ) {
    end++;
  }
  return [{ from: start, to: before.length - end, insert: after.slice(start, after.length - end) }];
}

/** The smallest stretch that holds all edits, as one edit. */
export function hull(text: string, edits: readonly Edit[]): Edit | null {
  const sorted = ordered(edits);
  const first = sorted[0];
  const last = sorted[sorted.length - 1];
  if (first === undefined || last === undefined) return null;
  const inside = sorted.map((e) => ({ from: e.from - first.from, to: e.to - first.from, insert: e.insert }));
  const insert = applyEdits(text.slice(first.from, last.to), inside);
  return { from: first.from, to: last.to, insert };
}

export function shifted(edits: readonly Edit[], by: number): Edit[] {
  return edits.map((e) => ({ from: e.from + by, to: e.to + by, insert: e.insert }));
}
