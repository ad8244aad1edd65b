import { Search, X } from "lucide-react";
import { useMemo, useRef, useState, type ReactElement } from "react";
import { add, addingOf, mayChange, setPane, useStudio, type Adding } from "../app/store";
import type { NodeType } from "../model/schemas";
import { lookOf, lookOfType } from "./icons";
import type { NodeView } from "../model/blueprint";

/** What is not a type of node but a way to move. */
export const CONTROL: readonly (Adding & { readonly description: string; readonly kind: NodeView["kind"]; readonly type: string })[] = [
  { title: "Branch", wish: "route", kind: "branch", type: "", description: "Go one way or another, by conditions.", body: { branch: { yes: "true", no: "else" } } },
  { title: "For each", wish: "each", kind: "group", type: "map", description: "Do some nodes for every item of a list.", body: { map: "${{ [1, 2, 3] }}", as: "entry", nodes: { step: { uses: "data.value", with: { value: "${{ entry }}" } } } } },
  { title: "Loop", wish: "again", kind: "group", type: "loop", description: "Do some nodes again and again, until a condition holds.", body: { loop: { times: 3 }, nodes: { step: { uses: "data.value", with: { value: "${{ index }}" } } } } },
  { title: "Group", wish: "group", kind: "group", type: "", description: "Put nodes into a box of their own.", body: { nodes: { step: { uses: "data.value", with: { value: 1 } } } } },
  { title: "Approval", wish: "approval", kind: "wait", type: "approval", description: "Wait until a person has said yes or no.", body: { wait: { approval: { title: "May this go on?" } } } },
  { title: "Wait for a signal", wish: "signal", kind: "wait", type: "signal", description: "Wait for a message from outside.", body: { wait: { signal: "go" } } },
  { title: "Pause", wish: "pause", kind: "wait", type: "for", description: "Wait for some time.", body: { wait: { for: "10s" } } },
  { title: "Run a blueprint", wish: "call", kind: "call", type: "", description: "Run another blueprint as a step of this one.", body: { call: "other-blueprint" } },
];

const NAMES: Readonly<Record<string, string>> = { data: "Data", file: "Files", flow: "Flow", http: "Web", json: "JSON", sheet: "Tables", shell: "Programs" };

export interface Choice {
  readonly key: string;
  readonly title: string;
  readonly description: string;
  readonly category: string;
  readonly adding: Adding;
  readonly look: ReturnType<typeof lookOfType>;
  readonly words: string;
}

export function choices(types: ReadonlyMap<string, NodeType>): Choice[] {
  const control = CONTROL.map((c) => ({
    key: `control:${c.wish}`, title: c.title, description: c.description, category: "Control", adding: c,
    look: lookOf({ kind: c.kind, type: c.type, repeat: c.kind === "group" && c.type !== "" ? { kind: "map", text: "", as: "" } : null } as NodeView),
    words: `${c.title} ${c.wish} ${c.description} control`.toLowerCase(),
  }));
  const own = [...types.values()].map((type) => ({
    key: type.name, title: type.title, description: type.description, category: NAMES[type.category] ?? type.category,
    adding: addingOf(type), look: lookOfType(type.name, type.icon), words: `${type.title} ${type.name} ${type.description}`.toLowerCase(),
  }));
  return [...control, ...own];
}

/** What fits what was typed, the best first. */
export function search(all: readonly Choice[], typed: string): Choice[] {
  const words = typed.toLowerCase().split(/\s+/).filter((w) => w !== "");
  if (words.length === 0) return [...all];
  const score = (c: Choice): number => (c.title.toLowerCase().startsWith(words[0]!) ? 0 : c.title.toLowerCase().includes(words[0]!) ? 1 : c.key.includes(words[0]!) ? 2 : 3);
  return all.filter((c) => words.every((w) => c.words.includes(w))).sort((a, b) => score(a) - score(b));
}

export function Palette(): ReactElement {
  const types = useStudio((s) => s.types);
  const [typed, setTyped] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const all = useMemo(() => choices(types), [types]);
  const found = useMemo(() => search(all, typed), [all, typed]);
  const groups = useMemo(() => {
    const by = new Map<string, Choice[]>();
    for (const choice of found) (by.get(choice.category) ?? by.set(choice.category, []).get(choice.category)!).push(choice);
    return [...by];
  }, [found]);
  return (
    <section className="palette" aria-label="Nodes to add">
      <label className="search">
        <Search aria-hidden="true" />
        <input
          id="palette-search" type="search" placeholder="Add a node…" value={typed} onChange={(e) => setTyped(e.target.value)} aria-label="Search nodes" autoComplete="off"
          onKeyDown={(e) => {
            if (e.key === "Enter" && found[0] !== undefined && typed !== "") {
              add(found[0].adding);
              setTyped("");
            } else if (e.key === "ArrowDown") {
              e.preventDefault();
              list.current?.querySelector("button")?.focus();
            } else if (e.key === "Escape") setPane({ palette: false });
          }}
        />
      </label>
      <button className="icon palette-close" aria-label="Close the list of nodes" onClick={() => setPane({ palette: false })}><X /></button>
      <div
        className="palette-list" ref={list}
        onKeyDown={(e) => {
          const all = [...(list.current?.querySelectorAll<HTMLButtonElement>("button") ?? [])];
          const at = all.indexOf(document.activeElement as HTMLButtonElement);
          const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
          if (e.key === "Escape" || to === -1) {
            e.preventDefault();
            document.getElementById("palette-search")?.focus();
          } else if (to !== undefined && at >= 0) {
            e.preventDefault();
            all[Math.min(to, all.length - 1)]?.focus();
          }
        }}
      >
        {groups.map(([category, items]) => (
          <section key={category} aria-label={`${category} nodes`}>
            <h2>{category}</h2>
            {items.map((choice) => (
              <button
                key={choice.key} className={`choice hue-${choice.look.hue}`} draggable={mayChange()} title={choice.description} onClick={() => add(choice.adding)}
                onDragStart={(e) => { e.dataTransfer.setData("application/x-atomiton", choice.key); e.dataTransfer.effectAllowed = "copy"; }}
              >
                <span className="tile"><choice.look.icon /></span>
                <span><b>{choice.title}</b><small>{choice.description}</small></span>
              </button>
            ))}
          </section>
        ))}
        {found.length === 0 && <p className="empty">Nothing is called that. Nodes of your own: <code>--nodes FILE.py</code></p>}
      </div>
    </section>
  );
}
