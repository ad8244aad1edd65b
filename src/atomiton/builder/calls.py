"""Calling what has no function here: node types by name, blueprints by id or file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, ParamSpec, Self, TypeVar, cast, overload

from atomiton.blueprint.model import Json, Retry
from atomiton.builder.built import BlueprintFunction
from atomiton.builder.literals import as_document
from atomiton.builder.places import wrong
from atomiton.builder.scopes import current
from atomiton.builder.standing import Standing
from atomiton.builder.tracer import Tracer, port_name
from atomiton.nodes.recording import Caching, Join, Policies
from atomiton.nodes.spec import RuntimeName

P = ParamSpec("P")
R = TypeVar("R")


class _WithPolicies:
    """Something that is called with policies of one use."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies

    def with_(
        self,
        *,
        id: str | None = None,  # noqa: A002 - the key of the format
        name: str | None = None,
        description: str | None = None,
        needs: Sequence[object] | None = None,
        if_: bool | None = None,
        join: Join | None = None,
        enabled: bool | None = None,
        retry: Retry | Mapping[str, object] | None = None,
        timeout: float | str | None = None,
        deadline: float | str | None = None,
        on_error: Literal["continue"] | Mapping[str, object] | None = None,
        compensate: Callable[[Any], object] | Callable[[], object] | None = None,
        when_failed: bool | None = None,
        runtime: RuntimeName | dict[str, str] | None = None,
        cache: Caching | None = None,
        weight: float | None = None,
    ) -> Self:
        """The same with policies; see ``NodeFunction.with_``."""
        given = Policies(
            id=id,
            name=name,
            description=description,
            needs=needs,
            if_=if_,
            join=join,
            enabled=enabled,
            retry=retry,
            timeout=timeout,
            deadline=deadline,
            on_error=on_error,
            compensate=compensate,
            when_failed=when_failed,
            runtime=runtime,
            cache=cache,
            weight=weight,
        )
        return type(self)(self.policies.changed(given))


class Use(_WithPolicies):
    """Uses node types by name; ``with_`` gives one with policies."""

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


use = Use(Policies())
"""``use("file.read", path=...)``: a node type by its name, without types for type checkers."""


class Call(_WithPolicies):
    """Calls blueprints as children; ``with_`` gives one with policies."""

    @overload
    def __call__(
        self, target: BlueprintFunction[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R: ...
    @overload
    def __call__(self, target: str, /, **inputs: object) -> Any: ...  # noqa: ANN401 - nothing knows its type
    def __call__(self, target: object, /, *args: object, **inputs: object) -> object:
        """Run another blueprint as a child, and give its output.

        Args:
            target: A function made by ``@blueprint``; or the id (``id@version``) or the file
                (``./child.yaml``) of any blueprint.
            args: Inputs in order, of a function.
            inputs: Inputs by name.
        """
        trace = current()
        if isinstance(target, BlueprintFunction):
            function = cast("BlueprintFunction[..., object]", target)
            if isinstance(trace, Tracer):
                return function.called(trace, self.policies, args, inputs)
            return function(*args, **inputs)
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
        return trace.node(document, roots, self.policies, base)


call = Call(Policies())
"""``call("other-id", x=1)``: another blueprint as a child."""


def step(document: Mapping[str, Json], /, *, id: str | None = None) -> Any:  # noqa: A002, ANN401 - the key of the format; nothing knows its type
    """A node in the words of the format, for what no other function here says.

    Args:
        document: Its keys; what is ``${{ }}`` in it is an expression, which names
            nodes by their ids.
        id: Id of the node.

    Returns:
        Its result, of whatever type that is.

    Example:
        >>> from atomiton import blueprint
        >>> @blueprint
        ... def one() -> object:
        ...     return step({"uses": "data.value", "with": {"value": "${{ run.id }}"}}, id="a")
        >>> one.blueprint.nodes["a"].with_
        {'value': '${{ run.id }}'}
    """
    trace = current()
    if not isinstance(trace, Tracer):
        raise wrong("a node in the words of the format runs only in a blueprint that is built")
    return trace.node(dict(document), set(), Policies(id=id), "step")
