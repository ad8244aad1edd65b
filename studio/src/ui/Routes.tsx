import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import { useEffect, useState, type ReactElement } from "react";
import type { NodeView } from "../model/blueprint";
import { whyNotName } from "../model/names";
import { asWords } from "../model/schemas";
import { moveRoute, renameRoute, setField, tell } from "../app/store";
import { ExpressionInput } from "./ExpressionInput";
import { NewName } from "./NewName";
import { problemAt, type Found } from "./problems";

const MODES: readonly (readonly [string, string])[] = [["", "the first that is true"], ["all", "every one that is true"]];

/** The routes of a branch: their names, conditions and order, and how many are taken. */
export function Routes({ node, value, problems }: { readonly node: NodeView; readonly value: Readonly<Record<string, unknown>>; readonly problems: readonly Found[] }): ReactElement {
  const routes = Object.entries((value["branch"] ?? {}) as Record<string, unknown>);
  const mode = asWords(value["mode"]);
  const names = routes.map(([name]) => name);
  const move = (from: number, by: number): void => moveRoute(node.path, names[by < 0 ? from - 1 : from]!);
  return (
    <fieldset>
      <legend>Routes</legend>
      <div className="field">
        <div className="field-head"><label className="field-name" htmlFor="branch-mode">Which are taken</label></div>
        <select id="branch-mode" value={mode === "first" ? "" : mode} onChange={(e) => setField(node.path, ["mode"], e.target.value === "" ? undefined : e.target.value)}>
          {MODES.map(([key, words]) => <option key={key} value={key}>{words}</option>)}
          {mode !== "" && mode !== "first" && mode !== "all" && <option value={mode}>{mode}</option>}
        </select>
        {problemAt(problems, ["mode"]) !== undefined && <p className="problem" role="alert">{problemAt(problems, ["mode"])}</p>}
      </div>
      {routes.map(([route, condition], index) => {
        const otherwise = condition === "else";
        const problem = problemAt(problems, ["branch", route]);
        return (
          <div key={route} className={`route${problem === undefined ? "" : " wrong"}`} role="group" aria-label={`Route ${index + 1}`}>
            <div className="route-head">
              <RouteName node={node} route={route} index={index} taken={names} />
              <button className={otherwise ? "on" : ""} aria-pressed={otherwise} title="Taken when no other is" onClick={() => setField(node.path, ["branch", route], otherwise ? "true" : "else")}>else</button>
              <button className="icon" aria-label={`Ask route ${index + 1} earlier`} title="Earlier" disabled={index === 0} onClick={() => move(index, -1)}><ArrowUp /></button>
              <button className="icon" aria-label={`Ask route ${index + 1} later`} title="Later" disabled={index === routes.length - 1} onClick={() => move(index, 1)}><ArrowDown /></button>
              <button className="icon" aria-label={`Remove route ${index + 1}`} title="Remove" disabled={routes.length === 1} onClick={() => setField(node.path, ["branch", route], undefined)}><Trash2 /></button>
            </div>
            {otherwise ? <p className="help">Taken when no other is.</p> : <ExpressionInput path={node.path} label={route} bare value={typeof condition === "boolean" ? String(condition) : asWords(condition)} onChange={(v) => setField(node.path, ["branch", route], v)} placeholder="order.total > 100" />}
            {problem !== undefined && <p className="problem" role="alert">{problem}</p>}
          </div>
        );
      })}
      <NewName what="route" taken={names} onAdd={(name) => setField(node.path, ["branch", name], "true")} />
    </fieldset>
  );
}

function RouteName({ node, route, index, taken }: { readonly node: NodeView; readonly route: string; readonly index: number; readonly taken: readonly string[] }): ReactElement {
  const [name, setName] = useState(route);
  useEffect(() => setName(route), [route]);
  const take = (): void => {
    if (name === route) return;
    const why = whyNotName(name, taken, "route");
    if (why === null) return renameRoute(node.path, route, name);
    tell(why, "bad");
    setName(route);
  };
  return <input className="route-name" aria-label={`Name of route ${index + 1}`} value={name} spellCheck={false} onChange={(e) => setName(e.target.value)} onBlur={take} onKeyDown={(e) => { if (e.key === "Enter") e.currentTarget.blur(); if (e.key === "Escape") setName(route); }} />;
}
