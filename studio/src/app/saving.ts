/** Saving, and what others have saved meanwhile. */
import { callsTo, withCallsTo } from "../model/callers";
import { freeId, whyNotBlueprintId } from "../model/names";
import * as op from "../model/operations";
import { difference } from "../model/text";
import { api, Refused, type BlueprintInfo, type Stored } from "./api";
import { keepBreakpoints } from "./breakpoints";
import { edit } from "./changing";
import { forget } from "./draft";
import { keepDraft } from "./opening";
import { get, next, read, set } from "./state";
import { attempt, tell } from "./telling";

let saving: Promise<boolean> | null = null;

/** Save what is on the screen; a second wish meanwhile is the same one. */
export function save(): Promise<boolean> {
  saving ??= saveNow("ask").finally(() => { saving = null; });
  return saving;
}

type Elsewhere = "ask" | "copy" | "rename";

async function saveNow(elsewhere: Elsewhere, callers: readonly Stored[] = []): Promise<boolean> {
  const { model, etag, id } = get();
  const { text } = model;
  // Half a text may not say its id: it is kept under the one that it had, or was about to have.
  const broken = model.troubles[0]?.message;
  const kept = etag !== null && (broken !== undefined || model.head.id === "") ? id : null;
  const name = kept ?? (model.head.id || (id ?? "untitled"));
  const wrong = whyNotBlueprintId(name);
  if (wrong !== null) {
    tell(`'${name}' cannot be its id: ${wrong}`, "bad");
    return false;
  }
  const from = etag !== null && id !== null && name !== id ? id : null;
  if (from !== null && elsewhere === "ask") {
    set({ renaming: { from, to: name, callers: [] } });
    void lookForCallers(from, name);
    return false;
  }
  try {
    const info = await api.save(name, text, name === id ? etag : null);
    const { draft } = get();
    if (draft !== null) forget(draft);
    set({ etag: info.etag, saved: text, id: name, draft: name, conflict: null, occupied: null, renaming: null });
    keepBreakpoints();
    if (from !== null && elsewhere === "rename") return await leaveOld(from, name, callers);
    showAddress(name);
    const why = info.problem ?? broken ?? undefined;
    if (why === undefined) tell(`saved ${name}, revision ${info.revision}`, "good");
    else tell(`saved ${name} as a draft, revision ${info.revision}: it cannot run yet`, "info");
    return true;
  } catch (error) {
    if (error instanceof Refused && (error.status === 412 || error.status === 409)) await meet(name, name !== id || etag === null);
    else await attempt(Promise.reject(error as Error));
    return false;
  }
}

/** The address is that of what was saved; all of the page is told, so that a new blueprint can be begun after it. */
function showAddress(id: string): void {
  if (location.hash === `#/b/${id}`) return;
  history.replaceState(null, "", `#/b/${id}`);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** How many blueprints are read at once. */
const AT_ONCE = 8;

/** Find the blueprints that call one, while it is asked whether that is renamed. */
async function lookForCallers(from: string, to: string): Promise<void> {
  const list = (await api.blueprints().catch(() => [])).filter((info) => info.id !== from);
  const found: Stored[] = [];
  for (let n = 0; n < list.length; n += AT_ONCE) {
    const texts = await Promise.all(list.slice(n, n + AT_ONCE).map((info) => api.blueprint(info.id).catch(() => null)));
    for (const stored of texts) if (stored !== null && callsTo(read(stored.text), from).length > 0) found.push(stored);
  }
  const { renaming } = get();
  if (renaming?.from === from && renaming.to === to) set({ renaming: { from, to, callers: found } });
}

/** Let callers call another id; gives those that were changed, as they are kept now. */
async function changeCallers(callers: readonly Stored[], from: string, to: string): Promise<{ before: Stored; info: BlueprintInfo }[]> {
  const changed: { before: Stored; info: BlueprintInfo }[] = [];
  for (const before of callers) {
    const { info, text } = before;
    try {
      changed.push({ before, info: await api.save(info.id, withCallsTo(read(text), from, to, next), info.etag) });
    } catch (error) {
      tell(`${info.id} still calls ${from}: ${error instanceof Refused && error.status === 412 ? "somebody else has changed it meanwhile" : (error as Error).message}`, "bad");
    }
  }
  return changed;
}

/** Take what was renamed off the list under its old id, after those that call it call the new one: at no time is nothing there. */
async function leaveOld(from: string, to: string, callers: readonly Stored[]): Promise<boolean> {
  showAddress(to);
  const changed = await changeCallers(callers, from, to);
  if ((await attempt(api.remove(from))) === null) return true;
  forget(from);
  const names = changed.map(({ info }) => info.id);
  const also = names.length === 0 ? "" : `, also in ${names.join(", ")}`;
  tell(`${from} is ${to} now${also}; runs that it has made stand under ${from}`, "good", changed.length === 0 ? undefined : { label: "Undo", run: () => void renameBack(from, to, changed) });
  return true;
}

/** Take a renaming back, with what was changed in callers; what somebody else has changed since stays. */
async function renameBack(from: string, to: string, changed: readonly { before: Stored; info: BlueprintInfo }[]): Promise<void> {
  if ((await attempt(api.undelete(from))) === null) return;
  for (const { before, info } of changed) await attempt(api.save(info.id, before.text, info.etag));
  const { model } = get();
  if (get().id === to) set({ saved: model.text }); // what is left behind is no draft
  if ((await attempt(api.remove(to))) !== null) forget(to);
  location.hash = `#/b/${from}`;
}

/** Settle what a changed id means: another name, a copy beside it, or a slip; null leaves it open. */
export async function settleRenaming(how: "rename" | "copy" | "back" | null, withCallers = true): Promise<void> {
  const { renaming, model } = get();
  set({ renaming: null });
  if (renaming === null || how === null) return;
  if (how === "back") {
    if (edit(op.setValue(model, ["id"], renaming.from), "the id that it had")) await save();
    return;
  }
  await saving;
  saving = saveNow(how, withCallers ? renaming.callers : []).finally(() => { saving = null; });
  await saving;
}

/** Somebody else has saved: show it, and lose nothing. A first time, another blueprint has the id. */
async function meet(name: string, first: boolean): Promise<void> {
  if (first) {
    const list = await attempt(api.blueprints());
    if (list !== null) set({ occupied: { id: name, free: freeId(name, list.map((info) => info.id)) } });
    return;
  }
  const stored = await attempt(api.blueprint(name));
  if (stored !== null) set({ conflict: { text: stored.text, etag: stored.info.etag } });
}

/** Save under an id that is free; null leaves everything as it is. */
export function settleOccupied(free: string | null): void {
  set({ occupied: null });
  if (free !== null && edit(op.setValue(get().model, ["id"], free), "another id")) void save();
}

/** Look whether somebody else has changed what is open. */
export async function lookForOthers(): Promise<void> {
  const { id, etag, model, saved, conflict } = get();
  if (id === null || etag === null || conflict !== null || document.hidden) return;
  try {
    const newer = await api.newer(id, etag);
    if (newer === null || get().id !== id || get().etag !== etag) return;
    if (model.text !== saved) return set({ conflict: { text: newer.text, etag: newer.info.etag } });
    edit(difference(model.text, newer.text), "changed elsewhere");
    set({ etag: newer.info.etag, saved: newer.text });
    tell("this blueprint was changed elsewhere: you see the newest", "info");
  } catch {
    // It is asked again; that the server is away is shown by whatever is done next.
  }
}

export function settleConflict(which: "mine" | "theirs"): void {
  const { conflict, model } = get();
  if (conflict === null) return;
  set({ etag: conflict.etag, saved: conflict.text, conflict: null });
  if (which === "mine") return void save();
  edit(difference(model.text, conflict.text), "take the other version");
  keepDraft(); // there is nothing of it to keep any more
}
