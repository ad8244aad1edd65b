"""Nodes of n8n as nodes of a blueprint."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from atomiton.interop.data import listing, mapping, text
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import each, first, once
from atomiton.interop.n8n_chat import chain
from atomiton.interop.n8n_code import code
from atomiton.interop.n8n_fields import aggregate, item_lists, set_fields, split_out
from atomiton.interop.n8n_http import request
from atomiton.interop.n8n_lists import (
    choose,
    hand_on,
    keep,
    limit,
    merge,
    sort,
    switch,
    unique,
    wait,
)
from atomiton.interop.n8n_part import Mapped


def _stop(one: Mapped) -> Node:
    said = one.parameters
    if text(said.get("errorType"), "errorMessage") != "errorMessage":
        raise Untranslatable("the error is an object")
    message = one.values_once.value(said.get("errorMessage", ""))
    fail: Node = {"uses": "flow.fail", "with": {"message": message}}
    one.part.outputs = [f"dyn({one.id})"]
    return once(fail, one.incoming)


def _command(one: Mapped) -> Node:
    said = one.parameters
    incoming = one.incoming if said.get("executeOnce", True) is False else first(one.incoming)
    command = one.values.value(said.get("command", ""))
    one.part.entry.differs(
        "the program runs on this machine, with the rights of whoever runs the blueprint"
    )
    call: Node = {"uses": "shell.run", "with": {"command": ["sh", "-c", command]}}
    given = '{"exitCode": x.exit_code, "stdout": x.stdout.trim(), "stderr": x.stderr.trim()}'
    one.part.pairs = said.get("executeOnce", True) is False
    return {
        "nodes": {"answers": each(incoming, call)},
        "output": braced(f"answers.map(x, {given})"),
    }


def _respond(one: Mapped) -> Node:
    said = one.parameters
    kind = text(said.get("respondWith"), "firstIncomingItem")
    one_item, all_items = f"{one.incoming}[0]", one.incoming
    bodies: dict[str, Callable[[], object]] = {
        "firstIncomingItem": lambda: braced(one_item),
        "allIncomingItems": lambda: braced(all_items),
        "text": lambda: one.values_once.value(said.get("responseBody", "")),
        "json": lambda: one.values_once.json(said.get("responseBody", "{}")),
        "noData": lambda: "",
    }
    if kind not in bodies:
        raise Untranslatable(f"an answer of '{kind[:30]}' is not known here")
    options = mapping(said.get("options"))
    status = options.get("responseCode", 200)
    if not isinstance(status, int):
        raise Untranslatable("the status is computed")
    headers: Node = {}
    for entry in listing(mapping(options.get("responseHeaders")).get("entries")):
        about = mapping(entry)
        headers[text(about.get("name"))] = one.values_once.value(about.get("value", ""))
    answer = {"status": status, "headers": headers, "body": bodies[kind]()}
    given = {"items": braced(one.incoming), "answer": answer}
    one.part.outputs = [f"{one.id}.items"]
    one.part.pairs = True
    before = one.draft.top.get("output")
    mine = f"{one.id}.answer"
    if isinstance(before, str):
        mine = f'nodes.{one.id}.status == "completed" ? {mine} : ({before[4:-3]})'
    one.draft.top["output"] = braced(mine)
    return once({"uses": "data.value", "with": {"value": given}}, one.incoming)


def _mail(one: Mapped) -> Node:
    said = one.parameters
    params: Node = {"server": one.secret("SMTP_URL")}
    for ours, theirs in (("from", "fromEmail"), ("to", "toEmail"), ("subject", "subject")):
        params[ours] = one.values.value(said.get(theirs, ""))
    kind = text(said.get("emailFormat"), "html" if one.version >= 2 else "both")
    if said.get("text") and kind in ("text", "both"):
        params["text"] = one.values.value(said["text"])
    if said.get("html") and kind in ("html", "both"):
        params["html"] = one.values.value(said["html"])
    if said.get("attachments") or mapping(said.get("options")).get("attachments"):
        raise Untranslatable("attachments are data beside the items, which is not known here")
    one.part.entry.differs("the server is not in the file: keep its address as the secret SMTP_URL")
    one.part.pairs = True
    return each(one.incoming, {"uses": "mail.send", "with": params})


def _replacement(one: Mapped, given: object) -> object:
    """The values of a statement: an expression of a list, or pieces between commas."""
    whole = re.fullmatch(r"=\s*\{\{(.*)\}\}\s*", str(given), re.DOTALL)
    if whole and "}}" not in whole[1] and whole[1].strip().startswith("["):
        return one.values_of_data.value(str(given))
    pieces = listing(given) or str(given).removeprefix("=").split(",")
    holes = [str(p).strip() for p in pieces]
    if any(hole.count("{{") != hole.count("}}") for hole in holes):
        raise Untranslatable("the values of the statement are computed")
    return [one.values.value(f"={p}" if p.startswith("{{") else p) for p in holes]


#: A statement that only asks; one that begins with WITH may change something in it.
_ASKS = re.compile(r"\s*(?:select|with|values|table)\b", re.IGNORECASE)
_SELECTS = re.compile(r"\s*select\b", re.IGNORECASE)
_CHANGES = re.compile(r"\b(?:insert\s+into|update\s+\w|delete\s+from|merge\s+into)", re.IGNORECASE)


def _postgres(one: Mapped) -> Node:
    said = one.parameters
    if text(said.get("operation"), "executeQuery") != "executeQuery":
        raise Untranslatable("only 'Execute Query' is known here")
    query = text(said.get("query"))
    if "{{" in query and query.startswith("="):
        raise Untranslatable("values stand in the text of the statement: write $1 and parameters")
    given = mapping(said.get("options")).get("queryReplacement")
    params: Node = {"database": one.secret("DATABASE_URL"), "statement": query.removeprefix("=")}
    if given is not None:
        params["parameters"] = _replacement(one, given)
    asks = _ASKS.match(query.removeprefix("=")) and not _CHANGES.search(query)
    one.part.entry.differs(
        "the database is not in the file: keep its address as the secret DATABASE_URL"
    )
    call: Node = {"uses": "sql.query" if asks else "sql.execute", "with": params}
    rows = _rows(one, selects=bool(_SELECTS.match(query.removeprefix("="))))
    return {"nodes": {"answers": each(one.incoming, call)}, "output": braced(rows)}


def _rows(one: Mapped, *, selects: bool) -> str:
    """The items of statements: their rows; one that only changes something gives that it has."""
    rows, done = "answers.map(x, x.rows).flatten()", '[{"success": true}]'
    if one.version < 2 or (selects and one.version >= 2.3):
        return rows
    batching = text(mapping(one.parameters.get("options")).get("queryBatching"), "single")
    if batching == "single":
        return f"answers.size() > 0 && {rows}.size() == 0 ? {done} : {rows}"
    return f"answers.map(x, x.rows.size() == 0 ? {done} : x.rows).flatten()"


def _old_code(one: Mapped) -> Node:
    del one
    raise Untranslatable(
        "its code (javaScript) is not run here: write it as 'python.run', or with data nodes"
    )


def _workflow(one: Mapped) -> Node:
    del one
    raise Untranslatable(
        "it runs another workflow: import that one as well, and call it with 'call'"
    )


def _batches(one: Mapped) -> Node:
    del one
    raise Untranslatable("a loop over items: here a node or a group with 'map' does that")


MAPPERS: Final[dict[str, Callable[[Mapped], Node]]] = {
    "noOp": hand_on,
    "set": set_fields,
    "if": choose,
    "filter": keep,
    "switch": switch,
    "merge": merge,
    "httpRequest": request,
    "code": code,
    "function": _old_code,
    "functionItem": _old_code,
    "sort": sort,
    "limit": limit,
    "aggregate": aggregate,
    "splitOut": split_out,
    "itemLists": item_lists,
    "removeDuplicates": unique,
    "wait": wait,
    "executeCommand": _command,
    "respondToWebhook": _respond,
    "stopAndError": _stop,
    "emailSend": _mail,
    "postgres": _postgres,
    "executeWorkflow": _workflow,
    "splitInBatches": _batches,
    "langchain.chainLlm": chain,
}
"""How each type of nodes is mapped."""
