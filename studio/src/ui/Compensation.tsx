import { Trash2 } from "lucide-react";
import { useId, useMemo, type ReactElement } from "react";
import { typeOfName } from "../model/schemas";
import { addingOf, chooseUndoing, setField, useStudio } from "../app/store";
import { DataInput } from "./Field";
import { TypeParameters } from "./Parameters";
import { problemAt, type Found } from "./problems";
import { SchemaForm } from "./SchemaForm";

const AT = ["compensate"] as const;

/** The node that undoes this one when the run fails later. */
export function Compensation({ path, value, problems }: { readonly path: string; readonly value: unknown; readonly problems: readonly Found[] }): ReactElement {
  const types = useStudio((s) => s.types);
  const id = useId();
  const own = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const uses = typeof own["uses"] === "string" ? own["uses"] : "";
  const type = typeOfName(types, uses);
  const names = useMemo(() => [...types.keys()].sort(), [types]);
  const choose = (name: string): void => {
    const chosen = types.get(name);
    if (chosen !== undefined) chooseUndoing(path, addingOf(chosen).body);
    else setField(path, AT, undefined);
  };
  const problem = problemAt(problems, ["compensate", "uses"]);
  return (
    <fieldset>
      <legend>Undone by</legend>
      <div className="field">
        <div className="route-head">
          <select id={id} aria-label="Undone by" value={type?.name ?? uses} onChange={(e) => choose(e.target.value)}>
            <option value="">{value === undefined ? "nothing" : "a node of another kind"}</option>
            {uses !== "" && type === undefined && <option value={uses}>{uses}</option>}
            {names.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
          {value !== undefined && <button className="icon" aria-label="Undo it no more" title="Remove" onClick={() => setField(path, AT, undefined)}><Trash2 /></button>}
        </div>
        {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
        <p className="help">{type?.description ?? "When the run fails or is cancelled later, the last completed nodes are undone first."}</p>
      </div>
      {value !== undefined && uses === "" && <DataInput name="compensate" value={value} onChange={(v) => setField(path, AT, v)} path={path} />}
      {uses !== "" && (
        <>
          <TypeParameters type={type} path={path} at={[...AT, "with"]} given={(own["with"] ?? {}) as Record<string, unknown>} problems={problems} />
          <SchemaForm bare form="compensation" path={path} at={AT} value={own} />
          <SchemaForm form="retry" path={path} at={[...AT, "retry"]} value={own["retry"]} />
        </>
      )}
    </fieldset>
  );
}
