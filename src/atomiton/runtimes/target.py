"""How to name a function so that another process finds the same one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import cast

from atomiton.errors import NodeError

_ADVICE = (
    "a function that runs in a process must be defined with `def` at the top level of a file; "
    "move it there, or use the thread runtime"
)


def follow(names: Mapping[str, object], name: str) -> object:
    """Return what a dotted name means among the names of a module.

    Raises:
        AttributeError: If there is nothing of that name.

    Example:
        >>> follow({"text": str}, "text.upper")
        <method 'upper' of 'str' objects>
    """
    first, *rest = name.split(".")
    if first not in names:
        raise AttributeError(f"there is no {first!r}")
    found = names[first]
    for part in rest:
        found = getattr(found, part)
    return found


def unwrapped(found: object) -> object:
    """Return the function of a node function, and anything else as it is.

    Example:
        >>> unwrapped(len)
        <built-in function len>
    """
    inner = getattr(found, "function", None)
    return inner if callable(inner) else found


def locate(function: Callable[..., object], files: Collection[str]) -> tuple[str, str | None, str]:
    """Return module, file and name under which another process finds a function.

    The file is None when the module can be imported by its name.

    Args:
        function: The function, or a node function around it.
        files: Files whose modules are always loaded from their path.

    Raises:
        NodeError: If another process could not find it, with advice.

    Example:
        >>> locate(len, ())
        ('builtins', None, 'len')
    """
    plain = unwrapped(function)
    name = getattr(plain, "__qualname__", None)
    where = getattr(plain, "__module__", None)
    if not isinstance(name, str) or not isinstance(where, str):
        raise _refused(repr(function), "has no name")
    if "<lambda>" in name:
        raise _refused(name, "is a lambda")
    if "<locals>" in name:
        raise _refused(name, "is defined inside another function")
    for names in _namespaces(plain, where):
        try:
            found = follow(names, name)
        except AttributeError:
            continue
        if unwrapped(found) == plain:
            return where, _file_of(names, where, files), name
    raise _refused(name, f"is not what that name means in its module {where!r}")


def _refused(name: str, why: str) -> NodeError:
    return NodeError(f"{name} {why}: {_ADVICE}", code="NOT_SUPPORTED")


def _namespaces(function: object, module: str) -> Iterator[Mapping[str, object]]:
    """Yield the names of the modules in which a function may be found again."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        yield vars(loaded)
    # A module that was loaded from a file need not be registered, or lost its name to another.
    own = getattr(function, "__globals__", None)
    if isinstance(own, dict):
        names = cast("dict[str, object]", own)
        if names.get("__name__") == module and isinstance(names.get("__file__"), str):
            yield names


def _file_of(names: Mapping[str, object], name: str, files: Collection[str]) -> str | None:
    """Return the file to load a module from; None when importing its name gives the same."""
    file = names.get("__file__")
    if not isinstance(file, str):
        if name == "__main__":
            raise _refused("a function typed at a prompt", "has no file")
        return None
    path = str(Path(file).resolve())
    if name == "__main__" or path in files:
        return path
    # ``sys.modules`` cannot tell: a module that was loaded from a path looks like any other.
    parent = sys.modules.get(name.rpartition(".")[0])
    spec = PathFinder.find_spec(name, getattr(parent, "__path__", None))
    same = spec is not None and (spec.origin is None or Path(spec.origin).resolve() == Path(path))
    return None if same else path
