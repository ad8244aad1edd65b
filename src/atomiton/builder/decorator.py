"""``@blueprint``: a function becomes a blueprint."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import ParamSpec, Protocol, TypeVar, overload

import msgspec

from atomiton.blueprint.durations import format_duration
from atomiton.blueprint.model import Defaults, Durability, Json, Limits
from atomiton.builder.built import BlueprintFunction
from atomiton.builder.literals import as_document
from atomiton.builder.tracer import retry_document, words
from atomiton.nodes.schema import first_paragraph

P = ParamSpec("P")
R = TypeVar("R")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Decorator(Protocol):
    """What makes a blueprint of a function."""

    def __call__(self, function: Callable[P, R], /) -> BlueprintFunction[P, R]:
        """Make a blueprint of a function."""
        ...


@overload
def blueprint(function: Callable[P, R], /) -> BlueprintFunction[P, R]: ...
@overload
def blueprint(
    *,
    id: str | None = None,
    name: str | None = None,
    version: str | None = None,
    description: str | None = None,
    inputs: Mapping[str, Json] | None = None,
    metadata: Mapping[str, object] | None = None,
    variables: Mapping[str, object] | None = None,
    secrets: Sequence[str] = (),
    defaults: Defaults | Mapping[str, object] | None = None,
    limits: Limits | Mapping[str, object] | None = None,
    durability: Durability | None = None,
    compensate_on: Sequence[str] | None = None,
    triggers: Sequence[Mapping[str, object]] = (),
    on: Mapping[str, Json] | None = None,
) -> Decorator: ...
def blueprint(
    function: Callable[..., object] | None = None,
    /,
    *,
    id: str | None = None,  # noqa: A002 - the key of the format
    name: str | None = None,
    version: str | None = None,
    description: str | None = None,
    inputs: Mapping[str, Json] | None = None,
    metadata: Mapping[str, object] | None = None,
    variables: Mapping[str, object] | None = None,
    secrets: Sequence[str] = (),
    defaults: Defaults | Mapping[str, object] | None = None,
    limits: Limits | Mapping[str, object] | None = None,
    durability: Durability | None = None,
    compensate_on: Sequence[str] | None = None,
    triggers: Sequence[Mapping[str, object]] = (),
    on: Mapping[str, Json] | None = None,
) -> object:
    """Make a blueprint of a function that calls nodes.

    The function is traced once, when the blueprint is first needed: its parameters become the
    inputs, calls of node functions become nodes, and what it returns becomes the output.

    Args:
        function: The function.
        id: Id of the blueprint; by default the function's name with ``-`` for ``_``.
        name: Name for people.
        version: The author's own version.
        description: For people; by default the first paragraph of the docstring.
        inputs: Declarations in the words of the format, for what annotations cannot say; they
            stand in place of those of the parameters.
        metadata: Anything.
        variables: Constants by name; ``expression("vars.NAME")`` is one of them.
        secrets: Names of secrets it may read, beside those it uses by ``secret()``.
        defaults: Policies of nodes that do not say otherwise; a dict of ``retry``, ``timeout``
            and ``runtime`` in the words of the format.
        limits: Bounds of a run: ``Limits(timeout=3600)``, or a dict in the words of the format.
        durability: ``sync``, ``async`` or ``none``.
        compensate_on: ``failure``, ``cancel`` or both, as by default; an empty list for neither.
        triggers: What starts runs, as in the format.
        on: Nodes that run when the run is over, in the words of the format.

    Returns:
        The blueprint: ``.run(...)``, ``.blueprint``, ``.to_yaml()``, and callable as before.

    Raises:
        TypeError: The function cannot be a blueprint.

    Example:
        >>> from atomiton.nodes.data import value
        >>> @blueprint
        ... def hello(name: str = "world") -> str:
        ...     return str.join(" ", [f"Hello {value(name)}"])
        >>> print(hello.to_yaml())
        atomiton: 1
        id: hello
        <BLANKLINE>
        inputs:
          name: {type: string, default: world}
        <BLANKLINE>
        nodes:
          value:
            uses: data.value
            with:
              value: ${{ inputs.name }}
        <BLANKLINE>
        output: Hello ${{ value }}
        <BLANKLINE>
    """

    def decorate(made: Callable[..., object]) -> BlueprintFunction[..., object]:
        found = _checked_id(made, id)
        head: dict[str, Json] = {"id": found}
        text = first_paragraph(inspect.getdoc(made) or "") or None
        text = text if description is None else description
        told = {"name": name, "version": version, "description": text}
        head |= {key: value for key, value in told.items() if value is not None}
        if defaults is not None:
            head["defaults"] = _defaults(defaults)
        if limits is not None:
            head["limits"] = _limits(limits)
        for key, given in (
            ("metadata", metadata),
            ("variables", variables),
            ("secrets", secrets),
            ("durability", durability),
            ("compensate_on", compensate_on),
            ("triggers", triggers),
        ):
            if given or (given is not None and key == "compensate_on"):
                head[key] = as_document(given)
        for key, written in (("inputs", inputs), ("on", on)):
            if written:
                head[key] = dict(written)
        return BlueprintFunction(made, head)

    return decorate if function is None else decorate(function)


def _checked_id(function: Callable[..., object], wanted: str | None) -> str:
    name = getattr(function, "__name__", "")
    if not inspect.isfunction(function):
        raise TypeError("only a function can be a blueprint")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(
            f"blueprint {name!r}: the function only records calls, so it is not async and does "
            "not yield; the nodes it calls may be async"
        )
    found = name.strip("_").lower().replace("_", "-") if wanted is None else wanted
    if not _ID.fullmatch(found):
        raise TypeError(f"{found!r} cannot be the id of a blueprint: small letters, digits and -")
    return found


def _defaults(defaults: Defaults | Mapping[str, object]) -> Json:
    said = words(defaults, Defaults, "defaults")
    if said is not None or not isinstance(defaults, Defaults):
        return said
    found: dict[str, Json] = {}
    if defaults.retry is not None:
        found["retry"] = retry_document(defaults.retry)
    if defaults.timeout is not None:
        found["timeout"] = _time(defaults.timeout)
    if defaults.runtime is not None:
        where = defaults.runtime
        found["runtime"] = where if isinstance(where, str) else {**where}
    return found


def _limits(limits: Limits | Mapping[str, object]) -> Json:
    said = words(limits, Limits, "limits")
    if said is not None or not isinstance(limits, Limits):
        return said
    found: dict[str, Json] = dict(msgspec.to_builtins(limits))
    if limits.timeout is not None:
        found["timeout"] = _time(limits.timeout)
    return found


def _time(bound: float | str) -> str:
    """Seconds, as text; text such as ``1h`` is so already, and is checked with the document."""
    return bound if isinstance(bound, str) else format_duration(bound)
