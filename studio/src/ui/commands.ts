/** Everything that can be done by name or by key. */
import { add, addNote, alignSelected, connectPorts, copySelected, enter, foldAll, foldSelected, leave, openText, removeEdge, dirty, duplicate, redoLast, refit, removeSelected, reveal, save, select, selectNotes, setDialog, setPane, startWriting, tell, tidy, toggleBreakpoint, toggleEnabled, undoLast, useStudio } from "../app/store";
import { draft, NEW } from "../app/draft";
import { useDebug } from "../app/debug";
import { goOn, leaveRun, slowMotion, steer, stepOnce, useRun } from "../app/run";
import type { Align } from "../model/align";
import { whyNotConnect } from "../model/operations";
import { shownAs } from "../model/scene";
import { typeOfName } from "../model/schemas";
import { requestRun } from "./Execute";
import { choices } from "./Palette";

export interface Command {
  readonly title: string;
  readonly group: string;
  readonly keys?: string;
  readonly run: () => void;
}

const go = (hash: string) => (): void => { location.hash = hash; };

/** Ways to put several nodes in line; `code` is the key together with Alt. */
export const ALIGN: readonly { readonly title: string; readonly keys: string; readonly code: string; readonly how: Align }[] = [
  { title: "Align left", keys: "Alt+A", code: "KeyA", how: "left" },
  { title: "Align centres", keys: "Alt+H", code: "KeyH", how: "center" },
  { title: "Align right", keys: "Alt+D", code: "KeyD", how: "right" },
  { title: "Align top", keys: "Alt+W", code: "KeyW", how: "top" },
  { title: "Align middles", keys: "Alt+V", code: "KeyV", how: "middle" },
  { title: "Align bottom", keys: "Alt+S", code: "KeyS", how: "bottom" },
  { title: "Distribute from left to right", keys: "Alt+Shift+H", code: "Shift+KeyH", how: "across" },
  { title: "Distribute from top to bottom", keys: "Alt+Shift+V", code: "Shift+KeyV", how: "down" },
];

export function cycleTheme(): void {
  const root = document.documentElement;
  const dark = root.dataset["theme"] === "dark" || (root.dataset["theme"] === undefined && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset["theme"] = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset["theme"]);
}

/** Show the selected node large: what it was given, its form, and what it gave. */
export function openLarge(): void {
  const { selected } = useStudio.getState();
  if (selected.size !== 1) return tell("select the node that is to be opened");
  setPane({ large: true });
}

/** Back to the canvas, to the node that was large. */
function closeLarge(): void {
  const [path] = useStudio.getState().selected;
  setPane({ large: false });
  setTimeout(() => document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(path ?? "")}"]`)?.focus({ preventScroll: true }), 0);
}

/** Open the list of runs, and go into it; or close it. */
function showRuns(): void {
  const open = !useStudio.getState().pane.runs;
  setPane({ runs: open });
  if (open) setTimeout(() => (document.querySelector<HTMLElement>(".run-list [aria-current]") ?? document.querySelector<HTMLElement>(".run-list li button"))?.focus(), 250);
}

export function focusPalette(): void {
  setPane({ palette: true });
  setTimeout(() => document.getElementById("palette-search")?.focus(), 30);
}

export function editorCommands(): Command[] {
  const { pane, selected, model, types } = useStudio.getState();
  const [one] = selected;
  const commands: Command[] = [
    { title: "Execute", group: "Run", keys: "Ctrl+Enter", run: () => requestRun() },
    { title: "Execute step by step", group: "Run", keys: "Ctrl+Shift+Enter", run: () => requestRun({ paused: true }) },
    { title: "Add a node", group: "Edit", keys: "N", run: focusPalette },
    { title: "Add a note", group: "Edit", keys: "Shift+N", run: () => addNote() },
    { title: "Save", group: "Blueprint", keys: "Ctrl+S", run: () => void save() },
    { title: "Undo", group: "Edit", keys: "Ctrl+Z", run: undoLast },
    { title: "Redo", group: "Edit", keys: "Ctrl+Shift+Z", run: redoLast },
    { title: "Select all", group: "Edit", keys: "Ctrl+A", run: () => select(model.nodes.keys()) },
    { title: "Copy as YAML", group: "Edit", keys: "Ctrl+C", run: () => void copySelected() },
    { title: "Duplicate", group: "Edit", keys: "Ctrl+D", run: duplicate },
    { title: "Remove", group: "Edit", keys: "Del", run: removeSelected },
    { title: "Switch on or off", group: "Edit", keys: "E", run: toggleEnabled },
    { title: "Show everything", group: "View", keys: "1", run: refit },
    { title: "Tidy up the layout", group: "View", keys: "Shift+T", run: tidy },
    { title: pane.dock === "text" ? "Show the form" : "Show the text (YAML)", group: "View", keys: "T", run: () => setPane({ dock: pane.dock === "text" ? "form" : "text" }) },
    { title: "Show the Python code", group: "View", run: () => setPane({ dock: "python" }) },
    { title: pane.palette ? "Hide the nodes to add" : "Show the nodes to add", group: "View", keys: "P", run: () => setPane({ palette: !pane.palette }) },
    { title: pane.run ? "Hide the run" : "Show the run", group: "View", keys: "R", run: () => setPane({ run: !pane.run }) },
    { title: pane.runs ? "Hide the runs of this blueprint" : "Show the runs of this blueprint", group: "View", keys: "H", run: showRuns },
    { title: useDebug.getState().slow === null ? "Slow motion" : "Full speed", group: "Debug", run: () => void slowMotion(useDebug.getState().slow === null ? 700 : null) },
    { title: "Show breakpoints and watched expressions", group: "Debug", run: () => setPane({ run: true, tab: "debug" }) },
    { title: "Show problems", group: "View", run: () => setPane({ run: true, tab: "problems" }) },
    { title: pane.large ? "Back to the canvas" : "Open the node large", group: "View", keys: "O", run: () => (pane.large ? closeLarge() : openLarge()) },
    { title: "Enter the container", group: "View", keys: "Enter", run: () => enter() },
    { title: "Leave the container", group: "View", keys: "Shift+Enter", run: leave },
    { title: "Fold or unfold the container", group: "View", keys: "F", run: foldSelected },
    { title: "Fold all", group: "View", run: () => foldAll(true) },
    { title: "Unfold all", group: "View", run: () => foldAll(false) },
    { title: "Connect to another node", group: "Edit", keys: "C", run: () => askToConnect() },
    { title: "Next node", group: "View", keys: "]", run: () => nextNode(1) },
    { title: "Node before", group: "View", keys: "[", run: () => nextNode(-1) },
  ];
  if (selected.size > 1) for (const { title, keys, how } of ALIGN) commands.push({ title, group: "Edit", keys, run: () => alignSelected(how) });
  if (one !== undefined) {
    commands.push({ title: `Breakpoint at ${one}`, group: "Debug", keys: "F9", run: () => toggleBreakpoint(one) });
    commands.push({ title: `Run up to ${one}`, group: "Debug", run: () => requestRun({ until: one }) });
    commands.push({ title: `Run only ${one}`, group: "Debug", run: () => requestRun({ only: one }) });
  }
  if (useRun.getState().run !== null) {
    commands.push(
      { title: "Continue to the next breakpoint", group: "Debug", keys: "F8", run: () => void goOn() },
      { title: "Step", group: "Debug", keys: "F11", run: () => void stepOnce() },
      { title: "Step over", group: "Debug", keys: "F10", run: () => void stepOnce("over") },
      { title: "Step out", group: "Debug", keys: "Shift+F11", run: () => void stepOnce("out") },
      { title: "Pause the run", group: "Debug", run: () => void steer("pause") },
      { title: "Cancel the run", group: "Run", run: () => void steer("cancel") },
      { title: "Put the run away", group: "Run", run: leaveRun },
    );
  }
  if (one !== undefined && selected.size === 1) commands.push(...connecting(one));
  for (const node of model.nodes.values()) commands.push({ title: `Go to ${node.name || node.path}`, group: "Nodes", run: () => reveal(node.path) });
  for (const choice of choices(types)) commands.push({ title: `Add ${choice.title}`, group: "Add", run: () => void add(choice.adding) });
  return commands;
}

export function commonCommands(): Command[] {
  return [
    { title: "New blueprint", group: "Blueprint", run: beginNew },
    { title: "All blueprints", group: "Go", keys: "G B", run: go("#/") },
    { title: "Runs", group: "Go", keys: "G R", run: go("#/runs") },
    { title: "Approvals", group: "Go", keys: "G A", run: go("#/approvals") },
    { title: "Triggers", group: "Go", run: go("#/triggers") },
    { title: "Queue", group: "Go", run: go("#/queue") },
    { title: "Light or dark", group: "View", run: cycleTheme },
    { title: "Keys", group: "Help", keys: "?", run: () => setDialog("keys") },
  ];
}

/** Begin a blueprint, also while another one is begun; what that one has is kept. */
function beginNew(): void {
  if (location.hash === "#/b/new") return openText(NEW);
  draft.text = NEW;
  location.hash = "#/b/new";
}

/** The node before or behind what is selected, in the order of the text. */
export function neighbour(by: number): string | undefined {
  const { model, selected, folded } = useStudio.getState();
  const all = [...model.nodes.keys()].filter((path) => shownAs(path, folded) === path);
  const one = [...selected].pop();
  const at = one === undefined ? (by > 0 ? -1 : 0) : all.indexOf(one);
  return all[(at + by + all.length) % all.length];
}

/** Go to the next node; with `more`, what is selected stays so. */
export function nextNode(by: number, more = false): void {
  const { selected } = useStudio.getState();
  const next = neighbour(by);
  if (next === undefined) return;
  if (more) select([...[...selected].filter((path) => path !== next), next]);
  else reveal(next);
}

/** Lines that can be drawn from a node, and those that can be taken away, by name. */
function connecting(one: string): Command[] {
  const { model, types } = useStudio.getState();
  const from = model.nodes.get(one);
  if (from === undefined) return [];
  const ports = from.routes.length > 0 ? [...from.routes, "error"] : ["", "error"];
  const found: Command[] = [];
  for (const other of model.nodes.values()) {
    if (whyNotConnect(model, one, other.path) !== null) continue;
    const name = other.name || other.path;
    for (const port of ports) {
      const what = port === "" ? "" : port === "error" ? " when it fails" : ` by '${port}'`;
      found.push({ title: `Connect ${one}${what} to ${name}`, group: "Connect", run: () => connectPorts(one, port, other.path, "*") });
    }
    const takes = typeOfName(types, other.type)?.parameters.filter((p) => !p.expression) ?? [];
    if (from.routes.length === 0) for (const { name: port } of takes) found.push({ title: `Connect ${one} to ${name}, ${port}`, group: "Connect", run: () => connectPorts(one, "", other.path, port) });
  }
  for (const line of model.edges) {
    if (line.source !== one && line.target !== one) continue;
    const how = line.toPort === "" ? "" : `, ${line.toPort}`;
    found.push({ title: `Disconnect ${line.source} from ${line.target}${how}`, group: "Connect", run: () => removeEdge(line) });
  }
  return found;
}

function askToConnect(): void {
  const { selected } = useStudio.getState();
  if (selected.size !== 1) return tell("select the node that the line is to begin at");
  setDialog("commands", "connect ");
}

const mod = (e: KeyboardEvent): boolean => e.ctrlKey || e.metaKey;

/** Keys of the editor; those of a field that is typed in are its own. */
/** What the keys of a debugger do, wherever a run is shown; whether it was one of them. */
export function onRunKey(event: KeyboardEvent): boolean {
  const keys: Readonly<Record<string, () => Promise<void>>> = { F8: goOn, F10: () => stepOnce("over"), F11: () => stepOnce(event.shiftKey ? "out" : "into") };
  const doing = keys[event.key];
  if (doing === undefined) return false;
  event.preventDefault();
  void doing();
  return true;
}

export function onEditorKey(event: KeyboardEvent): void {
  const target = event.composedPath()[0] as HTMLElement;
  const typing = target.matches("input, textarea, select, [contenteditable='true'], .cm-content, .cm-content *");
  const key = event.key.toLowerCase();
  const hit = (doing: () => void): void => { event.preventDefault(); doing(); };
  if (mod(event) && key === "s") return hit(() => void save());
  if (mod(event) && key === "enter") return hit(() => requestRun(event.shiftKey ? { paused: true } : {}));
  if (onRunKey(event)) return;
  const { selected, pane, dialog } = useStudio.getState();
  const [one] = selected;
  if (event.key === "F9" && one !== undefined) return hit(() => toggleBreakpoint(one));
  if (dialog !== null || document.querySelector("[aria-modal='true']") !== null) return;
  if (typing) {
    if (pane.large && event.key === "Escape") hit(() => document.querySelector<HTMLElement>(".large")?.focus());
    return;
  }
  if (mod(event)) {
    if (key === "z") return hit(event.shiftKey ? redoLast : undoLast);
    if (key === "y") return hit(redoLast);
    if (key === "d") return hit(duplicate);
    if (key === "a") return hit(() => select(useStudio.getState().model.nodes.keys()));
    if (key === "c" && !window.getSelection()?.toString()) return hit(() => void copySelected());
    if (key === "x") return hit(() => void copySelected(true));
    return;
  }
  if (event.altKey) {
    const found = ALIGN.find((a) => a.code === `${event.shiftKey ? "Shift+" : ""}${event.code}`);
    if (found !== undefined) hit(() => alignSelected(found.how));
    return;
  }
  if (pane.large) {
    const doing = { escape: closeLarge, o: closeLarge, "[": () => nextNode(-1), "]": () => nextNode(1), "?": () => setDialog("keys") }[key];
    if (doing !== undefined) hit(doing);
    return;
  }
  const [note] = useStudio.getState().notes;
  if (event.key === "Enter" && note !== undefined && !target.matches("button, a, summary")) return hit(() => startWriting(note));
  const group = [...useStudio.getState().selected].pop();
  if (event.key === "Enter" && group !== undefined && !target.matches("button, a, summary")) {
    if (event.shiftKey) return hit(leave);
    return hit(useStudio.getState().model.nodes.get(group)?.kind === "group" ? () => enter(group) : openLarge);
  }
  const plain: Readonly<Record<string, () => void>> = {
    delete: removeSelected, backspace: removeSelected, n: () => (event.shiftKey ? addNote() : focusPalette()), "/": focusPalette, e: toggleEnabled, f: foldSelected, c: askToConnect, o: openLarge, h: showRuns, 1: refit, "]": () => nextNode(1, event.shiftKey), "[": () => nextNode(-1, event.shiftKey), "}": () => nextNode(1, true), "{": () => nextNode(-1, true),
    t: () => (event.shiftKey ? tidy() : setPane({ dock: pane.dock === "text" ? "form" : "text" })), p: () => setPane({ palette: !pane.palette }), r: () => setPane({ run: !pane.run }), "?": () => setDialog("keys"),
    escape: () => { select([]); selectNotes([]); },
  };
  const doing = plain[key];
  if (doing !== undefined) hit(doing);
}

export function warnBeforeLeaving(event: BeforeUnloadEvent): void {
  if (dirty(useStudio.getState()) && useStudio.getState().id !== null) event.preventDefault();
}
