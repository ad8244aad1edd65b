/** What is wrong, at a place of the blueprint. */
import { useMemo } from "react";
import type { Path } from "../model/yaml";
import { useStudio } from "../app/store";

export interface Found {
  /** From the place on; empty for the place itself. */
  readonly at: string;
  readonly message: string;
}

/** A path as problems name it: `nodes.a.retry`, `triggers[0].schedule`. */
export function nameOf(path: Path): string {
  return path.reduce<string>((made, key) => (typeof key === "number" ? `${made}[${key}]` : made === "" ? key : `${made}.${key}`), "");
}

/** The problems at a place and in it; those of nodes inside of a node are theirs. */
export function useProblems(path: Path): readonly Found[] {
  const problems = useStudio((s) => s.problems);
  const start = nameOf(path);
  return useMemo(() => problems.flatMap(({ path: where, message, hint }) => {
    const rest = where === start ? "" : where?.startsWith(`${start}.`) ? where.slice(start.length + 1) : null;
    if (rest === null || (rest.startsWith("nodes.") && start !== "")) return [];
    return [{ at: rest, message: hint ? `${message} — ${hint}` : message }];
  }), [problems, start]);
}

/** The first problem of a value, or of what is in it. */
export function problemAt(problems: readonly Found[], at: Path): string | undefined {
  const name = nameOf(at);
  return problems.find((p) => p.at === name || p.at.startsWith(`${name}.`) || p.at.startsWith(`${name}[`))?.message;
}
