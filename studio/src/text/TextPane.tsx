import { acceptCompletion, autocompletion, completionKeymap, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, type DecorationSet } from "@codemirror/view";
import { useEffect, useRef, type ReactElement } from "react";
import { offers } from "../model/completion";
import { keysAt, wordsAt } from "../model/format";
import { placeOf, type TextPlace } from "../model/place";
import { typeOfName, type NodeType } from "../model/schemas";
import { difference } from "../model/text";
import { nodeAt, plain, read } from "../model/yaml";
import { mayChange, redoLast, select, typed, undoLast, useStudio, type Studio } from "../app/store";
import { outputFor } from "../app/run";
import { colours, look } from "./look";

const external = Annotation.define<boolean>();
const mark = StateEffect.define<{ from: number; to: number } | null>();

/** The lines of the node that is selected on the canvas. */
const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(old, transaction) {
    let now = old.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(mark)) continue;
      if (effect.value === null) { now = Decoration.none; continue; }
      const { doc } = transaction.state;
      const lines = [];
      for (let line = doc.lineAt(effect.value.from); ; line = doc.lineAt(line.to + 1)) {
        lines.push(Decoration.line({ class: "cm-chosen" }).range(line.from));
        if (line.to >= effect.value.to || line.number === doc.lines || lines.length > 400) break;
      }
      now = Decoration.set(lines);
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** What can be written at the cursor: names in expressions, types, parameters, keys. */
function complete(context: CompletionContext): CompletionResult | null {
  const { model, types } = useStudio.getState();
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  const open = before.lastIndexOf("${{");
  if (open >= 0 && !before.slice(open).includes("}}")) {
    const found = offers(model, types, nodeAtOffset(context.pos) ?? "", before.slice(open + 3), outputFor);
    return { from: line.from + open + 3 + found.from, options: found.items.map((o) => ({ label: o.label, detail: o.detail, info: o.info })), validFor: /^\w*$/ };
  }
  const uses = /\buses:\s*([\w.]*)$/.exec(before);
  if (uses !== null) {
    return { from: context.pos - uses[1]!.length, options: [...types.values()].map((t) => ({ label: t.name, detail: t.title, info: t.description })), validFor: /^[\w.]*$/ };
  }
  const text = context.state.doc.toString();
  const place = placeOf(text, context.pos);
  if (place === null || (place.word === "" && place.key === null && !context.explicit && !place.flow)) return null;
  const offered = [...parametersAt(place), ...(place.key === null ? keysHere(place) : wordsHere(place))];
  return offered.length === 0 ? null : { from: context.pos - place.word.length, options: offered, validFor: /^[\w.-]*$/ };
}

/** The node type whose parameters may stand at a place. */
function typeAt(place: TextPlace): NodeType | undefined {
  const { model, types } = useStudio.getState();
  const inner = place.path.slice(0, -1);
  if (place.path[place.path.length - 1] !== "with" || inner[0] !== "nodes") return undefined;
  const uses = plain(nodeAt(read(model.text).contents, [...inner, "uses"]));
  const own = model.nodes.get(inner.filter((key, i) => i % 2 === 1 && key !== "compensate").join("."));
  return typeOfName(types, typeof uses === "string" ? uses : inner.includes("compensate") ? (own?.compensates ?? "") : (own?.type ?? ""));
}

function parametersAt(place: TextPlace): Completion[] {
  const type = typeAt(place);
  if (type === undefined) return [];
  if (place.key === null) return type.parameters.filter((p) => !place.taken.includes(p.name)).map((p) => ({ label: p.name, apply: `${p.name}: `, detail: "parameter", info: p.description }));
  const schema = type.parameters.find((p) => p.name === place.key)?.schema;
  const words = (schema?.["enum"] as unknown[] | undefined) ?? (schema?.["type"] === "boolean" ? [true, false] : []);
  return words.map((word) => ({ label: String(word) }));
}

function keysHere(place: TextPlace): Completion[] {
  const indent = " ".repeat(2);
  return keysAt(place.path).filter(({ key }) => !place.taken.includes(key)).map(({ key, about, block }) => ({
    label: key, info: about, detail: "key",
    apply: place.flow || !block ? `${key}: ` : (view, _completion, from, to) => {
      const line = view.state.doc.lineAt(from);
      const insert = `${key}:\n${" ".repeat(from - line.from)}${indent}`;
      view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length } });
    },
  }));
}

function wordsHere(place: TextPlace): Completion[] {
  return wordsAt([...place.path, place.key!]).map((label) => ({ label }));
}

/** The innermost node that a place in the text belongs to. */
function nodeAtOffset(at: number): string | null {
  const { model } = useStudio.getState();
  const entry = model.entries.find((e) => at >= e.from && at < e.to);
  let best: string | null = null;
  for (const node of entry?.nodes ?? []) {
    if (at >= entry!.from + node.from && at <= entry!.from + node.to) best = node.path;
  }
  return best ?? entry?.id ?? null;
}

function diagnostics(s: Studio): Diagnostic[] {
  if (s.model.troubles.length > 0) {
    return s.model.troubles.map((t) => ({ from: Math.min(t.from, s.model.text.length), to: Math.min(t.to, s.model.text.length), severity: "error", message: t.message }));
  }
  if (s.checked !== s.model.text) return [];
  const lines = s.model.text.split("\n");
  const starts: number[] = [];
  let at = 0;
  for (const line of lines) { starts.push(at); at += line.length + 1; }
  return s.problems.flatMap((p) => {
    if (p.line === null || p.line === undefined || starts[p.line - 1] === undefined) return [];
    const from = Math.min(s.model.text.length, starts[p.line - 1]! + Math.max(0, (p.column ?? 1) - 1));
    const to = starts[p.line - 1]! + lines[p.line - 1]!.length;
    return [{ from, to: Math.max(from, to), severity: "error" as const, message: p.hint ? `${p.message} (${p.hint})` : p.message }];
  });
}

function chosen(s: Studio): { from: number; to: number } | null {
  const [one] = s.selected;
  if (one === undefined) return null;
  for (const entry of s.model.entries) {
    const node = entry.nodes.find((n) => n.path === one);
    if (node !== undefined) return { from: entry.from + node.from, to: entry.from + Math.max(node.from, node.to - 1) };
  }
  return null;
}

/** The text of the blueprint; it lies in a shadow root, where its styles need no leave of the page's policy. */
export default function TextPane(): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: "open" });
    let fromHere = false;
    const view = new EditorView({
      root,
      parent: root as unknown as HTMLElement,
      state: EditorState.create({
        doc: useStudio.getState().model.text,
        extensions: [
          lineNumbers(), foldGutter(), drawSelection(), highlightActiveLine(), bracketMatching(), highlightSelectionMatches(), lintGutter(), search({ top: true }),
          yaml(), indentUnit.of("  "), syntaxHighlighting(colours), look, marked, autocompletion({ override: [complete] }), EditorState.tabSize.of(2),
          EditorView.contentAttributes.of({ "aria-label": "The blueprint as YAML", tabindex: "0" }), EditorState.readOnly.of(!mayChange()),
          keymap.of([
            { key: "Mod-z", run: () => { undoLast(); return true; }, preventDefault: true },
            { key: "Mod-y", mac: "Mod-Shift-z", run: () => { redoLast(); return true; }, preventDefault: true },
            { key: "Mod-Shift-z", run: () => { redoLast(); return true; }, preventDefault: true },
            { key: "Tab", run: acceptCompletion }, indentWithTab, ...completionKeymap, ...searchKeymap, ...defaultKeymap.filter((binding) => binding.key !== "Mod-Enter"), // that executes, wherever one is
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !update.transactions.some((t) => t.annotation(external))) {
              fromHere = true;
              typed(update.state.doc.toString());
              fromHere = false;
            } else if (update.selectionSet && view.hasFocus && !update.docChanged) {
              const path = nodeAtOffset(update.state.selection.main.head);
              fromHere = true;
              if (path !== null && useStudio.getState().model.nodes.has(path)) select([path]);
              fromHere = false;
            }
          }),
        ],
      }),
    });
    const sync = (s: Studio, before: Studio | null): void => {
      if (s.model.text !== view.state.doc.toString()) {
        const changes = difference(view.state.doc.toString(), s.model.text);
        view.dispatch({ changes: changes.map((c) => ({ from: c.from, to: c.to, insert: c.insert })), annotations: external.of(true) });
      }
      if (before === null || s.problems !== before.problems || s.model.troubles !== before.model.troubles) view.dispatch(setDiagnostics(view.state, diagnostics(s)));
      if (before === null || s.selected !== before.selected) {
        const range = chosen(s);
        const effects: StateEffect<unknown>[] = [mark.of(range)];
        if (range !== null && !fromHere) effects.push(EditorView.scrollIntoView(range.from, { y: "start", yMargin: 60 }));
        if (range === null || range.to <= view.state.doc.length) queueMicrotask(() => view.dispatch({ effects }));
      }
    };
    sync(useStudio.getState(), null);
    const stop = useStudio.subscribe((s, before) => sync(s, before));
    return () => { stop(); view.destroy(); };
  }, []);
  return <div className="text-host" ref={host} />;
}
