/** Names that are given in forms. */

/** Why a name cannot be given to something new, such as a route; null where it can. */
export function whyNotName(name: string, taken: readonly string[], what: string): string | null {
  if (name.trim() === "") return `the ${what} needs a name`;
  if (!/^[a-z_][a-z0-9_]*$/i.test(name)) return `'${name}' cannot be the name of ${what === "input" ? "an" : "a"} ${what}: letters, digits and _, and no digit first`;
  return taken.includes(name) ? `there is already ${what === "input" ? "an" : "a"} ${what} '${name}'` : null;
}

/** Why a blueprint cannot have an id; null where it can. */
export function whyNotBlueprintId(id: string): string | null {
  if (id === "") return "a blueprint needs an id";
  if (id.includes("/")) return "an id has no '/': folders are not part of it; write - instead";
  return /^[a-z0-9][a-z0-9-]{0,63}$/.test(id) ? null : "an id is small letters, digits and -, begins with a letter or digit, and has at most 64";
}

/** An id like this one that nothing has yet: `report`, then `report-2`. */
export function freeId(id: string, taken: readonly string[]): string {
  const stem = id.replace(/-\d+$/, "");
  for (let n = 2; ; n++) if (!taken.includes(`${stem}-${n}`)) return `${stem}-${n}`;
}
