/** What forms change beside single values: kinds, routes, repeats. */
import type { KindOf } from "../model/forms";
import type { Model } from "../model/blueprint";
import * as op from "../model/operations";
import type { Edit } from "../model/text";
import type { Path } from "../model/yaml";
import { edit } from "./changing";
import { get, next } from "./state";

/** Put another kind in the place of one: a wait for a signal instead of a time. */
export function chooseKind(path: string, at: Path, from: string, to: KindOf, strangers: readonly string[]): void {
  if (from !== to.key) edit(op.changeKind(get().model, [...op.pathOf(path), ...at], from, to, strangers, next), `${String(at[at.length - 1])}: ${to.words}`);
}

export function renameRoute(path: string, from: string, to: string): void {
  edit(op.renameRoute(get().model, path, from, to, next), `rename route ${from} to ${to}`);
}

/** Let a route and the one after it change places: the first that is true is taken. */
export function moveRoute(path: string, route: string): void {
  edit(op.moveDown(get().model, [...op.pathOf(path), "branch", route]), "order of routes");
}

/** Let another node type undo a node: what else is said of it stays, its parameters are new. */
export function chooseUndoing(path: string, body: Readonly<Record<string, unknown>>): void {
  const { model } = get();
  const at = [...op.pathOf(path), "compensate"];
  const set = (key: string) => (now: Model): readonly Edit[] => (body[key] === undefined ? op.deleteValue(now, [...at, key]) : op.setValue(now, [...at, key], body[key]));
  const begun = model.nodes.get(path)?.compensates !== "";
  edit(begun ? op.inTurn(model, [set("uses"), set("with")], next) : op.setValue(model, at, body), `undo by ${String(body["uses"])}`);
}

export type Repeating = "" | "map" | "loop";
const REPEATS: Readonly<Record<"map" | "loop", unknown>> = { map: "${{ [1, 2, 3] }}", loop: { times: 3 } };

/** Let a node run once, for each item of a list, or again and again. */
export function chooseRepeat(path: string, how: Repeating): void {
  const { model } = get();
  const at = op.pathOf(path);
  const gone = ["map", "as", "concurrency", "on_item_error", "loop"].map((key) => (now: Model): readonly Edit[] => op.deleteValue(now, [...at, key]));
  const set = how === "" ? [] : [(now: Model): readonly Edit[] => op.setValue(now, [...at, how], REPEATS[how])];
  edit(op.inTurn(model, [...gone, ...set], next), how === "" ? "run once" : how === "map" ? "for each item" : "again and again");
}
