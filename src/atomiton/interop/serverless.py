"""Imports workflows of the Serverless Workflow (Open Workflow) specification, version 1."""

from __future__ import annotations

from typing import Final

from atomiton.interop.data import mapping, refused, text
from atomiton.interop.draft import Draft, blueprint_id
from atomiton.interop.expressions.cel import braced
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.report import Report
from atomiton.interop.serverless_data import Expressions, duration, secrets_in
from atomiton.interop.serverless_errors import raised_in
from atomiton.interop.serverless_tasks import Tasks, Use

FORMAT: Final = "serverless"

_KNOWN: Final = frozenset(
    ["document", "input", "use", "do", "timeout", "output", "schedule", "metadata"]
)


def fits(document: object) -> bool:
    """Whether a document looks like a workflow of this specification."""
    said = mapping(document)
    return "dsl" in mapping(said.get("document")) and "do" in said


def convert(document: object, name: str) -> Draft:
    """Make a blueprint of a workflow.

    Args:
        document: The definition, as plain data.
        name: Name of its file.

    Raises:
        BlueprintError: It is none of version 1.
    """
    said = mapping(document)
    about = mapping(said.get("document"))
    if not fits(document):
        raise refused("a workflow has 'document' with 'dsl', and 'do'")
    if not text(about.get("dsl"), str(about.get("dsl"))).startswith("1."):
        raise refused(f"version {str(about.get('dsl'))[:20]} of the language is not known, only 1")
    draft = Draft(Report(FORMAT), blueprint_id(about.get("name"), name))
    draft.report.blueprint = draft.id
    for ours, theirs in (("name", "title"), ("description", "summary")):
        if text(about.get(theirs)):
            draft.top[ours] = text(about[theirs])
    if text(about.get("version")):
        draft.top["version"] = text(about["version"])
    draft.top["inputs"] = {"input": {"type": "any", "default": {}}}
    secrets = secrets_in(document)
    if secrets:
        draft.top["secrets"] = secrets
    if "timeout" in said:
        _timeout(draft, said["timeout"])
    names = {"$context": "", "$workflow.input": "inputs.input"}
    if "schedule" in said:
        _schedule(draft, mapping(said["schedule"]), names)
    use = Use({**mapping(said.get("use")), "raised": raised_in(document)})
    for extension in use.extensions():
        draft.report.entry(f"use.extensions.{extension}", "extension").fails(
            "what is put around tasks is not known here"
        )
    for key in said:
        if key not in _KNOWN:
            draft.report.entry(key, "workflow").fails(f"'{key}' is not known here")
    value = _input(draft, mapping(said.get("input")), names)
    made = Tasks(draft, use).region(said.get("do"), value, names, "", {})
    draft.nodes.update(made.nodes)
    _output(draft, mapping(said.get("output")), made.output(), names)
    return draft


def _input(draft: Draft, said: dict[str, object], names: dict[str, str]) -> str:
    schema = mapping(mapping(said.get("schema")).get("document"))
    if schema:
        entry = draft.report.entry("input.schema", "schema")
        entry.differs("the input is not checked: declare inputs of its own where that matters")
    if "from" not in said:
        return "inputs.input"
    entry = draft.report.entry("input.from", "input")
    entry.node = draft.name("input_from")
    try:
        found = Expressions("inputs.input", names).data(said["from"], bare=True)
        draft.nodes[entry.node] = {"uses": "data.value", "with": {"value": found}}
    except Untranslatable as error:
        draft.nodes[entry.node] = draft.placeholder(entry, str(error), said)
    return entry.node


def _output(draft: Draft, said: dict[str, object], value: str, names: dict[str, str]) -> None:
    draft.top["output"] = braced(value)
    if "as" not in said:
        return
    entry = draft.report.entry("output.as", "output")
    try:
        draft.top["output"] = Expressions(value, names).data(said["as"], bare=True)
    except Untranslatable as error:
        entry.fails(str(error))
        draft.originals["output"] = said["as"]


def _timeout(draft: Draft, said: object) -> None:
    entry = draft.report.entry("timeout", "timeout")
    try:
        draft.top["limits"] = {"timeout": duration(mapping(said).get("after"))}
    except Untranslatable as error:
        entry.fails(str(error))
        draft.originals["timeout"] = said


def _schedule(draft: Draft, said: dict[str, object], names: dict[str, str]) -> None:
    entry = draft.report.entry("schedule", "schedule")
    one = mapping(mapping(mapping(said.get("on")).get("one")).get("with"))
    cron = text(said.get("cron"))
    if cron and len(said) == 1 and len(cron.split()) == 5:
        draft.top["triggers"] = [{"schedule": {"cron": cron}}]
    elif "every" in said and len(said) == 1 and _every(said["every"]):
        draft.top["triggers"] = [{"schedule": {"cron": _every(said["every"])}}]
    elif set(one) == {"type"} and isinstance(one["type"], str) and len(said) == 1:
        draft.top["triggers"] = [{"event": {"type": one["type"]}}]
        empty = {"type": one["type"], "data": None}
        draft.top["inputs"] = {"event": {"type": "any", "default": empty}}
        names["$workflow.input"] = "[inputs.event]"
        entry.differs("of the event there are 'type', 'key' and 'data'")
    else:
        entry.fails("only 'cron', 'every' of whole minutes or hours, and 'on.one' with a type are")
        draft.originals["schedule"] = said


def _every(said: object) -> str | None:
    try:
        seconds = duration(said)
    except Untranslatable:
        return None
    if not isinstance(seconds, int) or seconds <= 0 or seconds % 60:
        return None
    minutes = seconds // 60
    if minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes} * * * *"
    if minutes % 60 == 0 and minutes // 60 < 24 and 24 % (minutes // 60) == 0:
        return f"0 */{minutes // 60} * * *"
    return "0 0 * * *" if minutes == 1440 else None
