/** The examples of the house, to begin with. Loaded when they are looked at. */
import { derive } from "../model/blueprint";
import { neededBy } from "../model/needed";

export interface Template {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly text: string;
  readonly types: readonly string[];
  /** What must be there before it can run, in words: services and secrets. */
  readonly needed: readonly string[];
}

const FILES = import.meta.glob<string>(
  [
    "../../../examples/studio/*.yaml", "../../../examples/approval/approval.yaml", "../../../examples/filejobs/filejobs.yaml",
    "../../../examples/orders/report.yaml", "../../../examples/checkout/checkout.yaml", "../../../examples/poll/poll.yaml",
    "../../../examples/chain/chain.yaml", "../../../src/atomiton/templates/*/*.yaml",
    "!../../../src/atomiton/templates/batch-of-calls/*", // it calls a file beside it
  ],
  { query: "?raw", import: "default" },
);

/** Every example that a server with these types can run. */
export async function templates(known: ReadonlySet<string>): Promise<Template[]> {
  const loaded = await Promise.all(Object.entries(FILES).map(async ([file, load]) => ({ file, text: await load() })));
  const found = loaded.map(({ text }) => {
    const model = derive(text, () => false);
    const comment = /^(?:#.*\n)+/.exec(text)?.[0].replace(/^# ?/gm, "").replace(/\n/g, " ").trim() ?? "";
    const types = [...new Set([...model.nodes.values()].filter((n) => n.kind === "uses").map((n) => n.type))];
    const id = model.head.id;
    const title = model.head.name || id.charAt(0).toUpperCase() + id.slice(1);
    return { id, title, about: model.head.description || comment, text, types, needed: neededBy(model) };
  });
  return found.filter((t) => t.types.every((type) => known.has(type))).sort((a, b) => Number(b.text.includes("studio-start")) - Number(a.text.includes("studio-start")));
}
