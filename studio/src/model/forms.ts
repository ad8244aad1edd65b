/** The forms of what a blueprint says: one table. Kinds of values, choices and hints come from the schema of the format. */
import { aboutOf, definitionOf, resolved, schemasAt } from "./format";
import { kindsOf, type Schema } from "./schemas";
import type { Key, Path } from "./yaml";

/** How a value is asked for. */
export type Control = "text" | "number" | "boolean" | "choice" | "data" | "duration" | "codes" | "condition" | "expression" | "count" | "declarations";

interface Row {
  /** Where it is in the form: `attempts`, or `approval.title`. */
  readonly key: string;
  /** Stands beside the one before. */
  readonly beside?: true;
  readonly as?: Control;
  readonly required?: true;
  /** What holds without it. */
  readonly fallback?: unknown;
  readonly placeholder?: string;
  /** Instead of what the schema says. */
  readonly hint?: string;
  /** Is there only with one of these kinds. */
  readonly of?: readonly string[];
  /** Is shown where one asks for more, or where it is said. */
  readonly rare?: true;
}

/** One of several keys, of which there is exactly one. */
export interface KindOf {
  readonly key: string;
  readonly words: string;
  /** What it begins with. */
  readonly sample: unknown;
}

export interface Form {
  readonly legend: string;
  /** Where its schema is, such as that of any node. */
  readonly schema: Path;
  readonly kinds?: { readonly label: string; readonly of: readonly KindOf[] };
  readonly rows: readonly Row[];
}

const ANY = ["nodes", "any"] as const;
const trigger = (kind: string): Path => ["triggers", 0, kind];

export const FORMS = {
  retry: {
    legend: "Tries",
    schema: [...ANY, "retry"],
    rows: [
      { key: "attempts", fallback: 1 }, { key: "delay", beside: true, fallback: "1s" },
      { key: "factor", rare: true, fallback: 2 }, { key: "max_delay", rare: true, beside: true, fallback: "1m" },
      { key: "jitter", rare: true, fallback: 0.1 },
      { key: "on", rare: true, placeholder: "TIMEOUT, HTTP_STATUS" }, { key: "not_on", rare: true, placeholder: "INVALID_INPUT" },
    ],
  },
  loop: {
    legend: "Again and again",
    schema: [...ANY, "loop"],
    kinds: { label: "How often", of: [
      { key: "until", words: "until something holds", sample: "index >= 2" }, { key: "while", words: "while something holds", sample: "index < 3" }, { key: "times", words: "a number of times", sample: 3 },
    ] },
    rows: [
      { key: "until", of: ["until"], required: true }, { key: "while", of: ["while"], required: true },
      { key: "times", of: ["times"], required: true, as: "count", hint: "A number, or an expression that gives one." },
      { key: "start", as: "data", hint: "What acc is in the first turn; afterwards it is what the turn before gave." },
      { key: "max", fallback: 1000 }, { key: "delay", beside: true, fallback: "none" },
    ],
  },
  wait: {
    legend: "Wait",
    schema: [...ANY, "wait"],
    kinds: { label: "For what", of: [
      { key: "approval", words: "a person who says yes or no", sample: { title: "May this go on?" } }, { key: "signal", words: "a signal from outside", sample: "go" },
      { key: "for", words: "some time", sample: "10s" }, { key: "until", words: "a moment", sample: "2030-01-01T00:00:00Z" },
    ] },
    rows: [
      { key: "for", of: ["for"], required: true, as: "expression", placeholder: "10s", hint: "10s, 5m, 2h, 1d; or an expression in ${{ }} that gives a duration or seconds." },
      { key: "until", of: ["until"], required: true, as: "condition", placeholder: "2030-01-01T00:00:00Z", hint: "With its zone, Z or +02:00; or an expression that gives a moment." },
      { key: "signal", of: ["signal"], required: true, placeholder: "paid" },
      { key: "match", of: ["signal"], placeholder: "any: payload.amount > 5" },
      { key: "approval.title", of: ["approval"], as: "expression", hint: "What is asked; may hold ${{ expressions }}." },
      { key: "approval.description", of: ["approval"], as: "expression" },
      { key: "approval.fields", of: ["approval"], as: "declarations", hint: "What the person fills in beside yes or no." },
      { key: "timeout", of: ["signal", "approval"], hint: "After this long the wait fails." },
    ],
  },
  map: {
    legend: "For each item",
    schema: ANY,
    rows: [
      { key: "map", required: true, as: "expression", hint: "The list, or an object." },
      { key: "as", fallback: "item" }, { key: "concurrency", beside: true, placeholder: "all" }, { key: "on_item_error", fallback: "fail" },
    ],
  },
  time: { legend: "Time", schema: ANY, rows: [{ key: "timeout", hint: "Of one try: 10s, 5m." }, { key: "deadline", beside: true, hint: "Of all tries." }] },
  place: { legend: "Where it runs", schema: ANY, rows: [{ key: "runtime", hint: "Without it as the node type says." }, { key: "weight", beside: true, fallback: 1 }] },
  compensation: { legend: "Undone by", schema: [...ANY, "compensate"], rows: [{ key: "when_failed", fallback: false }, { key: "timeout", hint: "Of one try: 10s, 5m." }, { key: "deadline", beside: true, hint: "Of all tries." }] },
  webhook: {
    legend: "Webhook",
    schema: trigger("webhook"),
    rows: [
      { key: "path", required: true }, { key: "method", fallback: "POST" }, { key: "respond", beside: true, fallback: "accepted" },
      { key: "secret" }, { key: "rate", placeholder: "100/1m" },
    ],
  },
  schedule: {
    legend: "Schedule",
    schema: trigger("schedule"),
    rows: [{ key: "cron", required: true, placeholder: "0 7 * * *" }, { key: "timezone", fallback: "UTC", hint: "Such as Europe/Berlin." }, { key: "overlap", fallback: "skip" }, { key: "catch_up", beside: true, fallback: 0 }],
  },
  event: { legend: "Event", schema: trigger("event"), rows: [{ key: "type", required: true, placeholder: "order.created" }, { key: "blueprint" }] },
  watch: { legend: "Watched folder", schema: trigger("watch"), rows: [{ key: "path", required: true }, { key: "pattern", beside: true, fallback: "*" }] },
  limits: {
    legend: "Bounds of a run",
    schema: ["limits"],
    rows: [{ key: "timeout" }, { key: "concurrency", beside: true, placeholder: "all" }, { key: "steps" }],
  },
  keeping: { legend: "On record", schema: [], rows: [{ key: "durability", fallback: "sync", hint: "sync: before anything depends on a result; async: a moment later; none: in memory." }] },
} as const satisfies Record<string, Form>;

export type FormName = keyof typeof FORMS;

/** A field of a form, as it is shown. */
export interface FormField {
  readonly at: Path;
  readonly name: string;
  readonly control: Control;
  readonly schema: Schema;
  readonly required: boolean;
  readonly fallback: unknown;
  readonly placeholder: string;
  readonly hint: string;
  readonly beside: boolean;
  readonly rare: boolean;
}

const DEFINED: Readonly<Record<string, Control>> = { duration: "duration", delay: "duration", codes: "codes", condition: "condition" };

function controlOf(schema: Schema): Control {
  const defined = DEFINED[definitionOf(schema) ?? ""];
  if (defined !== undefined) return defined;
  const whole = asked(schema);
  if (Array.isArray(whole["enum"])) return "choice";
  const kinds = kindsOf(whole);
  if (kinds === null || kinds.size !== 1) return "data";
  if (kinds.has("integer") || kinds.has("number")) return "number";
  return kinds.has("boolean") ? "boolean" : kinds.has("string") ? "text" : "data";
}

/** What a form asks for: the choice, where a schema takes one or an object that few need. */
function asked(schema: Schema): Schema {
  const whole = resolved(schema);
  const some = whole["anyOf"] as readonly Schema[] | undefined;
  const choice = some?.find((one) => Array.isArray(one["enum"]));
  return choice !== undefined && some!.every((one) => one === choice || one["type"] === "object") ? { ...choice, description: whole["description"] } : whole;
}

const noted = new Map<string, readonly FormField[]>();

/** The fields of a form, whatever the values are: those of one kind, where it has kinds. */
export function fieldsOfForm(name: FormName, kind: string | null): readonly FormField[] {
  const key = `${name} ${kind ?? ""}`;
  const found = noted.get(key);
  if (found !== undefined) return found;
  const form: Form = FORMS[name];
  const made = form.rows.filter((row) => row.of === undefined || (kind !== null && row.of.includes(kind))).map((row): FormField => {
    const at = row.key.split(".");
    const schema = schemasAt([...form.schema, ...at])[0] ?? {};
    return {
      at, name: at[at.length - 1]!, control: row.as ?? controlOf(schema), schema: asked(schema), required: row.required ?? false, fallback: row.fallback,
      placeholder: row.placeholder ?? "", hint: row.hint ?? aboutOf(schema), beside: row.beside ?? false, rare: row.rare ?? false,
    };
  });
  noted.set(key, made);
  return made;
}

/** Which of its kinds a value is; null where it is none. */
export function kindOf(name: FormName, value: unknown): string | null {
  const form: Form = FORMS[name];
  if (typeof value !== "object" || value === null) return null;
  return form.kinds?.of.find((kind) => kind.key in value)?.key ?? null;
}

/** Keys that do not belong to a kind: what is taken away when it is chosen. */
export function strangersTo(name: FormName, kind: string): string[] {
  const form: Form = FORMS[name];
  return form.rows.filter((row) => row.of !== undefined && !row.of.includes(kind)).map((row) => row.key.split(".")[0]!).filter((key, i, all) => all.indexOf(key) === i && !form.kinds!.of.some((k) => k.key === key));
}

export function valueAt(value: unknown, at: Path): unknown {
  return at.reduce<unknown>((now, key) => (typeof now === "object" && now !== null ? (now as Record<Key, unknown>)[key] : undefined), value);
}

/** A duration as it is typed: a number is one of seconds. */
export function durationOf(text: string): unknown {
  const typed = text.trim();
  return typed === "" ? undefined : /^\d+(\.\d+)?$/.test(typed) ? Number(typed) : typed;
}

/** Codes of errors as they are typed, with commas or blanks between; one is written as it was. */
export function codesOf(text: string, before: unknown): unknown {
  const codes = text.split(/[\s,]+/).filter((code) => code !== "").map((code) => code.toUpperCase());
  if (codes.length === 0) return undefined;
  return codes.length === 1 && typeof before === "string" ? codes[0] : codes;
}

/** Schedules that many want; anything else is written as five fields. */
export const SCHEDULES: readonly (readonly [string, string])[] = [
  ["* * * * *", "every minute"], ["*/5 * * * *", "every 5 minutes"], ["*/15 * * * *", "every 15 minutes"], ["0 * * * *", "every hour"],
  ["0 7 * * *", "every day at 7:00"], ["0 7 * * 1-5", "Monday to Friday at 7:00"], ["0 7 * * 1", "every Monday at 7:00"], ["0 7 1 * *", "on the first of a month at 7:00"],
];

/** What each kind of trigger begins with. */
export const TRIGGERS: readonly (KindOf & { readonly key: "webhook" | "schedule" | "event" | "watch" })[] = [
  { key: "schedule", words: "a schedule", sample: { cron: "0 7 * * *" } }, { key: "webhook", words: "a web request", sample: { path: "orders" } },
  { key: "event", words: "an event", sample: { type: "order.created" } }, { key: "watch", words: "a file in a folder", sample: { path: "inbox" } },
];

