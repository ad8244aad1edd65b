import { useState, type ReactElement } from "react";
import { whyNotName } from "../model/names";
import { tell } from "../app/store";

/** A line to name something new; says why where it cannot be called that. */
export function NewName({ what, taken, onAdd }: { readonly what: string; readonly taken: readonly string[]; readonly onAdd: (name: string) => void }): ReactElement {
  const [name, setName] = useState("");
  const add = (): void => {
    const why = whyNotName(name, taken, what);
    if (why !== null) return tell(why, "bad");
    onAdd(name);
    setName("");
  };
  return (
    <form className="inline" onSubmit={(e) => { e.preventDefault(); add(); }}>
      <input aria-label={`Name of a new ${what}`} placeholder={`new ${what}`} value={name} onChange={(e) => setName(e.target.value)} /><button>Add</button>
    </form>
  );
}
