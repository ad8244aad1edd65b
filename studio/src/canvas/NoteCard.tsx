import type { NodeProps } from "@xyflow/react";
import { memo, useEffect, useRef, type ReactElement } from "react";
import type { Note } from "../model/blueprint";
import { mayChange, startWriting, useStudio, writeNote } from "../app/store";

export interface NoteData extends Record<string, unknown> {
  readonly note: Note;
}

export const noteId = (index: number): string => `note:${index}`;
/** The number of a note of the canvas; null for anything else, since no node is called like one. */
export const noteOf = (id: string): number | null => (id.startsWith("note:") ? Number(id.slice(5)) : null);

export const NoteCard = memo(function NoteCard({ data, selected }: NodeProps): ReactElement {
  const { note } = data as NoteData;
  const writing = useStudio((s) => s.writing === note.index);
  return (
    <div className={`note${selected ? " selected" : ""}`} data-note={note.index} onDoubleClick={() => { if (mayChange()) startWriting(note.index); }}>
      {writing ? <Writing note={note} /> : <p>{note.text}</p>}
    </div>
  );
});

function Writing({ note }: { readonly note: Note }): ReactElement {
  const area = useRef<HTMLTextAreaElement>(null);
  const done = useRef(false);
  useEffect(() => {
    // The canvas gives the focus to what was added; a moment later it stays here.
    const timer = setTimeout(() => { area.current?.focus(); area.current?.select(); }, 40);
    return () => clearTimeout(timer);
  }, []);
  const end = (text: string): void => {
    if (done.current) return;
    done.current = true;
    writeNote(note.index, text);
  };
  return (
    <textarea
      ref={area} className="nodrag nowheel" aria-label="Text of the note" defaultValue={note.text} rows={Math.max(2, note.text.split("\n").length + 1)}
      onBlur={(e) => end(e.currentTarget.value)}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === "Escape" || (e.key === "Enter" && (e.ctrlKey || e.metaKey))) { e.preventDefault(); end(e.currentTarget.value); }
      }}
    />
  );
}
