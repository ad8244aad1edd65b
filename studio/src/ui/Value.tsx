import { useMemo, useState, type ReactElement } from "react";
import { ChevronDown, ChevronRight, Copy } from "lucide-react";
import { partOf } from "../model/given";
import { tell } from "../app/store";
import { Part } from "./Part";

type Show = "tree" | "table" | "text" | "image";

const IMAGES: readonly [string, string][] = [["iVBORw0KGgo", "image/png"], ["/9j/", "image/jpeg"], ["R0lGOD", "image/gif"], ["UklGR", "image/webp"]];

/** The address of an image that is in a value, as Base64. */
export function imageOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const data = /^data:(image\/(?:png|jpeg|gif|webp));base64,[A-Za-z0-9+/=]+$/.exec(value);
  if (data !== null) return value;
  const kind = IMAGES.find(([start]) => value.startsWith(start))?.[1];
  return kind !== undefined && value.length > 60 && /^[A-Za-z0-9+/=]+$/.test(value) ? `data:${kind};base64,${value}` : null;
}

function findImage(value: unknown): string | null {
  const own = imageOf(value);
  if (own !== null || typeof value !== "object" || value === null) return own;
  for (const inner of Object.values(value).slice(0, 20)) {
    const found = imageOf(inner);
    if (found !== null) return found;
  }
  return null;
}

/** The rows that a value could be shown as: itself, or the one list in it. */
function rowsOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value.length > 0 ? (value as unknown[]) : null;
  if (typeof value !== "object" || value === null) return null;
  const lists = Object.values(value).filter((v) => Array.isArray(v) && v.length > 0 && typeof v[0] === "object") as unknown[][];
  return lists.length === 1 ? lists[0]! : null;
}

interface Props {
  readonly value: unknown;
  /** How expressions call it, where parts of it can be taken into a field. */
  readonly from?: string;
  /** How it is shown at first, instead of as fits it best. */
  readonly first?: Show;
}

export function Value({ value, from, first }: Props): ReactElement {
  const image = useMemo(() => findImage(value), [value]);
  const rows = useMemo(() => rowsOf(value), [value]);
  const best: Show = first ?? (image !== null ? "image" : rows !== null && typeof rows[0] === "object" && (Array.isArray(value) || Object.keys(value as object).length <= 2) ? "table" : typeof value === "string" ? "text" : "tree");
  const [asked, setAsked] = useState<Show | null>(null);
  const possible: Show[] = ["tree", ...(rows === null ? [] : (["table"] as const)), "text", ...(image === null ? [] : (["image"] as const))];
  const shown = asked !== null && possible.includes(asked) ? asked : best;
  const text = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  return (
    <div className="value">
      <div className="value-bar">
        <div className="segments" role="group" aria-label="Shown as">
          {possible.map((name) => <button key={name} aria-pressed={shown === name} onClick={() => setAsked(name)}>{name}</button>)}
        </div>
        <button className="icon" aria-label="Copy the value" title="Copy" onClick={() => { void navigator.clipboard.writeText(text).then(() => tell("copied")); }}><Copy /></button>
      </div>
      <div className="value-body" tabIndex={0}>
        {shown === "tree" && <Tree name="" value={value} depth={0} from={from} />}
        {shown === "table" && rows !== null && <Table rows={rows} />}
        {shown === "text" && <pre>{text.length > 200_000 ? `${text.slice(0, 200_000)}\n… ${(text.length - 200_000).toLocaleString()} characters more` : text}</pre>}
        {shown === "image" && image !== null && <img src={image} alt="What the node gave" />}
      </div>
    </div>
  );
}

const PAGE = 100;

interface Branch {
  readonly name: string;
  readonly value: unknown;
  readonly depth: number;
  readonly from: string | undefined;
}

export function Tree({ name, value, depth, from }: Branch): ReactElement {
  const [open, setOpen] = useState(depth < 2);
  const [most, setMost] = useState(PAGE);
  const taken = from === undefined ? null : <Part name={name === "" ? from : name} expression={from} />;
  const label = taken ?? (name === "" ? null : <span className="tree-key">{name}</span>);
  if (typeof value !== "object" || value === null) {
    return <div className="tree-leaf">{label}<span className={`v-${value === null ? "null" : typeof value}`}>{typeof value === "string" ? JSON.stringify(value.length > 2000 ? `${value.slice(0, 2000)}…` : value) : String(value)}</span></div>;
  }
  const entries = Object.entries(value);
  const kind = Array.isArray(value) ? `${entries.length} ${entries.length === 1 ? "item" : "items"}` : `{${entries.slice(0, 4).map(([k]) => k).join(", ")}${entries.length > 4 ? ", …" : ""}}`;
  const fold = { "aria-expanded": open, onClick: () => setOpen(!open) };
  const arrow = open ? <ChevronDown /> : <ChevronRight />;
  return (
    <div className="tree-node">
      {taken === null
        ? <button className="tree-open" {...fold}>{arrow}{label}<small>{kind}</small></button>
        : <div className="tree-row"><button className="tree-open" aria-label={`${open ? "fold" : "unfold"} ${name === "" ? from : name}`} {...fold}>{arrow}</button>{taken}<small>{kind}</small></div>}
      {open && (
        <div className="tree-inner">
          {entries.slice(0, most).map(([key, inner]) => <Tree key={key} name={key} value={inner} depth={depth + 1} from={from === undefined ? undefined : partOf(from, Array.isArray(value) ? Number(key) : key)} />)}
          {entries.length > most && <button className="more" onClick={() => setMost(most + 10 * PAGE)}>{(entries.length - most).toLocaleString()} more</button>}
        </div>
      )}
    </div>
  );
}

function Table({ rows }: { readonly rows: readonly unknown[] }): ReactElement {
  const [most, setMost] = useState(PAGE);
  const columns = useMemo(() => {
    const found = new Set<string>();
    for (const row of rows.slice(0, 200)) if (typeof row === "object" && row !== null) for (const key of Object.keys(row)) found.add(key);
    return [...found].slice(0, 40);
  }, [rows]);
  const cell = (v: unknown): string => (typeof v === "string" ? v : v === undefined ? "" : JSON.stringify(v)).slice(0, 300);
  // The head of a column stands as its numbers do.
  const numeric = (column: string): string => (rows.slice(0, 200).every((row) => typeof (row as Record<string, unknown> | null)?.[column] === "number") ? "number" : "");
  return (
    <>
      <table>
        <thead><tr><th scope="col">#</th>{columns.length === 0 ? <th scope="col">value</th> : columns.map((c) => <th scope="col" key={c} className={numeric(c)}>{c}</th>)}</tr></thead>
        <tbody>
          {rows.slice(0, most).map((row, i) => (
            <tr key={i}><td className="index">{i}</td>{columns.length === 0 ? <td>{cell(row)}</td> : columns.map((c) => <td key={c} className={typeof (row as Record<string, unknown> | null)?.[c] === "number" ? "number" : ""}>{cell((row as Record<string, unknown> | null)?.[c])}</td>)}</tr>
          ))}
        </tbody>
      </table>
      {rows.length > most && <button className="more" onClick={() => setMost(most + 10 * PAGE)}>{(rows.length - most).toLocaleString()} more rows</button>}
    </>
  );
}
