import {
  Archive, ArchiveRestore, ArrowDownUp, Ban, Binary, Box, Boxes, Braces, CalendarClock, CalendarPlus, CircleHelp, ClipboardCheck, Clock, Cloud, CloudDownload, CloudUpload, CodeXml, Combine, Contrast, Copy, Crop, Database, Droplets, FileOutput,
  FileSearch, FileText, FilterX, Filter, Files, Fingerprint, Globe, GitBranch, Hourglass, Image as ImageIcon, ImageUp, Inbox, KeyRound, Layers, ListFilter, Mail, Map as MapIcon,
  MessageSquareText, Move, PencilLine, Plug, Radio, Repeat, Replace, RotateCw, Rows3, Scaling, Scissors, ServerCog, Sigma, Sheet, Sparkles, Stamp, Table2, Terminal, TextQuote, TextSearch, Trash2, Webhook, Workflow,
  type LucideIcon,
} from "lucide-react";
import type { NodeView } from "../model/blueprint";
import { typeOfName, type Types } from "../model/schemas";
import { PICTURES } from "./pictures";

const TYPES: Readonly<Record<string, LucideIcon>> = {
  "data.aggregate": Sigma, "data.edit": PencilLine, "data.filter": ListFilter, "data.flatten": Rows3, "data.group": Combine,
  "data.map": MapIcon, "data.reduce": Filter, "data.slice": Scissors, "data.sort": ArrowDownUp, "data.unique": FilterX,
  "data.value": Box, "file.copy": Copy, "file.delete": Trash2, "file.exists": FileSearch, "file.list": Files,
  "file.move": Move, "file.read": FileText, "file.write": FileOutput, "flow.fail": Ban, "flow.log": MessageSquareText,
  "http.request": Globe, "json.format": Braces, "json.parse": Braces, "sheet.read": Table2, "sheet.write": Sheet,
  "shell.run": Terminal, "text.template": TextQuote, "text.split": Scissors, "text.join": Combine, "text.match": TextSearch,
  "text.replace": Replace, "date.now": Clock, "date.add": CalendarPlus, "archive.unzip": ArchiveRestore,
  "s3.get": CloudDownload, "s3.put": CloudUpload, "image.resize": Scaling, "image.convert": ImageUp, "image.crop": Crop, "image.rotate": RotateCw, "image.compose": Layers,
  "image.watermark": Stamp, "image.grayscale": Contrast, "image.blur": Droplets,
};
const CATEGORIES: Readonly<Record<string, LucideIcon>> = {
  data: Binary, file: FileText, flow: Workflow, http: Globe, json: Braces, sheet: Sheet, shell: Terminal,
  text: TextQuote, csv: Table2, yaml: Braces, xml: CodeXml, html: CodeXml, hash: Fingerprint, crypto: KeyRound, date: CalendarClock,
  archive: Archive, image: ImageIcon, webhook: Webhook, mail: Mail, s3: Cloud, sftp: ServerCog, ftp: ServerCog, queue: Inbox, llm: Sparkles, mcp: Plug, sql: Database, python: CodeXml,
};

export interface Look {
  readonly icon: LucideIcon;
  /** Names the colour, in the style sheet. */
  readonly hue: string;
}

const HUES = new Set(["data", "file", "flow", "http", "json", "sheet", "shell"]);
/** Families that share the colour of another one, which is about the same. */
const KIN: Readonly<Record<string, string>> = {
  text: "json", csv: "sheet", yaml: "json", xml: "json", html: "json", hash: "data", crypto: "data", date: "data",
  archive: "file", image: "file", webhook: "http", mail: "http", s3: "file", sftp: "file", ftp: "file", queue: "http", llm: "http", mcp: "http", sql: "sheet", python: "shell",
};

/** How a type looks; one of somebody's own by the icon it names, if we have that. */
export function lookOfType(name: string, icon = ""): Look {
  const category = name.split(".")[0] ?? "";
  return { icon: TYPES[name] ?? PICTURES[icon] ?? CATEGORIES[category] ?? Boxes, hue: HUES.has(category) ? category : KIN[category] ?? "own" };
}

export function lookOf(node: NodeView, types?: Types): Look {
  switch (node.kind) {
    case "branch": return { icon: GitBranch, hue: "control" };
    case "group": return { icon: node.repeat === null ? Layers : Repeat, hue: "control" };
    case "call": return { icon: Workflow, hue: "control" };
    case "wait": return { icon: { approval: ClipboardCheck, signal: Radio, for: Clock }[node.type] ?? Hourglass, hue: "wait" };
    case "uses": return lookOfType(node.type.replace(/@\d+$/, ""), types && typeOfName(types, node.type)?.icon);
    default: return { icon: CircleHelp, hue: "own" };
  }
}

/** What a node does, in a few words. */
export function subtitle(node: NodeView): string {
  switch (node.kind) {
    case "branch": return "Branch";
    case "group": return node.repeat?.kind === "map" ? "For each" : node.repeat?.kind === "loop" ? "Loop" : "Group";
    case "call": return `Run ${node.type}`;
    case "wait": return { approval: "Approval", signal: "Wait for a signal", for: "Pause", until: "Wait until" }[node.type] ?? "Wait";
    default: return node.type || "no type";
  }
}
