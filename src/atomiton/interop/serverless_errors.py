"""Errors of Serverless Workflow: 'raise', 'try' and 'catch'."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from atomiton.interop.data import is_map, listing, mapping, text, whole
from atomiton.interop.draft import Node, code_of
from atomiton.interop.expressions.cel import literal, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.report import Entry
from atomiton.interop.serverless_data import Expressions, duration
from atomiton.interop.steps import Catch, Step

if TYPE_CHECKING:
    from atomiton.interop.serverless_tasks import Use

_HTTP: Final = ("HTTP_STATUS", "NOT_FOUND", "AUTHENTICATION")
_TYPES: Final = {
    "communication": "",
    "timeout": "TIMEOUT",
    "expression": "EXPRESSION_ERROR",
    "validation": "INVALID_INPUT",
}
_COMMUNICATION: Final = "https://serverlessworkflow.io/spec/1.0.0/errors/communication"
_RUNTIME: Final = "https://serverlessworkflow.io/spec/1.0.0/errors/runtime"


class Errors:
    """What a task does about errors.

    Args:
        use: Definitions, with those of errors.
        entry: Of the task.
        names: Variables.
    """

    def __init__(self, use: Mapping[str, object], entry: Entry, names: Mapping[str, str]) -> None:
        self._use = use
        self._entry = entry
        self._names = names

    def raised(self, said: object, seen: Expressions) -> Node:
        """The node that raises an error."""
        if isinstance(said, str):
            said = mapping(self._use.get("errors")).get(said)
        error = mapping(said)
        if not text(error.get("type")) or text(error["type"]).startswith("${"):
            raise Untranslatable("the type of the error is computed, or not there")
        shown = error.get("detail", error.get("title", text(error["type"])))
        message = seen.data(shown)
        return {
            "uses": "flow.fail",
            "with": {"message": message, "code": _code(text(error["type"]))},
        }

    def catches(self, catch: dict[str, object], step: Step) -> list[Catch]:
        """The ways on of a 'try' that failed: to the step that handles the error."""
        key = step.key.removeprefix("\0")
        return [Catch(self._condition(catch), f"\0catch:{key}", self._data)]

    def _condition(self, catch: dict[str, object]) -> Callable[[str], str] | None:
        filter_ = mapping(mapping(catch.get("errors")).get("with"))
        tests = [key for key in ("when", "exceptWhen") if key in catch]
        if not filter_ and not tests:
            return None

        def condition(error: str) -> str:
            parts = [self._filter(key, value, error) for key, value in filter_.items()]
            name = text(catch.get("as"), "error")
            seen = Expressions(
                self._object(error), {**self._names, f"${name}": self._object(error)}
            )
            for key in tests:
                test = seen.condition(catch[key])
                parts.append(f"({test})" if key == "when" else f"!({test})")
            return " && ".join(part for part in parts if part) or "true"

        return condition

    def _filter(self, key: str, value: object, error: str) -> str:
        if key == "status":
            number = whole(value)
            if number is None:
                raise Untranslatable("the status of an error is no number")
            return f"{self._object(error)}.status == {number}"
        if key == "type":
            kind = text(value).rstrip("/").split("/")[-1]
            ours = _TYPES.get(kind)
            if ours == "":
                return f"{error}.code in [{', '.join(map(quoted, _HTTP))}]"
            return f"{error}.code == {quoted(ours or _code(text(value)))}"
        if key in ("title", "detail"):
            self._entry.differs(f"errors are not chosen by their '{key}'")
            return ""
        raise Untranslatable(f"errors cannot be chosen by their '{key}'")

    def _data(self, value: str, error: str) -> str:
        self._entry.differs("an error that is caught has no 'instance'")
        return f'{{"input": {value}, "error": {self._object(error)}}}'

    def _object(self, error: str) -> str:
        """An error as the specification has it."""
        known = {
            _code(text(mapping(e).get("type"))): {
                "type": text(mapping(e).get("type")),
                "status": mapping(e).get("status"),
                "title": mapping(e).get("title"),
            }
            for e in mapping(self._use.get("raised")).values()
        }
        http = (
            f'{{"type": {quoted(_COMMUNICATION)}, "status": {error}.details.status, '
            f'"title": {error}.code, "detail": {error}.message}}'
        )
        answered = f"{error}.code in [{', '.join(map(quoted, _HTTP))}] && {error}.details != null"
        other = (
            f'{{"type": {quoted(_RUNTIME)}, "status": 500, "title": {error}.code, '
            f'"detail": {error}.message}}'
        )
        if not known:
            return f"({answered} ? {http} : {other})"
        found = f"{literal(known).text}[?{error}.code].orValue({other})"
        return f"({answered} ? {http} : {found})"

    def retry(self, catch: dict[str, object], use: Use) -> Node | None:
        """The retry of a 'try'."""
        if "retry" not in catch:
            return None
        said = mapping(use.named("retries", catch["retry"]))
        if {"when", "exceptWhen"} & set(said):
            raise Untranslatable("a retry with a condition")
        limit = mapping(said.get("limit"))
        count = whole(mapping(limit.get("attempt")).get("count"), None)
        made: Node = {"attempts": (count if count and count > 0 else 1000) + 1}
        self._entry.differs("'limit.attempt.count' is taken as the number of tries after the first")
        made["delay"] = duration(said["delay"]) if "delay" in said else 0
        backoff = mapping(said.get("backoff"))
        if "linear" in backoff:
            raise Untranslatable("a delay that grows by the same each time")
        made["factor"] = 2 if "exponential" in backoff else 1
        made["max_delay"] = (
            "36500d" if "exponential" in backoff else max(1, _seconds(made["delay"]))
        )
        made["jitter"] = 0
        if "jitter" in said or "duration" in limit or mapping(limit.get("attempt")).get("duration"):
            self._entry.differs("'jitter' and 'limit.duration' of the retry are left out")
        on = self._codes(mapping(mapping(catch.get("errors")).get("with")))
        if on:
            made["on"] = on
        return made

    def _codes(self, filter_: dict[str, object]) -> list[str]:
        if "status" in filter_:
            self._entry.differs("tries again at any status of 400 and more, not only the one named")
        kind = text(filter_.get("type")).rstrip("/").split("/")[-1]
        if not kind:
            return []
        ours = _TYPES.get(kind)
        return list(_HTTP) if ours == "" else [ours or _code(text(filter_["type"]))]


def _seconds(value: object) -> float:
    return value if isinstance(value, int | float) else 36500 * 86400


def _code(type_: str) -> str:
    return code_of(type_)


def raised_in(document: object) -> dict[str, object]:
    """The errors that a document raises itself, by number."""
    found: dict[str, object] = {}
    left = [document]
    while left:
        one = left.pop()
        error = mapping(mapping(one).get("raise")).get("error")
        if is_map(error):
            found[str(len(found))] = error
        left += [*mapping(one).values(), *listing(one)]
    return found
