/** Where nodes and notes stand. */
import { aligned, type Align, type Placed } from "../model/align";
import type { Model } from "../model/blueprint";
import * as op from "../model/operations";
import { sceneOf } from "../model/scene";
import { edit } from "./changing";
import { refit } from "./looking";
import { get, next, set } from "./state";
import { tell } from "./telling";

export function placeNodes(places: ReadonlyMap<string, readonly [number, number]>, label = "move"): void {
  edit(op.place(get().model, places, next), label);
}

/** Put what is selected in line, or at even distances; each body by itself. */
export function alignSelected(how: Align): void {
  const { model, types, folded, selected } = get();
  const bodies = new Map<string, Placed[]>();
  for (const box of sceneOf(model, types, folded)) {
    if (!selected.has(box.path)) continue;
    const list = bodies.get(box.parent) ?? bodies.set(box.parent, []).get(box.parent)!;
    list.push({ ...box, id: box.path });
  }
  const places = new Map([...bodies.values()].flatMap((boxes) => [...aligned(boxes, how)]));
  if (places.size === 0) return tell("select several nodes to put them in line");
  placeNodes(places, how === "across" || how === "down" ? "distribute" : "align");
}

/** Write a note on the canvas; where no place is given, above what is selected, or above everything. */
export function addNote(at?: readonly [number, number]): void {
  const { model, types, folded, selected } = get();
  const boxes = sceneOf(model, types, folded).filter((box) => box.parent === "");
  const some = boxes.filter((box) => selected.has(box.path));
  const around = some.length > 0 ? some : boxes;
  const place = at ?? [Math.min(0, ...around.map((b) => b.x)), around.length === 0 ? 0 : Math.min(...around.map((b) => b.y)) - 120] as const;
  if (!edit(op.addNote(model, "Note", place), "add a note")) return;
  const { notes } = get().model.head;
  const index = notes[notes.length - 1]?.index ?? null;
  if (index !== null) set({ notes: new Set([index]), writing: index, selected: new Set(), edge: null });
}

export function startWriting(index: number | null): void {
  set({ writing: index });
}

export function writeNote(index: number, text: string): void {
  const { model } = get();
  set({ writing: null });
  if (model.head.notes.find((n) => n.index === index)?.text !== text) edit(op.writeNote(model, index, text), "write a note");
}

/** Move nodes and notes, as one step. */
export function moveAll(places: ReadonlyMap<string, readonly [number, number]>, notes: ReadonlyMap<number, readonly [number, number]>): void {
  const { model } = get();
  edit(op.inTurn(model, [(now) => op.place(now, places, next), ...[...notes].map(([index, at]) => (now: Model) => op.moveNote(now, index, at))], next), "move");
}

/** Forget every place: the automatic arrangement is the tidiest. */
export function tidy(): void {
  const { model } = get();
  if (Object.keys(model.head.layout).length > 0) edit(op.deleteValue(model, ["layout"]), "tidy up");
  refit();
}
