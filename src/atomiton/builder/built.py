"""Blueprints made in Python: of a function that is traced once, or of YAML."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import PurePath
from typing import Generic, NamedTuple, ParamSpec, TypeVar, cast

from atomiton.blueprint.document import FORMAT, read_blueprint, read_document
from atomiton.blueprint.emit import in_order, to_yaml
from atomiton.blueprint.model import Blueprint, Json
from atomiton.blueprint.positions import Places
from atomiton.builder.inputs import declared_inputs, names_around, signature_of
from atomiton.builder.literals import as_document, as_part
from atomiton.builder.parts import Part, Root, select
from atomiton.builder.places import placed_at, wrong
from atomiton.builder.plain import plain_call
from atomiton.builder.scopes import current
from atomiton.builder.standing import Ends
from atomiton.builder.traced import Traced
from atomiton.builder.tracer import Tracer
from atomiton.errors import AtomitonError, NodeError, NotFound
from atomiton.nodes.recording import RECORDER, Policies
from atomiton.nodes.schema import converts, is_class, schema_of, show_type
from atomiton.nodes.signature import Parameter
from atomiton.nodes.spec import NodeType
from atomiton.nodes.values import converter, to_value

P = ParamSpec("P")
R = TypeVar("R")


class _Traced(NamedTuple):
    """What one tracing gave."""

    blueprint: Blueprint
    types: tuple[NodeType, ...]
    children: dict[str, BuiltBlueprint]
    positions: Places


class BuiltBlueprint:
    """A blueprint that was read from YAML, as something that can be run.

    Args:
        blueprint: The model.
        positions: Line and column of each place in what it was read from, for problems.
    """

    def __init__(self, blueprint: Blueprint, positions: Places | None = None) -> None:
        self._blueprint = blueprint
        self._positions = positions

    @property
    def blueprint(self) -> Blueprint:
        """The model, checked in its shape."""
        return self._blueprint

    @property
    def types(self) -> Sequence[NodeType]:
        """The node types it was built with; a conductor that runs it knows them by this."""
        return ()

    @property
    def children(self) -> Mapping[str, BuiltBlueprint]:
        """The blueprints it calls and was built with, by id; each has its own."""
        return {}

    @property
    def positions(self) -> Places | None:
        """Line and column of each place in the text it was made of, for problems."""
        return self._positions

    def to_yaml(self) -> str:
        """The blueprint as YAML, which reads as the same blueprint."""
        return to_yaml(self.blueprint.document)

    def to_python(self) -> str:
        """The source of a function that builds the same blueprint."""
        from atomiton.blueprint.python import to_python  # few ask for it
        from atomiton.nodes.functions import function_of

        return to_python(self.blueprint, function_of)

    def run_with(self, inputs: Mapping[str, object], *, store: str = "memory:") -> object:
        """Run it to its end, from code that is not asynchronous.

        Args:
            inputs: By name, as the blueprint declares them.
            store: Where the run is kept; by default in memory only.

        Returns:
            Its output, as JSON.

        Raises:
            BlueprintError: It cannot be run.
            InputError: The inputs do not fit.
            RunFailed: The run failed or was cancelled.
        """
        refuse_in_blueprint(self.blueprint.id)
        from atomiton.conductor.synchronous import run  # whoever only builds needs no engine

        return run(self, inputs, store=store).value()


class BlueprintFunction(BuiltBlueprint, Generic[P, R]):
    """A function that builds a blueprint; made by ``@blueprint``.

    Called, it runs its function as ordinary Python, for tests; in another blueprint that is being
    built, the call is recorded and this one becomes its child.
    """

    def __init__(self, function: Callable[P, R], head: dict[str, Json]) -> None:
        self.function = function
        self.id = str(head["id"])
        self._head = head
        self._around = names_around(function)
        functools.update_wrapper(cast("Callable[P, R]", self), function)

    @property
    def blueprint(self) -> Blueprint:
        """The model; the function is traced when it is first asked for."""
        return self._traced.blueprint

    @property
    def types(self) -> Sequence[NodeType]:
        """The node types of the calls in the function and in its children."""
        found = {(type_.name, type_.version): type_ for type_ in self._traced.types}
        for child in _descendants(self):
            found |= {(type_.name, type_.version): type_ for type_ in child.types_of_its_own}
        return tuple(found.values())

    @property
    def types_of_its_own(self) -> Sequence[NodeType]:
        """The node types of the calls in the function itself."""
        return self._traced.types

    @property
    def children(self) -> Mapping[str, BuiltBlueprint]:
        """The blueprints that the function calls, by id."""
        return self._traced.children

    @property
    def positions(self) -> Places | None:
        """Line of the call that made each node."""
        return self._traced.positions

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Record a call of this blueprint, or run the function as ordinary Python."""
        trace = current()
        if not isinstance(trace, Tracer):
            return plain_call(self.function, *args, **kwargs)
        return self.called(trace, Policies(), args, kwargs)

    def called(
        self,
        trace: Tracer,
        policies: Policies,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> R:
        """Record a call of this blueprint in another one that is being built.

        Args:
            trace: The tracing.
            policies: Of the node that calls it.
            args: Inputs in order.
            kwargs: Inputs by name.
        """
        given = self._bound(args, kwargs)
        known = trace.children.setdefault(self.id, self)
        if known is not self:
            raise wrong(f"there is another blueprint with the id {self.id!r} here", "rename it")
        with trace.collect() as roots:
            parameters: Json = {name: as_document(value) for name, value in given.items()}
        document: dict[str, Json] = {"call": self.id}
        if parameters:
            document["with"] = parameters
        return cast("R", trace.node(document, roots, policies, self.id))

    def inputs_of(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, object]:
        """The inputs of a run, as JSON, that mean what a call with these arguments does.

        Raises:
            TypeError: The arguments do not fit the function.
            AtomitonError: One has no JSON form.
        """
        given = self._signature.bind(*args, **kwargs).arguments
        return {name: to_value(value) for name, value in given.items()}

    def run(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the blueprint to its end, in memory, and give its output with its own type.

        Raises:
            BlueprintError: It cannot be run, or its function cannot be traced.
            InputError: The inputs do not fit.
            RunFailed: The run failed or was cancelled.
        """
        refuse_in_blueprint(self.id)
        from atomiton.conductor.synchronous import run  # whoever only builds needs no engine

        return self.converted(run(self, self.inputs_of(*args, **kwargs)).value())

    async def arun(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """As ``run``, for code that is asynchronous."""
        refuse_in_blueprint(self.id)
        from atomiton.conductor.conductor import Conductor  # as above

        inputs = self.inputs_of(*args, **kwargs)
        async with Conductor("memory:", resume=False) as conductor:
            result = await conductor.run(self, inputs)
        return self.converted(result.value())

    def converted(self, output: object) -> R:
        """The output of a run, as what the function says it returns.

        Raises:
            AtomitonError: With code TYPE_MISMATCH, when it is nothing of that type.
        """
        type_ = self._signature.return_annotation
        if type_ is None or type_ is type(None):
            return cast("R", None)
        port = Parameter("output", schema_of(type_), annotation=type_ if converts(type_) else None)
        convert = converter(port)
        try:
            return cast("R", output if convert is None else convert(output))
        except NodeError as error:
            message = f"the output of {self.id!r} is no {show_type(type_)}: {error.message}"
            raise AtomitonError(message, code="TYPE_MISMATCH") from error

    # -- tracing ---------------------------------------------------------------------------

    @functools.cached_property
    def _signature(self) -> inspect.Signature:
        return signature_of(self.function, self._around)

    @functools.cached_property
    def _traced(self) -> _Traced:
        trace = Tracer(inspect.unwrap(self.function).__code__)
        inputs = {
            name: Traced(_input(trace, name, parameter))
            for name, parameter in self._signature.parameters.items()
        }
        token = RECORDER.set(trace)
        try:
            declared = declared_inputs(self.function, self._signature)
            result = cast("Callable[..., object]", self.function)(**inputs)
            if trace.caught is not None:
                raise trace.caught
            with trace.collect() as roots, placed_at(self.function):
                output = None if isinstance(result, Ends) else as_document(result)
                if not isinstance(result, Ends):
                    trace.top.prune(frozenset(roots))
                if not trace.top.records:
                    raise wrong(
                        f"blueprint {self.id!r} calls no node, so there is nothing to run",
                        "call functions made by @node in it",
                    )
        finally:
            RECORDER.reset(token)
        document: dict[str, Json] = {"atomiton": FORMAT, **self._head}
        if not isinstance(result, Ends):
            document["output"] = output
        document["nodes"] = cast("Json", trace.top.document())
        more = cast("dict[str, Json]", document.pop("inputs", {}))
        if declared or more:
            document["inputs"] = {**cast("dict[str, Json]", declared), **more}
        if trace.secrets:
            listed = cast("list[Json]", document.get("secrets", []))
            document["secrets"] = list(dict.fromkeys([*listed, *trace.secrets]))
        places = dict(_places(document["nodes"], ("nodes",), trace.lines))
        whole = in_order(document)
        types = tuple(trace.types.values())
        return _Traced(read_document(whole, places, places), types, trace.children, places)

    def _bound(self, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, object]:
        try:
            return dict(self._signature.bind(*args, **kwargs).arguments)
        except TypeError as error:
            listed = ", ".join(self._signature.parameters)
            raise wrong(f"'{self.id}': {error}", f"its inputs: {listed or 'none'}") from None


def _input(trace: Tracer, name: str, parameter: inspect.Parameter) -> Part:
    annotation = parameter.annotation
    given = Part("inputs", roots=frozenset({Root("inputs", trace.top)}))
    text = is_class(annotation) and issubclass(annotation, str | PurePath)
    made = select(given, name, as_part(name).source)
    return made._replace(operand=None, text=text, schema=_known(parameter))


def _known(parameter: inspect.Parameter) -> Mapping[str, object]:
    """The schema of an input; nothing where it may also be null, or where its type has none."""
    if parameter.default is None:
        return {}
    try:
        return schema_of(parameter.annotation)
    except TypeError:  # which is told, with the name of the input, where the input is declared
        return {}


def refuse_in_blueprint(id_: str) -> None:
    """Refuse to run a blueprint while another is being built: nothing is run then."""
    if current() is not None:
        raise wrong(f"{id_!r} cannot be run while another blueprint is built", "call it instead")


def _descendants(built: BuiltBlueprint) -> list[BlueprintFunction[..., object]]:
    """All blueprints below one, each once; blueprints may call each other in a circle."""
    found: list[BlueprintFunction[..., object]] = []
    todo = list(built.children.values())
    while todo:
        child = todo.pop()
        if isinstance(child, BlueprintFunction) and child not in found:
            known = cast("BlueprintFunction[..., object]", child)
            found.append(known)
            todo.extend(known.children.values())
    return found


def _places(
    nodes: Json, path: tuple[str | int, ...], lines: Mapping[str, int]
) -> list[tuple[tuple[str | int, ...], tuple[int, int]]]:
    """Line of each node, also of those in groups."""
    found: list[tuple[tuple[str | int, ...], tuple[int, int]]] = []
    for name, node in nodes.items() if isinstance(nodes, dict) else ():
        place = (*path, name)
        if name in lines:
            found.append((place, (lines[name], 1)))
        if isinstance(node, dict):
            found.extend(_places(node.get("nodes"), (*place, "nodes"), lines))
    return found


def from_yaml(source: str | PathLike[str]) -> BuiltBlueprint:
    r"""Read a blueprint from YAML.

    Args:
        source: The path of a file; or the text, if it has more than one line.

    Returns:
        Something that can be run, and written as YAML again.

    Raises:
        BlueprintError: It is not a blueprint.
        NotFound: There is no such file.

    Example:
        >>> text = "atomiton: 1\nid: hi\nnodes: {a: {uses: data.value, with: {value: 1}}}"
        >>> from_yaml(text).run_with({})
        {'a': 1}
    """
    if isinstance(source, str) and "\n" in source:
        blueprint, document = read_blueprint(source)
        return BuiltBlueprint(blueprint, document.positions)
    try:
        with open(source, "rb") as file:
            text = file.read()
    except OSError as error:
        raise NotFound(f"the blueprint {source!s} cannot be read: {error.strerror}") from error
    blueprint, document = read_blueprint(text, filename=str(source))
    return BuiltBlueprint(blueprint, document.positions)
