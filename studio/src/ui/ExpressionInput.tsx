import { useId, useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { holes, wholeExpression } from "../model/expressions";
import { offers, type Offer } from "../model/completion";
import { taken } from "../model/given";
import { useStudio } from "../app/store";
import { usePreview, useSilent } from "../app/preview";
import { outputFor } from "../app/run";
import { useTaker } from "./Part";

interface Props {
  readonly path: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** All of it is an expression, without `${{ }}`. */
  readonly bare?: boolean;
  readonly label: string;
  readonly placeholder?: string;
  /** Lines that it shows; without it as many as its text needs. */
  readonly rows?: number;
  /** The text stands between quotation marks of YAML. */
  readonly quoted?: boolean;
  /** What is evaluated to show what it gives, where that is not its text; null where it cannot be. */
  readonly evaluated?: string | null | undefined;
  /** A text that gives the list whose items it is about. */
  readonly over?: string | undefined;
}

/** The expression around the cursor, up to it; null where there is a text. */
function expressionAt(value: string, at: number, bare: boolean): { text: string; from: number } | null {
  const open = value.lastIndexOf("${{", at - 1);
  if (open >= 0 && open + 3 <= at) {
    const hole = holes(value).find((h) => h.from === open + 3);
    if (hole === undefined || at <= hole.to) return { text: value.slice(open + 3, at), from: open + 3 };
  }
  return bare && holes(value).length === 0 ? { text: value.slice(0, at), from: 0 } : null;
}

/** What ends where a value is to begin, or in the middle of a name. */
const OPEN = /(^|[.([{,+\-*/%<>=!&|?:]\s*|[A-Za-z_]\w*|\bin\s+)$/;

/** A text that may hold expressions, with what can be written offered, and what it stood for last. */
export function ExpressionInput({ path, value, onChange, bare = false, label, placeholder, rows, over, quoted = false, evaluated = value }: Props): ReactElement {
  const area = useRef<HTMLTextAreaElement>(null);
  const list = useId();
  const [shown, setShown] = useState<{ items: readonly Offer[]; from: number; at: number; chosen: number } | null>(null);
  const model = useStudio((s) => s.model);
  const types = useStudio((s) => s.types);
  const expression = bare ? value.trim() : wholeExpression(value);
  const about = { path, text: evaluated ?? "", bare, over };
  const told = usePreview(about);
  const silent = useSilent(about);
  const seen = silent === null ? told : null;

  const cursor = useRef<number | null>(null);
  const taker = useTaker(path, label, (part) => {
    const at = quoted ? Math.min(cursor.current ?? value.length, value.length - 1) : cursor.current;
    const now = taken(value, at, quoted ? JSON.stringify(part).slice(1, -1) : part, bare);
    cursor.current = now.at;
    onChange(now.text);
  });

  const look = (text: string, at: number, asked = false): void => {
    const inside = expressionAt(text, at, bare);
    // Behind a whole value nothing is offered unasked: Tab and Enter would take it.
    if (inside === null || (!asked && !OPEN.test(inside.text))) return setShown(null);
    const found = offers(model, types, path, inside.text, outputFor, over);
    const typed = inside.text.slice(found.from).toLowerCase();
    const items = found.items.filter((o) => o.label.toLowerCase().startsWith(typed) && o.label.toLowerCase() !== typed).slice(0, 40);
    setShown(items.length === 0 ? null : { items, from: inside.from + found.from, at, chosen: 0 });
  };

  const take = (offer: Offer): void => {
    if (shown === null) return;
    const text = value.slice(0, shown.from) + offer.label + value.slice(shown.at);
    const at = shown.from + offer.label.length;
    onChange(text);
    setShown(null);
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(at, at);
    });
  };

  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (shown === null) {
      if (event.key === " " && event.ctrlKey) {
        event.preventDefault();
        look(value, event.currentTarget.selectionStart, true);
      }
      return;
    }
    const move = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (move !== 0) {
      event.preventDefault();
      setShown({ ...shown, chosen: (shown.chosen + move + shown.items.length) % shown.items.length });
    } else if (event.key === "Enter" || event.key === "Tab") {
      event.preventDefault();
      take(shown.items[shown.chosen]!);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      setShown(null);
    }
  };

  return (
    <div className={`expression${bare || expression !== null ? " is-expression" : ""}`} {...taker}>
      <textarea
        ref={area} value={value} rows={rows ?? Math.min(8, Math.max(1, value.split("\n").length + (value.length > 46 ? 1 : 0)))} spellCheck={false} aria-label={label} placeholder={placeholder}
        aria-autocomplete="list" {...(shown === null ? {} : { "aria-controls": list, "aria-activedescendant": `${list}-${shown.chosen}` })}
        onChange={(e) => { onChange(e.target.value); look(e.target.value, e.target.selectionStart); }}
        onKeyDown={onKey} onBlur={(e) => { cursor.current = e.currentTarget.selectionStart; setTimeout(() => setShown(null), 150); }}
        onClick={(e) => { if (shown !== null) look(value, e.currentTarget.selectionStart); }}
      />
      {shown !== null && (
        <ul className="offers" role="listbox" aria-label="What can be written here" id={list} tabIndex={0}>
          {shown.items.map((offer, i) => (
            <li key={offer.label} id={`${list}-${i}`} role="option" aria-selected={i === shown.chosen} onMouseDown={(e) => { e.preventDefault(); take(offer); }}>
              <b>{offer.label}</b><small>{offer.detail}</small>
            </li>
          ))}
        </ul>
      )}
      {told !== null && silent !== null && <output className="seen seen-none">{silent} has given nothing in this run</output>}
      {seen?.ok === true && <output className="seen" title={`${seen.kind}, over the data of the latest run\n${seen.text}${seen.size > seen.text.length ? "…" : ""}`}>= {seen.text.length > 160 ? `${seen.text.slice(0, 160)}…` : seen.text}</output>}
      {seen?.ok === false && <output className="seen seen-bad" title="Over the data of the latest run">{seen.error}</output>}
    </div>
  );
}
