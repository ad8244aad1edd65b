"""Which function of the library a node type is, for code that calls it."""

from __future__ import annotations

from functools import cache

from atomiton.blueprint.python.names import Known
from atomiton.errors import NotFound
from atomiton.nodes.registry import Registry

_PACKAGE = "atomiton.nodes"


@cache
def _library() -> Registry:
    return Registry.builtin()


def function_of(name: str) -> Known | None:
    """The function of a node type of the library, by the name that ``uses`` says.

    Args:
        name: Such as ``data.filter``; one with a version is none.

    Returns:
        Where the function is; None if the library has none of that name.

    Example:
        >>> known = function_of("data.filter")
        >>> (known.module, known.function, sorted(known.expressions)) if known else None
        ('data', 'filter_', ['where'])
    """
    if "@" in name:
        return None
    try:
        type_ = _library().get(name)
    except NotFound:
        return None
    module, _, function = type_.source.partition(":")
    package, _, short = module.rpartition(".")
    if package != _PACKAGE or any(port.variadic for port in type_.parameters):
        return None
    return Known(
        package,
        short,
        function,
        {port.name: type_.renamed.get(port.name, port.name) for port in type_.parameters},
        frozenset(port.name for port in type_.parameters if port.required),
        frozenset(port.name for port in type_.parameters if port.expression),
    )
