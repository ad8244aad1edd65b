"""What nodes may do on a server: no programs, and files in one folder, unless it is allowed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final, NoReturn

from atomiton.conductor.library import Library
from atomiton.errors import AtomitonError, NotAllowed
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.guard.process import ProcessGuard
from atomiton.nodes.guard.reach import Reach
from atomiton.nodes.registry import Registry

#: What an owner may allow.
ALLOWED: Final = ("shell", "files")

_NO_PROGRAMS = "this server runs no programs; its owner may allow it: atomiton serve --allow shell"


class ClosedProcess:
    """``Process`` where no programs are run."""

    async def run(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise NotAllowed(_NO_PROGRAMS)


def server_library(
    nodes: Sequence[str], *, folder: Path, allow: Collection[str] = (), public_only: bool = False
) -> Library:
    """The node types of a server, with what they may reach.

    Args:
        nodes: Files of node types of the owner's.
        folder: Where relative paths begin; nothing outside of it is reached.
        allow: ``shell`` for programs, ``files`` for every file that the user of the server may
            read and write.
        public_only: Whether requests of nodes reach no private network, nor this machine.

    Raises:
        AtomitonError: Something else is allowed, or a file of nodes cannot be run.
    """
    for name in allow:
        if name not in ALLOWED:
            message = f"there is nothing called {name!r} to allow; there is {', '.join(ALLOWED)}"
            raise AtomitonError(message, code="INVALID_INPUT")
    shell = "shell" in allow
    reach = Reach(public_only=public_only)
    capabilities = Capabilities(
        reach=reach,
        roots=None if "files" in allow else (folder,),
        base=folder,
        process=None if shell else ClosedProcess(),
        programs=ProcessGuard(),  # those that the owner has declared as node types
    )
    library = Library(Registry.builtin(), capabilities)
    for file in nodes:
        library.load_nodes(Path(file))
    library.confined = True
    if not shell:
        library.closed["process"] = _NO_PROGRAMS
    return library
