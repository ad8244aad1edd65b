import { Play, X } from "lucide-react";
import { useState, type ReactElement, type SyntheticEvent } from "react";
import { create } from "zustand";
import { execute } from "../app/run";
import { tell, useStudio } from "../app/store";
import { useDebug } from "../app/debug";
import { whyNotPinned } from "../model/pins";
import { InputFields, missing, type Given } from "./InputFields";
import { useModal } from "./modal";

interface Wish {
  readonly until?: string;
  readonly only?: string;
  readonly paused?: boolean;
}

const useWish = create<{ wish: Wish | null }>(() => ({ wish: null }));

/** Run, after asking for inputs where there are any to give. */
export function requestRun(wish: Wish = {}): void {
  const { model, problems, checked, info } = useStudio.getState();
  if (info?.role === "viewer") return tell("you may look, and not run anything here", "bad");
  if (model.troubles.length > 0) return tell(`this cannot run: ${model.troubles[0]!.message}`, "bad");
  if (checked === model.text && problems.length > 0 && wish.until === undefined && wish.only === undefined) return tell(`this cannot run yet: ${problems[0]!.message}`, "bad");
  if (model.top.length === 0) return tell("there is nothing to run yet: add a node", "bad");
  const pinned = Object.keys(useDebug.getState().pins).filter((path) => whyNotPinned(model, path) === null);
  if (pinned.length > 0) tell(`${pinned.join(", ")}: pinned data instead of running`);
  if (model.head.inputs.length === 0) return void execute({ inputs: {}, ...wish });
  useWish.setState({ wish });
}

export function InputsDialog(): ReactElement | null {
  const wish = useWish((s) => s.wish);
  return wish === null ? null : <Form wish={wish} onClose={() => useWish.setState({ wish: null })} />;
}

function remembered(id: string): Record<string, unknown> {
  try {
    return JSON.parse(sessionStorage.getItem(`inputs:${id}`) ?? "{}") as Record<string, unknown>;
  } catch {
    return {};
  }
}

function Form({ wish, onClose }: { readonly wish: Wish; readonly onClose: () => void }): ReactElement {
  const head = useStudio((s) => s.model.head);
  const [values, setValues] = useState<Given>(() => remembered(head.id));
  const ref = useModal<HTMLDivElement>(onClose);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const wanting = missing(head.inputs, values);
    if (wanting !== null) return tell(wanting, "bad");
    const known = Object.fromEntries(head.inputs.filter((i) => values[i.name] !== undefined).map((i) => [i.name, values[i.name]]));
    sessionStorage.setItem(`inputs:${head.id}`, JSON.stringify(known));
    onClose();
    void execute({ inputs: known, ...wish });
  };
  return (
    <div className="veil" onMouseDown={(e) => { if (e.target === e.currentTarget) onClose(); }}>
      <div className="dialog" role="dialog" aria-modal="true" aria-label="Inputs of the run" ref={ref}><form onSubmit={submit}>
        <header><h2>Run {head.name || head.id}</h2><button type="button" className="icon" aria-label="Close" onClick={onClose}><X /></button></header>
        <div className="dialog-body">
          <InputFields inputs={head.inputs} values={values} onChange={setValues} />
        </div>
        <footer>{wish.paused && <small>It starts paused: step through it.</small>}<button type="button" onClick={onClose}>Cancel</button><button className="primary" type="submit"><Play />Run</button></footer>
      </form></div>
    </div>
  );
}
