"""Blueprints ready to run: read, compiled, bound to their node types, and kept for the next run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Protocol, cast

import msgspec

from atomiton.blueprint.compile import compile_blueprint, content_hash
from atomiton.blueprint.model import Blueprint, Durability
from atomiton.blueprint.positions import Places
from atomiton.blueprint.types import describe
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError, BlueprintError, NotFound, Problem
from atomiton.nodes.call import NodeCall
from atomiton.nodes.guard import Capabilities
from atomiton.nodes.registry import BUILTIN, Registry
from atomiton.nodes.spec import NodeFunction, NodeType
from atomiton.ports.journal import Journal, RunHeader


class Built(Protocol):
    """A blueprint that was built with its node types, such as a function of ``@blueprint``."""

    @property
    def blueprint(self) -> Blueprint:
        """The model."""
        ...

    @property
    def types(self) -> Sequence[NodeType]:
        """The node types it uses, and those of the blueprints it calls."""
        ...

    @property
    def positions(self) -> Places | None:
        """Line and column of each place in what it was built of, for problems."""
        ...


Source = Blueprint | str | PathLike[str] | Built
"""What names a blueprint: itself, the path of its file, or what was built in Python."""

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
        #: Node types that came with blueprints, by name and version.
        self._adopted: dict[tuple[str, int], NodeType] = {}
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
        """
        if isinstance(source, Blueprint):
            return source
        if not isinstance(source, str | PathLike):
            return self._load_built(source)
        from atomiton.blueprint.document import read_blueprint

        path = Path(source)
        try:
            text = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"there is no blueprint file {path}") from error
        except OSError as error:
            raise NotFound(f"{path} cannot be read: {error.strerror}") from error
        blueprint, document = read_blueprint(text, filename=str(path))
        # Compiled here because only here are the places in the text known, for problems.
        self._remember(blueprint, self._compile(blueprint, document.positions))
        return blueprint

    def _load_built(self, source: Built) -> Blueprint:
        if not hasattr(source, "blueprint"):  # callers without a type checker give anything
            message = f"a run needs a Blueprint or the path of a file, got {describe(source)}"
            raise AtomitonError(message, code="INVALID_INPUT")
        blueprint = source.blueprint
        if (id(blueprint), blueprint.durability) not in self._by_object:
            for type_ in source.types:
                self._adopt(type_)
            self._remember(blueprint, self._compile(blueprint, source.positions))
        return blueprint

    def _adopt(self, type_: NodeType) -> None:
        """Add a node type that comes with a blueprint; what was given to us before wins."""
        key = (type_.name, type_.version)
        known = self._adopted.get(key)
        if known is not None and known.function is type_.function:
            return
        name = f"{type_.name}@{type_.version}"
        if known is None and name in self.registry:
            found = self.registry.get(name)
            ours = type_.name in BUILTIN and found.source.startswith("atomiton.nodes.")
            if not ours or found.function is type_.function:
                return
            known = found
        if known is not None and known.source != type_.source:
            message = f"two node types are called '{type_.name}': {known.source} and {type_.source}"
            hint = "give one of them another name: @node('name')"
            raise BlueprintError([Problem("INVALID_BLUEPRINT", message, hint=hint)])
        if known is not None:  # defined anew, as in a notebook
            self._by_hash.clear()
            self._by_object.clear()
        self._adopted[key] = self.registry.add(type_)

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
