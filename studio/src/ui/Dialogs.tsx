import { Search, X } from "lucide-react";
import { useMemo, useState, type ReactElement } from "react";
import { flushSync } from "react-dom";
import { dismiss, setDialog, useStudio } from "../app/store";
import { commonCommands, editorCommands, type Command } from "./commands";
import { useModal } from "./modal";

export function Dialogs({ editor }: { readonly editor: boolean }): ReactElement | null {
  const dialog = useStudio((s) => s.dialog);
  if (dialog === "commands") return <Commands editor={editor} />;
  if (dialog === "keys") return <Keys />;
  return null;
}

const close = (): void => setDialog(null);
const all = (editor: boolean): Command[] => [...(editor ? editorCommands() : []), ...commonCommands()];

/** By group, the group of the best one first. */
function grouped(commands: readonly Command[]): [string, Command[]][] {
  const by = new Map<string, Command[]>();
  for (const command of commands) (by.get(command.group) ?? by.set(command.group, []).get(command.group)!).push(command);
  return [...by];
}

function Commands({ editor }: { readonly editor: boolean }): ReactElement {
  const [typed, setTyped] = useState(() => useStudio.getState().asked);
  const [at, setAt] = useState(0);
  const ref = useModal<HTMLDivElement>(close);
  const commands = useMemo(() => all(editor), [editor]);
  const groups = useMemo(() => {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = commands.filter((c) => words.every((w) => `${c.title} ${c.group}`.toLowerCase().includes(w)));
    const best = (words.length === 0 ? fits.filter((c) => c.group !== "Add" && c.group !== "Nodes" && c.group !== "Connect") : fits.sort((a, b) => Number(b.title.toLowerCase().startsWith(words[0]!)) - Number(a.title.toLowerCase().startsWith(words[0]!)))).slice(0, 60);
    return grouped(best);
  }, [commands, typed]);
  const found = groups.flatMap(([, inner]) => inner);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    flushSync(close); // the focus is back where it was before the command may move it
    command.run(); // at once: a key that is pressed next must not overtake it
  };
  return (
    <div className="veil top" onMouseDown={(e) => { if (e.target === e.currentTarget) close(); }}>
      <div className="dialog commands" role="dialog" aria-modal="true" aria-label="Commands" ref={ref}>
        <label className="search big"><Search aria-hidden="true" />
          <input
            value={typed} placeholder="What do you want to do?" aria-label="Search commands" role="combobox" aria-expanded="true" aria-controls="command-list" aria-activedescendant={`command-${at}`} autoComplete="off"
            onChange={(e) => { setTyped(e.target.value); setAt(0); }}
            onKeyDown={(e) => {
              const move = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
              if (move !== 0 && found.length > 0) {
                e.preventDefault();
                const now = (at + move + found.length) % found.length;
                setAt(now);
                document.getElementById(`command-${now}`)?.scrollIntoView({ block: "nearest" });
              } else if (e.key === "Enter") {
                e.preventDefault();
                run(found[at]);
              }
            }}
          />
        </label>
        <div id="command-list" className="command-list" role="listbox" aria-label="Commands" tabIndex={-1}>
          {groups.map(([group, inner]) => (
            <div key={group} role="group" aria-label={group}>
              <h3 role="presentation">{group}</h3>
              {inner.map((command) => {
                const i = found.indexOf(command);
                return (
                  <div key={command.title} id={`command-${i}`} role="option" aria-selected={i === at} onMouseMove={() => setAt(i)} onClick={() => run(command)}>
                    <span>{command.title}</span>{command.keys !== undefined && <kbd>{command.keys}</kbd>}
                  </div>
                );
              })}
            </div>
          ))}
        </div>
        {found.length === 0 && <p className="empty">Nothing is called that.</p>}
      </div>
    </div>
  );
}

function Keys(): ReactElement {
  const ref = useModal<HTMLDivElement>(close);
  const found = all(true).filter((c) => c.keys !== undefined);
  return (
    <div className="veil" onMouseDown={(e) => { if (e.target === e.currentTarget) close(); }}>
      <div className="dialog" role="dialog" aria-modal="true" aria-label="Keys" ref={ref}>
        <header><h2>Keys</h2><button className="icon" aria-label="Close" onClick={close}><X /></button></header>
        <div className="dialog-body keys">
          <div><span>Commands</span><kbd>Ctrl+K</kbd></div>
          {found.map((c) => <div key={c.title}><span>{c.title}</span><kbd>{c.keys}</kbd></div>)}
        </div>
      </div>
    </div>
  );
}

export function Toasts(): ReactElement {
  const toasts = useStudio((s) => s.toasts);
  return <div className="toasts" role="status" aria-live="polite">{toasts.map((t) => <div key={t.id} className={`toast toast-${t.kind}`}>{t.text}{t.action !== undefined && <button className="link" onClick={() => { dismiss(t.id); t.action!.run(); }}>{t.action.label}</button>}</div>)}</div>;
}
