"""Opening the store for a verb, and finding the run that was meant."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

import click

from atomiton.cli.elsewhere import Reached
from atomiton.cli.mirrors import Elsewhere
from atomiton.cli.prepare import make_library
from atomiton.conductor import Conductor
from atomiton.conductor.conductor import conductor_at
from atomiton.conductor.places import main_process
from atomiton.errors import AtomitonError, NotFound
from atomiton.nodes.registry import Registry
from atomiton.nodes.spec import NodeType, Parameter

run_argument = click.argument("run", metavar="RUN")
#: So many of the runs that may be meant are looked for: one more than are shown.
_SHOWN = 5


@asynccontextmanager
async def opened(
    store: str | None,
    nodes: Sequence[str] = (),
    *,
    strict: bool = False,
    blueprints: str | None = None,
) -> AsyncGenerator[Conductor]:
    """A conductor on the store that is there; none is made.

    Args:
        store: Its address.
        nodes: Files of node types.
        strict: Whether every node type must be known, because nodes are to be run.
        blueprints: Where blueprints are kept, if not beside the runs.

    Raises:
        NotFound: There is no store at that address.
    """
    library = make_library(nodes, None if strict else lenient())
    conductor = conductor_at(store, blueprints=blueprints)
    if conductor.in_memory:
        raise NotFound("runs in memory end with their process: there is nothing to look at")
    path = getattr(conductor.journal, "path", None)
    if path is not None and not path.exists():
        raise NotFound(f"there is no store at {path} yet: nothing was run on record")
    conductor.library = library
    conductor.capabilities = library.capabilities  # closed with the conductor
    async with conductor:
        yield conductor


@asynccontextmanager
async def reached(
    store: str | None,
    nodes: Sequence[str] = (),
    *,
    strict: bool = False,
    blueprints: str | None = None,
) -> AsyncGenerator[Reached]:
    """The main process of the store if there is one, else what ``opened`` gives.

    Who brings node types of their own, or blueprints that are kept elsewhere, needs a conductor
    that knows them: one of this process.
    """
    address = None if nodes or blueprints else main_process(store)
    if address is None:
        async with opened(store, nodes, strict=strict, blueprints=blueprints) as conductor:
            yield conductor
    else:
        async with Elsewhere(address, make_library((), lenient())) as conductor:
            yield conductor


def lenient() -> Registry:
    """The built-in node types, and a stand-in for any other: enough to look at its runs."""
    return _Lenient.builtin()


class _Lenient(Registry):
    """Knows every name."""

    def get(self, name: str) -> NodeType:
        try:
            return super().get(name)
        except NotFound:
            return NodeType(
                name=name,
                function=_absent,
                is_async=False,
                runtime="inline",
                parameters=(Parameter("given", {}, required=False, variadic=True),),
            )


def _absent(**_: object) -> NoReturn:
    raise AtomitonError("the node type is not known here", code="UNKNOWN_NODE_TYPE")


async def find_run(conductor: Reached, name: str) -> str:
    """The id of the run that a name means.

    Args:
        conductor: Knows the runs.
        name: An id, a beginning or an end of one, or ``last``.

    Raises:
        NotFound: No run is meant, or more than one.
    """
    if name == "last":
        newest = await conductor.list(limit=1)
        if not newest:
            raise NotFound("there are no runs on record")
        return newest[0].run
    try:
        return (await conductor.header(name)).run
    except NotFound:
        found = await conductor.matching(name, _SHOWN) if name else []
    if not found:
        raise NotFound(f"there is no run {name!r}; atomiton runs list shows all")
    if len(found) > 1:
        some = ", ".join(found[:4]) + (", ..." if len(found) > 4 else "")
        raise NotFound(f"{name!r} may be any of {some}")
    return found[0]
