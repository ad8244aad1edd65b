/** Names that are given in forms. */

/** Why a name cannot be given to something new, such as a route; null where it can. */
export function whyNotName(name: string, taken: readonly string[], what: string): string | null {
  if (name.trim() === "") return `the ${what} needs a name`;
  if (!/^[a-z_][a-z0-9_]*$/i.test(name)) return `'${name}' cannot be the name of ${what === "input" ? "an" : "a"} ${what}: letters, digits and _, and no digit first`;
  return taken.includes(name) ? `there is already ${what === "input" ? "an" : "a"} ${what} '${name}'` : null;
}
