"""How to name a function so that another process finds the same one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from atomiton.errors import NodeError

_ADVICE = (
    "a function that runs in a process must be defined with `def` at the top level of a file; "
    "move it there, or use the thread runtime"
)


def follow(module: ModuleType, name: str) -> object:
    """Return what a dotted name means inside a module.

    Raises:
        AttributeError: If there is nothing of that name.
    """
    found: object = module
    for part in name.split("."):
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
    module = sys.modules.get(where) or _module_of(plain)
    if module is None:
        raise _refused(name, f"belongs to a module, {where!r}, that is not loaded")
    try:
        found = follow(module, name)
    except AttributeError:
        raise _refused(name, f"is not an attribute of its module {where!r}") from None
    if unwrapped(found) != plain:
        raise _refused(name, f"is not what that name means in its module {where!r}")
    return where, _file_of(module, where, files), name


def _refused(name: str, why: str) -> NodeError:
    return NodeError(f"{name} {why}: {_ADVICE}", code="NOT_SUPPORTED")


def _module_of(function: object) -> ModuleType | None:
    """Find the module of a function that was loaded from a file under another name."""
    code = getattr(function, "__code__", None)
    file = getattr(code, "co_filename", None)
    if not isinstance(file, str):
        return None
    loaded = list(sys.modules.values())
    return next((one for one in loaded if getattr(one, "__file__", None) == file), None)


def _file_of(module: ModuleType, name: str, files: Collection[str]) -> str | None:
    """Return the file to load a module from; None when importing its name gives the same."""
    file = getattr(module, "__file__", None)
    if file is None:
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
