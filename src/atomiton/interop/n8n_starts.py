"""Nodes of n8n that start runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from atomiton.interop.data import listing, mapping, text, whole
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced
from atomiton.interop.expressions.tree import Untranslatable

if TYPE_CHECKING:
    from atomiton.interop.n8n_part import Mapped

_STARTS: Final = frozenset({"webhook", "cron", "interval", "start", "emailReadImap"})
_PATH = re.compile(r"[A-Za-z0-9_-]{1,100}")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def starts_runs(type_: str, said: dict[str, object]) -> bool:
    """Whether a node starts runs."""
    if said.get("disabled") is True:
        return False
    return type_ in _STARTS or type_.endswith("Trigger") or type_ == "chatTrigger"


def _constant(one: Mapped, item: object) -> Node:
    one.part.single = True
    return {"uses": "data.value", "with": {"value": [item]}}


def _manual(one: Mapped) -> Node:
    return _constant(one, {})


def _called(one: Mapped) -> Node:
    one.declare("data", {"type": "any", "default": {}})
    one.part.entry.differs("it is given one item, as the input 'data'")
    return _constant(one, braced("inputs.data"))


def _schedule(one: Mapped) -> Node:
    crons = _crons(one.part.type, one.parameters)
    for cron in crons:
        one.trigger({"schedule": {"cron": cron}})
    one.part.entry.differs(
        "times are in UTC unless a 'timezone' is given, and the item has 'timestamp' alone"
    )
    return _constant(one, {"timestamp": braced("run.started_at")})


def _crons(type_: str, said: dict[str, object]) -> list[str]:
    if type_ == "cron":
        rules = listing(mapping(said.get("triggerTimes")).get("item"))
        return [_old_cron(mapping(rule)) for rule in rules] or ["0 0 * * *"]
    if type_ == "interval":
        raise Untranslatable("an interval is no schedule of a calendar")
    rules = listing(mapping(said.get("rule")).get("interval"))
    return [_new_cron(mapping(rule)) for rule in rules] or ["0 0 * * *"]


def _old_cron(rule: dict[str, object]) -> str:
    hour, minute = whole(rule.get("hour"), 14), whole(rule.get("minute"), 0)
    mode = text(rule.get("mode"), "everyDay")
    if mode == "everyMinute":
        return "* * * * *"
    if mode == "everyHour":
        return f"{minute} * * * *"
    if mode == "everyDay":
        return f"{minute} {hour} * * *"
    if mode == "everyWeek":
        return f"{minute} {hour} * * {whole(rule.get('weekday'), 1)}"
    if mode == "everyMonth":
        return f"{minute} {hour} {whole(rule.get('dayOfMonth'), 1)} * *"
    if mode == "everyX":
        return _steps(text(rule.get("unit"), "hours"), whole(rule.get("value"), 2) or 0, 0)
    return _five(text(rule.get("cronExpression")))


def _new_cron(rule: dict[str, object]) -> str:
    field = text(rule.get("field"), "days")
    minute = whole(rule.get("triggerAtMinute"), 0) or 0
    hour = whole(rule.get("triggerAtHour"), 0) or 0
    if field == "cronExpression":
        return _five(text(rule.get("expression")))
    if field in ("minutes", "hours"):
        every = whole(rule.get(f"{field}Interval"), 5 if field == "minutes" else 1) or 0
        return _steps(field, every, minute)
    if whole(rule.get(f"{field}Interval"), 1) != 1:
        raise Untranslatable(f"every several {field[:20]} is no schedule of a calendar")
    if field == "days":
        return f"{minute} {hour} * * *"
    if field == "weeks":
        days = [str(whole(day)) for day in listing(rule.get("triggerAtDay"))] or ["0"]
        return f"{minute} {hour} * * {','.join(days)}"
    if field == "months":
        return f"{minute} {hour} {whole(rule.get('triggerAtDayOfMonth'), 1)} * *"
    raise Untranslatable(f"every so many {field[:20]} is no schedule here")


def _steps(unit: str, every: int, minute: int) -> str:
    if unit == "minutes" and 0 < every < 60 and 60 % every == 0:
        return f"*/{every} * * * *"
    if unit == "hours" and 0 < every < 24 and 24 % every == 0:
        return f"{minute} */{every} * * *"
    raise Untranslatable(f"every {every} {unit[:20]} is no schedule of a calendar")


def _five(cron: str) -> str:
    parts = cron.removeprefix("=").split()
    if len(parts) == 6 and parts[0] == "0":
        parts = parts[1:]
    if len(parts) != 5 or "{{" in cron:
        raise Untranslatable(f"'{cron[:60]}' is no schedule with minutes at least")
    return " ".join(parts)


def _webhook(one: Mapped) -> Node:
    said = one.parameters
    path, method = text(said.get("path")).strip("/"), said.get("httpMethod", "GET")
    if not _PATH.fullmatch(path):
        one.part.entry.differs(
            "the path is not one part of letters, digits, - and _: it is changed"
        )
        path = re.sub(r"[^A-Za-z0-9_-]+", "-", path).strip("-")[:100] or one.part.entry.node
    methods = [m for m in (listing(method) or [method]) if m in _METHODS]
    if not methods:
        raise Untranslatable("the method is not known")
    mode = text(said.get("responseMode"), "onReceived")
    for name in ("body", "headers", "query"):
        one.declare(name, {"type": "any", "default": {}})
    respond = "accepted" if mode == "onReceived" else "result"
    for name in methods:
        one.trigger(
            {"webhook": {"path": path, "method": name, "respond": respond, "secret": "none"}}
        )
    if said.get("authentication", "none") != "none":
        one.part.entry.differs("who calls it is not checked: give the trigger a 'secret'")
    item = {name: braced(f"inputs.{name}") for name in ("headers", "query", "body")}
    return _constant(one, {**item, "params": {}})


def _chat(one: Mapped) -> Node:
    one.declare("chatInput", {"type": "string"})
    one.part.entry.differs("there is no page to chat: what is said is the input 'chatInput'")
    said: Node = {"sessionId": braced("run.id"), "action": "sendMessage"}
    return _constant(one, {**said, "chatInput": braced("inputs.chatInput")})


def _form(one: Mapped) -> Node:
    """A form: each of its fields is an input."""
    kinds = {"number": "number", "text": "string", "textarea": "string", "email": "string"}
    item: Node = {}
    for said in listing(mapping(one.parameters.get("formFields")).get("values")):
        field = mapping(said)
        label, kind = text(field.get("fieldLabel")), text(field.get("fieldType"), "text")
        name = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")
        if kind not in kinds or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in item:
            raise Untranslatable(f"the field '{label[:40]}' of the form is not known here")
        required = field.get("requiredField") is True
        declared: Node = {"type": kinds[kind] if required else "any"}
        one.declare(name, declared if required else {**declared, "default": None})
        item[label] = braced(f"inputs.{name}")
    one.part.entry.differs("there is no page of a form: its fields are inputs of the blueprint")
    return _constant(one, {**item, "submittedAt": braced("run.started_at"), "formMode": "test"})


STARTS: Final[dict[str, Callable[[Mapped], Node]]] = {
    "manualTrigger": _manual,
    "start": _manual,
    "executeWorkflowTrigger": _called,
    "scheduleTrigger": _schedule,
    "cron": _schedule,
    "interval": _schedule,
    "webhook": _webhook,
    "formTrigger": _form,
    "langchain.chatTrigger": _chat,
}
"""How each of them is mapped."""
