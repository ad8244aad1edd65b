/** What a blueprint needs beside itself before it can run. */
import type { Model } from "./blueprint";

/** Families of node types that speak to something outside, and what that is. */
const SERVICES: readonly (readonly [RegExp, string])[] = [
  [/^(http|webhook)\./, "a web service"], [/^mail\./, "a mail server"], [/^s3\./, "an S3 store"], [/^sftp\./, "an SFTP server"], [/^llm\./, "a language model"],
];

/** Services and secrets, in words; with the inputs that have no value yet. */
export function neededBy(model: Model): string[] {
  const types = [...model.nodes.values()].flatMap((node) => [...(node.kind === "uses" ? [node.type] : []), node.compensates]).filter((type) => type !== "");
  const found = SERVICES.filter(([family]) => types.some((type) => family.test(type))).map(([, words]) => words);
  const { secrets } = model.head;
  if (secrets.length > 0) found.push(`${secrets.length === 1 ? "the secret" : "the secrets"} ${secrets.join(", ")}`);
  return found;
}
