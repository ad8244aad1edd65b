import type { ReactElement } from "react";
import { asWords } from "../model/schemas";
import type { InputView } from "../model/blueprint";
import { Field } from "./Field";

export type Given = Readonly<Record<string, unknown>>;

interface Props {
  readonly inputs: readonly InputView[];
  readonly values: Given;
  readonly onChange: (values: Given) => void;
}

/** A field for each input of a run. */
export function InputFields({ inputs, values, onChange }: Props): ReactElement {
  return (
    <>
      {inputs.map(({ name, schema, required }) => (
        <Field key={name} plain path="" name={name} schema={schema} required={required} fallback={schema["default"]} description={asWords(schema["description"])} value={values[name]} onChange={(v) => onChange({ ...values, [name]: v })} />
      ))}
    </>
  );
}

/** What is still to be given, in words; null where nothing is. */
export function missing(inputs: readonly InputView[], values: Given): string | null {
  const open = inputs.filter((i) => i.required && values[i.name] === undefined).map((i) => i.name);
  return open.length === 0 ? null : `still to be given: ${open.join(", ")}`;
}
