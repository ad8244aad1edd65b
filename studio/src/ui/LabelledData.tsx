import type { ReactElement } from "react";
import { DataInput } from "./Field";
import { Words } from "./Words";

interface Props {
  readonly path?: string;
  readonly label: string;
  readonly value: unknown;
  readonly onChange: (v: unknown) => void;
  readonly help?: string;
  readonly problem?: string | undefined;
}

/** Any value, with its name and what it is for. */
export function LabelledData({ label, value, onChange, path, help = "", problem }: Props): ReactElement {
  return (
    <div className={`field${problem === undefined ? "" : " wrong"}`}>
      <div className="field-head"><span className="field-name">{label}</span></div>
      <DataInput name={label} value={value} onChange={onChange} {...(path === undefined ? {} : { path })} />
      {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
      {help !== "" && <p className="help"><Words text={help} /></p>}
    </div>
  );
}
