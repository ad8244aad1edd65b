import type { ReactElement } from "react";
import type { NodeType } from "../model/schemas";
import type { Path } from "../model/yaml";
import { setField } from "../app/store";
import { Field } from "./Field";
import { problemAt, type Found } from "./problems";

interface Props {
  readonly type: NodeType | undefined;
  readonly path: string;
  /** Where they stand in the node: `with`, or that of what undoes it. */
  readonly at: Path;
  readonly given: Readonly<Record<string, unknown>>;
  readonly problems: readonly Found[];
}

/** A field for each parameter of a node type, and for what is given beyond. */
export function TypeParameters({ type, path, at, given, problems }: Props): ReactElement {
  const known = new Set(type?.parameters.map((p) => p.name));
  const change = (name: string) => (v: unknown): void => setField(path, [...at, name], v);
  return (
    <>
      {type?.parameters.map((p) => (
        <Field key={p.name} path={path} name={p.name} schema={p.schema} required={p.required} expression={p.expression} {...(p.expression ? { over: listOf(given["items"]) } : {})} description={p.description} fallback={p.default} value={given[p.name]} problem={problemAt(problems, [...at, p.name])} onChange={change(p.name)} />
      ))}
      {Object.keys(given).filter((name) => !known.has(name)).map((name) => (
        <Field key={name} path={path} name={name} schema={{}} value={given[name]} problem={problemAt(problems, [...at, name])} onChange={change(name)} />
      ))}
    </>
  );
}

/** A text that gives a list, of a parameter that holds one. */
function listOf(items: unknown): string | undefined {
  if (typeof items === "string") return items;
  const text = Array.isArray(items) ? JSON.stringify(items) : "";
  return text === "" || text.includes("${{") ? undefined : `\${{ ${text} }}`;
}
