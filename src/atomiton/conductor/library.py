"""Blueprints ready to run: read, compiled, bound to their node types, and kept for the next run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Protocol, cast

import msgspec

from atomiton.blueprint.compile import Positions, compile_blueprint, content_hash
from atomiton.blueprint.model import Blueprint, Durability
from atomiton.blueprint.plan import Plan
from atomiton.blueprint.positions import Places
from atomiton.blueprint.types import describe
from atomiton.conductor.calls import BUNDLE, Calls, StoredCalls
from atomiton.conductor.hooks import Hooks, hooks_in
from atomiton.conductor.inputs import Inputs
from atomiton.drivers.program import Program
from atomiton.errors import AtomitonError, BlueprintError, NotFound, Problem, StoreError
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

    @property
    def children(self) -> Mapping[str, Built]:
        """What it calls, by id."""
        ...


Source = Blueprint | str | PathLike[str] | Built
"""What names a blueprint: itself, the path of its file, or what was built in Python."""

#: How many compiled blueprints are kept.
KEPT = 256


class Ready:
    """A blueprint that can be run, and what its runs need.

    Attributes:
        blueprint: As it was given.
        program: It, compiled and bound.
        inputs: Checks and copies the inputs of a run.
    """

    __slots__ = ("blueprint", "inputs", "program")

    def __init__(self, blueprint: Blueprint, program: Program) -> None:
        self.blueprint = blueprint
        self.program = program
        self.inputs = Inputs(blueprint)


class Blueprints(Protocol):
    """Where documents of blueprints are on record: the part of a journal that is needed here."""

    async def load_blueprint(self, digest: str) -> bytes:
        """Give the document; ``NotFound`` if there is none."""
        ...


class Library:
    """Reads and compiles blueprints; the most recently used are kept compiled.

    Attributes:
        confined: Whether files named by callers and by blueprints are not read.
        closed: Capabilities that no node may have, each with the reason.

    Args:
        registry: The node types.
        capabilities: What nodes reach the world with.
        nodes: Node functions, or files of them, to add.
    """

    def __init__(
        self, registry: Registry, capabilities: Capabilities, nodes: Sequence[object] = ()
    ) -> None:
        self.registry = registry
        self.confined = False
        self.closed: dict[str, str] = {}
        self.files: list[Path] = []
        self.hooks: list[Hooks] = []
        self.capabilities = capabilities
        self._by_object: OrderedDict[tuple[int, str], Ready] = OrderedDict()
        self._by_hash: OrderedDict[tuple[str, str], Program] = OrderedDict()
        self._stored: set[str] = set()
        self._paths: OrderedDict[int, tuple[Blueprint, Path]] = OrderedDict()
        self._known: dict[str, Blueprint] = {}
        self._children: dict[tuple[int, str], tuple[Blueprint, Blueprint]] = {}
        #: Node types that came with blueprints, by name and version.
        self._adopted: dict[tuple[str, int], NodeType] = {}
        for item in nodes:
            if isinstance(item, NodeType):
                registry.add(item)
            elif isinstance(item, NodeFunction):
                registry.add(cast("NodeFunction[..., object]", item))
            else:
                self.load_nodes(Path(str(item)))

    def load_nodes(self, path: Path) -> None:
        """Take up the node types of a file, and of one of Python its hooks; ``BlueprintError``."""
        before = len(self.registry.loaded)
        self.registry.load_file(path)
        if len(self.registry.loaded) == before:  # declarations: no code was run
            return
        self.files.append(path)
        found = hooks_in(self.registry.loaded[-1])
        self.hooks.extend(hooks for hooks in found if hooks not in self.hooks)

    def ready(self, source: Source) -> Ready:
        """Read and compile what is to be run; errors are those of ``load`` and ``program``."""
        source = self.load(source)
        found = self._by_object.get((id(source), source.durability))
        if found is None:
            self.program(source)
            found = self._by_object[id(source), source.durability]
        return found

    def load(self, source: Source) -> Blueprint:
        """Read a blueprint from where it is named.

        Raises:
            BlueprintError: If the file is not a blueprint.
            NotFound: If there is no such file.
            AtomitonError: If it is nothing that can name a blueprint.
        """
        if isinstance(source, Blueprint):
            return self.adapt(source)
        if hasattr(source, "blueprint"):
            return self._load_built(cast("Built", source))
        blueprint, positions = self._read_file(_path_of(source))
        # Compiled here because only here are the places in the text known, for problems.
        self._remember(blueprint, self._compile(blueprint, positions))
        return blueprint

    def _read_file(self, path: Path, *, called: bool = False) -> tuple[Blueprint, Positions]:
        """Read a file."""
        if self.confined:
            raise NotFound("files are not read here: save the blueprint, and name it by its id")
        try:
            text = path.read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"there is no blueprint file {path}") from error
        except IsADirectoryError as error:
            raise NotFound(f"{path} is a folder, not the file of a blueprint") from error
        except (OSError, ValueError) as error:  # a NUL character is a ValueError
            reason = error.strerror if isinstance(error, OSError) else error
            raise NotFound(f"{str(path)!r} cannot be read: {reason}") from error
        return self._read_text(text, path, called=called)

    def check(self, text: str | bytes, path: Path) -> None:
        """Refuse what cannot be run, as if a file held it; ``BlueprintError`` with every problem.

        Args:
            text: YAML or JSON.
            path: The file; what is called beside it is found there.
        """
        blueprint, positions = self._read_text(text, path)
        self._compile(blueprint, positions)

    def _read_text(
        self, text: str | bytes, path: Path, *, called: bool = False
    ) -> tuple[Blueprint, Positions]:
        """Read a text, and note where it is for the blueprints that it calls."""
        from atomiton.blueprint.document import read_blueprint

        blueprint, document = read_blueprint(text, filename=str(path))
        blueprint = self.adapt(blueprint, called=called)
        self._note_file(blueprint, path.resolve())
        return blueprint, document.positions

    def _read_called(self, path: Path) -> Blueprint:
        return self._read_file(path, called=True)[0]

    def adapt(self, blueprint: Blueprint, *, called: bool = False) -> Blueprint:
        """Give the blueprint to run for one that was named: itself, unless a subclass differs.

        Args:
            blueprint: As it was read.
            called: Whether another blueprint names it.
        """
        del called
        return blueprint

    def _note_file(self, blueprint: Blueprint, file: Path | None) -> None:
        if file is not None:
            self._paths[id(blueprint)] = (blueprint, file)
            if len(self._paths) > 4 * KEPT:
                self._paths.popitem(last=False)

    def _file(self, blueprint: Blueprint) -> Path | None:
        found = self._paths.get(id(blueprint))
        return None if found is None else found[1]

    def take(self, blueprint: Blueprint, positions: Places | None) -> None:
        """Compile a blueprint that was read from a text, whose places problems are to name."""
        self._remember(blueprint, self._compile(blueprint, positions))

    def examine(self, blueprint: Blueprint, positions: Places | None) -> None:
        """Raise what keeps a blueprint from being run; it is not kept."""
        calls = Calls(self._read_called, self._file, self._find_known, blueprint)
        plan = compile_blueprint(blueprint, self.registry, positions, calls.resolve)
        self._check_doors(plan)

    def note_child(self, caller: Blueprint, called: Blueprint) -> None:
        """Make a blueprint known to one that calls it by its id."""
        self._children[id(caller), called.id] = (caller, called)
        while len(self._children) > 16 * KEPT:
            del self._children[next(iter(self._children))]

    def add(self, blueprint: Blueprint) -> None:
        """Make a blueprint known, so that others can call it by its id."""
        self._known[blueprint.id] = blueprint

    def _load_built(self, source: Built) -> Blueprint:
        blueprint = source.blueprint
        if (id(blueprint), blueprint.durability) not in self._by_object:
            self._take_in(source)
            self._remember(blueprint, self._compile(blueprint, source.positions))
        return blueprint

    def _take_in(self, source: Built) -> None:
        """Make known what comes with a blueprint that was built in Python."""
        for type_ in source.types:
            self._adopt(type_)
        self._add_children(source)

    def _add_children(self, source: Built) -> None:
        """Note the blueprints that one built in Python calls, and those that these call."""
        for child in source.children.values():
            known = (source.blueprint, child.blueprint)
            self._children[id(source.blueprint), child.blueprint.id] = known
            self._add_children(child)

    def _find_known(self, caller: Blueprint, id_: str) -> Blueprint | None:
        found = self._children.get((id(caller), id_))
        return self._known.get(id_) if found is None else found[1]

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
            return found.program
        changed = blueprint
        if wanted != blueprint.durability:
            document = {**blueprint.document, "durability": wanted}
            changed = msgspec.structs.replace(blueprint, durability=wanted, document=document)
            self._note_file(changed, self._file(blueprint))
        program = self._compile(changed, None)
        self._remember(blueprint, program)
        return program

    def _remember(self, blueprint: Blueprint, program: Program) -> None:
        self._by_object[id(blueprint), program.plan.durability] = Ready(blueprint, program)
        if len(self._by_object) > KEPT:
            self._by_object.popitem(last=False)

    def _compile(self, blueprint: Blueprint, positions: Positions | None) -> Program:
        """Compile and bind; what calls others is made anew, since they may have changed."""
        digest = content_hash(blueprint.document) if blueprint.document else ""
        program = self._by_hash.get((digest, blueprint.durability)) if digest else None
        if program is None:
            calls = Calls(self._read_called, self._file, self._find_known, blueprint)
            plan = compile_blueprint(blueprint, self.registry, positions, calls.resolve)
            record: Mapping[str, object] = blueprint.document
            if plan.hash != digest:
                record = {BUNDLE: 1, **calls.bundle(blueprint)}
            program = self._bind(plan, blueprint, record)
            if digest:
                self._by_hash[plan.hash, blueprint.durability] = program
                if len(self._by_hash) > KEPT:
                    self._by_hash.popitem(last=False)
        return program

    def _bind(self, plan: Plan, blueprint: Blueprint, record: Mapping[str, object]) -> Program:
        self._check_doors(plan)
        calls = [self._call(node.type, node.runtime) for node in plan.uses]
        return Program(plan, calls, blueprint, record)

    def _check_doors(self, plan: Plan) -> None:
        """Refuse node types that need a capability which is closed here."""
        problems = [
            Problem("NOT_ALLOWED", f"'{node.type.name}' is refused: {why}", f"nodes.{node.id}.uses")
            for node in plan.uses
            if isinstance(node.type, NodeType)
            for door, why in self.closed.items()
            if door in node.type.capabilities.values()
        ]
        if problems:
            raise BlueprintError(problems)

    def _call(self, type_: object, runtime: str | None) -> NodeCall:
        assert isinstance(type_, NodeType)
        return NodeCall(type_, self.capabilities, runtime)

    def program_of(self, plan: Plan) -> Program:
        """The program that a plan is of; ``NotFound`` if it is kept no more."""
        programs = [*self._by_hash.values(), *(ready.program for ready in self._by_object.values())]
        for program in programs:
            if program.plan is plan:
                return program
        raise NotFound(f"the blueprint '{plan.id}' is no longer at hand")

    async def keep(self, journal: Journal, program: Program) -> None:
        """Put the blueprint that a run is pinned to on record, once."""
        digest = program.plan.hash
        if digest not in self._stored:
            await journal.save_blueprint(digest, msgspec.json.encode(program.record))
            self._stored.add(digest)

    async def stored(self, journal: Blueprints, header: RunHeader) -> Program:
        """The blueprint that a run is pinned to.

        Raises:
            StoreError: What is on record is not what the run started with.
        """
        for (digest, _durability), program in self._by_hash.items():
            if digest == header.blueprint_hash:
                return program
        stored = await journal.load_blueprint(header.blueprint_hash)
        try:
            bundle = msgspec.json.decode(stored, type=dict[str, object])
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise _damaged(header) from error
        program = self.restore(bundle)
        if program.plan.hash != header.blueprint_hash:
            raise _damaged(header)
        self._by_hash[program.plan.hash, program.plan.durability] = program
        return program

    def restore(self, bundle: dict[str, object]) -> Program:
        """Compile and bind a blueprint of its record; ``BlueprintError`` if it cannot be run."""
        from atomiton.blueprint.document import read_document

        if BUNDLE not in bundle:
            return self._compile(read_document(bundle), None)
        calls = StoredCalls(read_document)
        blueprint = calls.open(bundle)
        plan = compile_blueprint(blueprint, self.registry, None, calls.resolve)
        return self._bind(plan, blueprint, bundle)


def _damaged(header: RunHeader) -> StoreError:
    return StoreError(
        f"blueprint {header.blueprint_hash} of run {header.run} is damaged: it is not what the "
        "run started with"
    )


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
