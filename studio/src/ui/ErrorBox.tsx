import type { ReactElement } from "react";
import { templateOf } from "../model/runs";
import { select } from "../app/store";

const WAYS: Readonly<Record<string, string>> = {
  TIMEOUT: "Give the node more time under Policies, or try it again: retry.",
  NOT_ALLOWED: "This server does not allow it. Its owner can: --allow shell, --allow files.",
  EXPRESSION_ERROR: "Look at what the nodes before it gave: the expression does not fit that.",
  INVALID_INPUT: "A parameter is not what the node takes: look at its form.",
  NODE_FAILED: "Change the node and run again from here; or give it a retry, or a line for errors.",
  LOOP_LIMIT: "The loop never came to its end: look at its condition, or raise max.",
  UNKNOWN_NODE_TYPE: "This server does not know the type: start it with --nodes FILE.py.",
};

export function ErrorBox({ error }: { readonly error: { readonly code: string; readonly message: string; readonly node?: string | null; readonly attempt?: number | null } }): ReactElement {
  return (
    <div className="error-box" role="alert">
      <b>{error.message}</b>
      <p><code>{error.code}</code>{error.node && <> at <button className="link" onClick={() => select([templateOf(error.node!)])}>{error.node}</button></>}{error.attempt ? `, try ${error.attempt}` : ""}</p>
      {WAYS[error.code] !== undefined && <p className="help">{WAYS[error.code]}</p>}
    </div>
  );
}
