"""Calling what has no function here: node types by name, blueprints by id or file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, ParamSpec, TypeVar, cast, overload

from atomiton.blueprint.model import Json, Retry
from atomiton.builder.built import BlueprintFunction
from atomiton.builder.literals import as_document
from atomiton.builder.places import wrong
from atomiton.builder.scopes import current
from atomiton.builder.standing import Standing
from atomiton.builder.tracer import Tracer, port_name
from atomiton.nodes.recording import Policies

P = ParamSpec("P")
R = TypeVar("R")


class Use:
    """Uses node types by name; ``with_`` gives one with policies."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies

    def __call__(self, type_: str, /, **parameters: object) -> Any:  # noqa: ANN401 - nothing knows its type
        """Use a node type by its name.

        Args:
            type_: Name of the node type, such as ``file.read`` or ``file.read@1``.
            parameters: By name; ``as_`` for a parameter whose name Python keeps for itself. A
                function stands for a parameter that is an expression over ``item``.

        Returns:
            Its result, of whatever type that is.
        """
        trace = current()
        if not isinstance(trace, Tracer):
            raise wrong(
                f"use({type_!r}) can only be called in a blueprint that is being built",
                "run the blueprint, or call the function of the node type",
            )
        document: dict[str, Json] = {"uses": type_}
        with trace.collect() as roots:
            written = {
                port_name(name): trace.expression(value, name)
                if callable(value) and not isinstance(value, Standing)
                else as_document(value)
                for name, value in parameters.items()
            }
        if written:
            document["with"] = written
        return trace.node(document, roots, self.policies, type_.partition("@")[0])

    def with_(
        self,
        *,
        id: str | None = None,  # noqa: A002 - the key of the format
        name: str | None = None,
        needs: Sequence[object] | None = None,
        if_: bool | None = None,
        retry: Retry | None = None,
        timeout: float | str | None = None,
        deadline: float | str | None = None,
        on_error: Literal["continue"] | Mapping[str, object] | None = None,
    ) -> Use:
        """The same with policies; see ``NodeFunction.with_``."""
        given = Policies(
            id=id,
            name=name,
            needs=needs,
            if_=if_,
            retry=retry,
            timeout=timeout,
            deadline=deadline,
            on_error=on_error,
        )
        return Use(self.policies.changed(given))


use = Use(Policies())
"""``use("file.read", path=...)``: a node type by its name, without types for type checkers."""


@overload
def call(target: BlueprintFunction[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
@overload
def call(target: str, /, **inputs: object) -> Any: ...  # noqa: ANN401 - nothing knows its type
def call(target: object, /, *args: object, **inputs: object) -> object:
    """Run another blueprint as a child, and give its output.

    Args:
        target: A function made by ``@blueprint``; or the id (``id@version``) or the file
            (``./child.yaml``) of any blueprint.
        args: Inputs in order, of a function.
        inputs: Inputs by name.
    """
    if isinstance(target, BlueprintFunction):
        function = cast("BlueprintFunction[..., object]", target)
        return function(*args, **inputs)
    trace = current()
    if not isinstance(trace, Tracer):
        raise wrong("a blueprint can be called by its id only in one that is being built")
    if args:
        raise wrong("the inputs of a blueprint called by its id are given by name")
    name = str(target)
    document: dict[str, Json] = {"call": name}
    with trace.collect() as roots:
        written = {key: as_document(value) for key, value in inputs.items()}
    if written:
        document["with"] = written
    base = name.rpartition("/")[2].partition("@")[0].removesuffix(".yaml")
    return trace.node(document, roots, Policies(), base)
