/** The ports of a node, and whether a line between two of them makes sense. */
import { whyNotConnect } from "./operations";
import type { Model, NodeView } from "./blueprint";
import { fieldsOf, mismatch, typeOfName, type Schema, type Types } from "./schemas";

const ANY: Schema = {};

/** The schema of what a node gives as a whole. */
export function outputOf(node: NodeView, types: Types): Schema {
  if (node.repeat?.kind === "map") return { type: "array" };
  if (node.kind === "branch") return { type: "object", properties: { route: { type: "string" } } };
  if (node.kind === "wait" && node.type === "approval") {
    return { type: "object", properties: { approved: { type: "boolean" }, by: { type: "string" }, at: { type: "string" }, comment: { type: "string" }, fields: { type: "object" } } };
  }
  if (node.kind !== "uses") return ANY;
  return typeOfName(types, node.type)?.result ?? ANY;
}

export function fieldSchema(node: NodeView, field: string, types: Types): Schema {
  const whole = outputOf(node, types);
  return field === "" ? whole : (fieldsOf(whole)[field] ?? ANY);
}

export function parameterSchema(node: NodeView, name: string, types: Types): Schema {
  if (name === "map") return { type: ["array", "object"] };
  return typeOfName(types, node.type)?.parameters.find((p) => p.name === name)?.schema ?? ANY;
}

/** Why a line cannot be drawn; null if it can. */
export function whyNot(model: Model, types: Types, source: string, fromPort: string, target: string, toPort: string): string | null {
  const refused = whyNotConnect(model, source, target);
  if (refused !== null) return refused;
  const from = model.nodes.get(source)!;
  const to = model.nodes.get(target)!;
  if (toPort === "" || fromPort === "error" || from.routes.includes(fromPort)) return null;
  const reason = mismatch(fieldSchema(from, fromPort, types), parameterSchema(to, toPort, types));
  return reason === null ? null : `'${from.id}${fromPort === "" ? "" : `.${fromPort}`}' does not fit '${toPort}': ${reason}`;
}

/** Fields of an output that a parameter could take, the likeliest first; empty for all of it. */
export function fitting(model: Model, types: Types, source: string, target: string): { fromPort: string; toPort: string } | null {
  const from = model.nodes.get(source)!;
  const to = model.nodes.get(target)!;
  const type = typeOfName(types, to.type);
  const open = (type?.parameters ?? []).filter((p) => !p.expression && !to.parameters.includes(p.name)).sort((a, b) => Number(b.required) - Number(a.required));
  const whole = outputOf(from, types);
  for (const parameter of open.filter((p) => p.required)) {
    for (const [field, schema] of Object.entries(fieldsOf(whole))) {
      const same = "type" in schema && "type" in parameter.schema && mismatch(schema, parameter.schema) === null;
      if (same && schema["type"] === parameter.schema["type"]) return { fromPort: field, toPort: parameter.name };
    }
    if (mismatch(whole, parameter.schema) === null) return { fromPort: "", toPort: parameter.name };
  }
  return null;
}
