"""Names in the written code: what is taken, what is known, what stands for what."""

from __future__ import annotations

import builtins
import keyword
from typing import Final, NamedTuple

#: What the written code may import.
BUILDER: Final = frozenset(
    {
        *("approval", "call", "contains", "each", "ends", "error_of", "expression", "group"),
        *(
            "is_null",
            "repeat",
            "routes",
            "secret",
            "size",
            "status_of",
            "step",
            "use",
            "verbatim",
            "wait_for",
        ),
    }
)
TOP: Final = frozenset({"Retry", "blueprint"})
MODEL: Final = frozenset({"Defaults", "Limits"})


class Known(NamedTuple):
    """A node type that is a function which can be imported.

    Attributes:
        package: Where its module is, such as ``atomiton.nodes``.
        module: Name of the module, such as ``data``.
        function: Its name there, such as ``filter_``.
        parameters: Name of each port to that of its parameter.
        required: Ports that must be given.
        expressions: Ports that take a bare expression.
    """

    package: str
    module: str
    function: str
    parameters: dict[str, str]
    required: frozenset[str]
    expressions: frozenset[str]


class Imports:
    """What the code needs, noted while it is written."""

    def __init__(self) -> None:
        self.used: dict[str, set[str]] = {}

    def builder(self, name: str) -> str:
        """Use a name of the builder."""
        return self.of("atomiton.builder", name)

    def of(self, module: str, name: str) -> str:
        """Use a name of any module."""
        self.used.setdefault(module, set()).add(name)
        return name

    def lines(self) -> list[str]:
        """The statements, in order."""
        return [f"from {of} import {', '.join(sorted(self.used[of]))}" for of in sorted(self.used)]


class Scope:
    """What names mean at one place of the code.

    Attributes:
        outer: The scope around it; None for that of the function.
        values: Name in expressions to the variable that stands for it.
        inputs: Name of an input to its parameter; shared by all scopes.
        secrets: Names of secrets that are declared.
        here: Ids of the nodes of this body that stand above.
        bound: Names of items, turns and payloads.
    """

    def __init__(self, outer: Scope | None = None, *, bound: tuple[str, ...] = ()) -> None:
        self.outer = outer
        self.values: dict[str, str] = {} if outer is None else dict(outer.values)
        self.inputs: dict[str, str] = {} if outer is None else outer.inputs
        self.secrets: tuple[str, ...] = () if outer is None else outer.secrets
        self.taken: set[str] = set() if outer is None else set(outer.taken)
        self.here: set[str] = set()
        self.bound = bound

    def variable(self, name: str) -> str:
        """A variable for a name of expressions, that hides nothing which can be seen."""
        base = name if is_free(name) else f"{name}_"
        found, number = base, 2
        while found in self.taken:
            found, number = f"{base}_{number}", number + 1
        self.taken.add(found)
        return found

    def bind(self, name: str) -> str:
        """A variable that stands for a name from now on."""
        variable = self.variable(name)
        self.values[name] = variable
        return variable

    def binds_around(self) -> set[str]:
        """The names of all items, turns and payloads around."""
        found = set(self.bound)
        return found if self.outer is None else found | self.outer.binds_around()


_RESERVED: Final = BUILDER | TOP | MODEL | {"inputs", "secrets", "object"}


def is_free(name: str, modules: frozenset[str] = frozenset()) -> bool:
    """Whether a name can be a variable: no word of Python, nothing that is imported or built in."""
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        return False
    return name not in _RESERVED and name not in _MODULES | modules and not hasattr(builtins, name)


#: Modules of the library, which the code may import.
_MODULES: Final = frozenset(
    {
        *(
            "archive",
            "crypto",
            "csv",
            "data",
            "date",
            "file",
            "flow",
            "ftp",
            "hash",
            "html",
            "http",
        ),
        *(
            "image",
            "imaging",
            "json",
            "lists",
            "llm",
            "mail",
            "python",
            "queue",
            "s3",
            "sftp",
            "sheet",
        ),
        *("shell", "sql", "text", "webhook", "xml", "yaml"),
    }
)
