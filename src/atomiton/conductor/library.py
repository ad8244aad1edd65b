"""Blueprints ready to run: read, compiled, bound to their node types, and kept for the next run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import cast

import msgspec

from atomiton.blueprint.compile import compile_blueprint, content_hash
from atomiton.blueprint.model import Blueprint, Durability
from atomiton.blueprint.types import describe
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError, NotFound
from atomiton.nodes.call import NodeCall
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import Registry
from atomiton.nodes.spec import NodeFunction, NodeType
from atomiton.ports.journal import Journal, RunHeader

Source = Blueprint | str | PathLike[str]
"""What names a blueprint: itself, or the path of its file."""

#: How many compiled blueprints are kept.
KEPT = 256


class Library:
    """Reads and compiles blueprints; the most recently used are kept compiled.

    Args:
        registry: The node types.
        capabilities: What nodes reach the world with.
        nodes: Node functions, or files of them, to add.
    """

    def __init__(
        self, registry: Registry, capabilities: Capabilities, nodes: Sequence[object] = ()
    ) -> None:
        self.registry = registry
        self.files: list[Path] = []
        self.capabilities = capabilities
        self._by_object: OrderedDict[tuple[int, str], tuple[Blueprint, Program]] = OrderedDict()
        self._by_hash: OrderedDict[tuple[str, str], Program] = OrderedDict()
        self._stored: set[str] = set()
        for item in nodes:
            if isinstance(item, NodeType):
                registry.add(item)
            elif isinstance(item, NodeFunction):
                registry.add(cast("NodeFunction[..., object]", item))
            else:
                path = Path(str(item))
                registry.load_file(path)
                self.files.append(path)

    def load(self, source: Source) -> Blueprint:
        """Read a blueprint from where it is named.

        Raises:
            BlueprintError: If the file is not a blueprint.
            NotFound: If there is no such file.
            AtomitonError: If it is nothing that can name a blueprint.
        """
        if isinstance(source, Blueprint):
            return source
        from atomiton.blueprint.document import read_blueprint

        path = _path_of(source)
        try:
            text = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"there is no blueprint file {path}") from error
        except IsADirectoryError as error:
            raise NotFound(f"{path} is a folder, not the file of a blueprint") from error
        except (OSError, ValueError) as error:  # a NUL character is a ValueError
            reason = error.strerror if isinstance(error, OSError) else error
            raise NotFound(f"{str(path)!r} cannot be read: {reason}") from error
        blueprint, document = read_blueprint(text, filename=str(path))
        # Compiled here because only here are the places in the text known, for problems.
        self._remember(blueprint, self._compile(blueprint, document.positions))
        return blueprint

    def program(self, blueprint: Blueprint, durability: Durability | None = None) -> Program:
        """The blueprint, compiled and bound; ``BlueprintError`` if it cannot be run."""
        wanted = durability or blueprint.durability
        found = self._by_object.get((id(blueprint), wanted))
        if found is not None:
            return found[1]
        changed = blueprint
        if wanted != blueprint.durability:
            document = {**blueprint.document, "durability": wanted}
            changed = msgspec.structs.replace(blueprint, durability=wanted, document=document)
        program = self._compile(changed, None)
        self._remember(blueprint, program)
        return program

    def _remember(self, blueprint: Blueprint, program: Program) -> None:
        self._by_object[id(blueprint), program.plan.durability] = (blueprint, program)
        if len(self._by_object) > KEPT:
            self._by_object.popitem(last=False)

    def _compile(self, blueprint: Blueprint, positions: object) -> Program:
        digest = content_hash(blueprint.document) if blueprint.document else ""
        key = (digest, blueprint.durability)
        program = self._by_hash.get(key) if digest else None
        if program is None:
            plan = compile_blueprint(blueprint, self.registry, positions)  # type: ignore[arg-type]
            calls = [self._call(node.type, node.runtime) for node in plan.root.nodes]
            program = Program(plan, calls, blueprint)
            if digest:
                self._by_hash[key] = program
                if len(self._by_hash) > KEPT:
                    self._by_hash.popitem(last=False)
        return program

    def _call(self, type_: object, runtime: str | None) -> NodeCall | None:
        if not isinstance(type_, NodeType):
            return None
        return NodeCall(type_, self.capabilities, runtime)

    async def keep(self, journal: Journal, program: Program) -> None:
        """Put the blueprint that a run is pinned to on record, once."""
        digest = program.plan.hash
        if digest not in self._stored:
            await journal.save_blueprint(digest, msgspec.json.encode(program.blueprint.document))
            self._stored.add(digest)

    async def stored(self, journal: Journal, header: RunHeader) -> Program:
        """The blueprint that a run is pinned to."""
        for (digest, _durability), program in self._by_hash.items():
            if digest == header.blueprint_hash:
                return program
        from atomiton.blueprint.document import read_document

        document = msgspec.json.decode(await journal.load_blueprint(header.blueprint_hash))
        return self._compile(read_document(document), None)


def _path_of(source: object) -> Path:
    # Callers without a type checker give anything.
    place: object = (
        fspath(cast("PathLike[str]", source)) if isinstance(source, PathLike) else source
    )
    if not isinstance(place, str):
        message = f"a run needs a Blueprint or the path of a file, got {describe(place)}"
        hint = "; read_document makes a Blueprint of data" if isinstance(place, dict) else ""
        raise AtomitonError(message + hint, code="INVALID_INPUT")
    if not place:
        raise AtomitonError("the path of the blueprint is empty", code="INVALID_INPUT")
    return Path(place)
