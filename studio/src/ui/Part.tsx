import type { DragEvent, FocusEvent, ReactElement } from "react";
import { useEffect, useRef } from "react";
import { typeOfName } from "../model/schemas";
import { aim, PART, useTaking, type Target } from "../app/taking";
import { setField, tell, useStudio } from "../app/store";

interface Props {
  readonly name: string;
  readonly expression: string;
}

/** A part of what came in, by name: dragged into a field, or pressed so that it goes to the field that was last worked in. */
export function Part({ name, expression }: Props): ReactElement {
  const where = useTaking((s) => s.target?.name ?? null);
  const start = (event: DragEvent): void => {
    event.dataTransfer.setData(PART, expression);
    event.dataTransfer.setData("text/plain", `\${{ ${expression} }}`);
    event.dataTransfer.effectAllowed = "copy";
  };
  return (
    <button className="tree-key part" draggable title={`${expression}: drag it into a field, or press to put it ${where === null ? "there" : `into ${where}`}`} onDragStart={start} onClick={() => put(expression)}>{name}</button>
  );
}

/** Put an expression into the field that was last worked in, or else into the first parameter that is not given yet. */
function put(expression: string): void {
  const { target } = useTaking.getState();
  if (target !== null) {
    target.take(expression);
    return tell(`${target.name} takes ${expression}`);
  }
  const { selected, model, types } = useStudio.getState();
  const [path = ""] = selected;
  const node = model.nodes.get(path);
  const free = typeOfName(types, node?.type ?? "")?.parameters.find((p) => !p.expression && !node!.parameters.includes(p.name));
  if (node?.kind !== "uses" || free === undefined) return tell("click into the field that it is to go to, or drag it there");
  setField(path, ["with", free.name], `\${{ ${expression} }}`);
  tell(`${free.name} takes ${expression}`);
}

interface Taking {
  readonly onFocus: (event: FocusEvent) => void;
  readonly onDragOver: (event: DragEvent<HTMLElement>) => void;
  readonly onDragLeave: (event: DragEvent<HTMLElement>) => void;
  readonly onDrop: (event: DragEvent<HTMLElement>) => void;
}

/** What lets a field take parts: those dropped on it, and those pressed after it was worked in. */
export function useTaker(path: string, name: string, take: (expression: string) => void): Taking {
  const latest = useRef(take);
  useEffect(() => { latest.current = take; });
  const own = useRef<Target | null>(null);
  useEffect(() => () => { if (useTaking.getState().target === own.current) aim(null); }, []);
  return {
    onFocus: () => {
      own.current ??= { path, name, take: (expression) => latest.current(expression) };
      if (useTaking.getState().target !== own.current) aim(own.current);
    },
    onDragOver: (event) => {
      if (!event.dataTransfer.types.includes(PART)) return;
      event.preventDefault();
      event.stopPropagation();
      event.dataTransfer.dropEffect = "copy";
      event.currentTarget.dataset["over"] = "";
    },
    onDragLeave: (event) => { delete event.currentTarget.dataset["over"]; },
    onDrop: (event) => {
      delete event.currentTarget.dataset["over"];
      const expression = event.dataTransfer.getData(PART);
      if (expression === "") return;
      event.preventDefault();
      event.stopPropagation();
      latest.current(expression);
    },
  };
}
