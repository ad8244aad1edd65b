"""Nodes together: the statements of a body, and the functions of groups and repeats."""

from __future__ import annotations

import re
from typing import Final, cast

from atomiton.blueprint.model import Json, Node
from atomiton.blueprint.python.layout import Code, Group, behind, flat, laid, quoted
from atomiton.blueprint.python.names import Scope
from atomiton.blueprint.python.nodes import (
    OF_EACH_TURN,
    POLICIES,
    Document,
    Writing,
    branching,
    called,
    needs,
    only,
    policies,
    verbatim_step,
    waiting,
)
from atomiton.blueprint.python.values import Inexpressible, raw

_REPEAT: Final = frozenset({"map", "as", "concurrency", "on_item_error", "loop", "needs"})


class Bodies:
    """Writes bodies.

    Args:
        writing: What all parts of the code share.
    """

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def body(
        self, nodes: dict[str, Node], documents: Document, scope: Scope, indent: int
    ) -> list[str]:
        """The statements that record nodes, in their order."""
        lines: list[str] = []
        for id_, node in nodes.items():
            document = cast("Document", documents[id_])
            lines += self._node(id_, document, node, scope, indent)
            scope.here.add(id_)
        return lines

    def _node(
        self, id_: str, document: Document, node: Node, scope: Scope, indent: int
    ) -> list[str]:
        writing = self._writing
        if id_ in scope.values:  # it hides another one, which the builder does not let it do
            raise Inexpressible
        ids = set(writing.ids)
        before: list[str] = []
        try:
            if "nodes" in document:
                before, code = self._group(id_, document, node, scope, indent)
            elif "map" in document or "loop" in document:
                code = self._repeated(id_, document, node, scope)
            elif "branch" in document:
                code = branching(writing, document, node, id_, scope)
            elif "wait" in document:
                code = waiting(writing, document, id_, scope, node)
            else:
                code = called(writing, document, node, scope, id_=id_)
        except Inexpressible:
            writing.ids.clear()
            writing.ids.update(ids)
            before, code = [], verbatim_step(writing, document, id_)
        writing.ids.add(id_)
        variable = scope.bind(id_)
        statement = laid(behind(f"{variable} = ", code), indent)
        return [*before, f"{' ' * indent}{statement}"]

    # -- repeats -------------------------------------------------------------------------------

    def _repeated(self, id_: str, document: Document, node: Node, scope: Scope) -> Code:
        """One node, repeated."""
        only(document, *OF_EACH_TURN, *_REPEAT)
        inner, names = self._turn(document, scope)
        body = {key: value for key, value in document.items() if key in OF_EACH_TURN}
        made = called(self._writing, body, node, inner)
        used = self._used(names, body)
        function = behind(f"lambda {', '.join(names[:used])}: ", made)
        return self._repeat(id_, document, node, scope, function)

    def _turn(self, document: Document, scope: Scope) -> tuple[Scope, list[str]]:
        """The scope of an item or a turn, and its parameters."""
        if "map" in document:
            item = document.get("as", "item")
            assert isinstance(item, str)
            bound = (item, "index")
        else:
            bound = ("acc", "index")
        around = scope.binds_around()
        if bound[0] in around or bound[0] in scope.values or bound[0] in self._writing.ids:
            raise Inexpressible  # the builder would give it another name
        inner = Scope(scope, bound=bound)
        for name in bound:
            inner.values.pop(name, None)
        names = [inner.bind(name) for name in bound]
        if "map" in document and names[0] != bound[0]:
            raise Inexpressible  # the name of the parameter is the name of the item
        return inner, names

    @staticmethod
    def _used(names: list[str], *parts: Json) -> int:
        """How many of the parameters are taken: the second only where it is spoken of."""
        return len(names) if re.search(r"\bindex\b", repr(parts)) else 1

    def _repeat(
        self, id_: str, document: Document, node: Node, scope: Scope, function: Code
    ) -> Code:
        values, builder = self._writing.values, self._writing.imports.builder
        given: list[Code] = []
        if "map" in document:
            head = builder("each")
            first = [values.value(document["map"], scope), function]
            given += [
                f"{key}={laid(raw(document[key]), 0)}"
                for key in ("concurrency", "on_item_error")
                if document.get(key) is not None
            ]
        else:
            head = builder("repeat")
            loop = cast("Document", document["loop"])
            only(loop, "while", "until", "times", "start", "max", "delay")
            first = [function, values.value(loop.get("start"), scope)]
            given += self._loop(loop, scope)
        given.append(f"id={quoted(id_)}")
        if document.get("needs"):
            given.append(behind("needs=", needs(self._writing, node.needs, scope)))
        return Group(f"{head}(", (*first, *given), ")")

    def _loop(self, loop: Document, scope: Scope) -> list[Code]:
        values = self._writing.values
        found: list[Code] = []
        inner = Scope(scope, bound=("acc", "index"))
        acc = inner.bind("acc")
        for key in ("while", "until"):
            if key in loop:
                code = values.condition(loop[key], inner)
                name = "while_" if key == "while" else key
                found.append(behind(f"{name}=lambda {acc}: ", code))
        if "times" in loop:
            times = loop["times"]
            if isinstance(times, int) and not isinstance(times, bool):
                found.append(f"times={times}")
            else:
                found.append(behind("times=", values.condition(times, scope)))
        found += [f"{key}={laid(raw(loop[key]), 0)}" for key in ("max", "delay") if key in loop]
        return found

    # -- groups --------------------------------------------------------------------------------

    def _group(
        self, id_: str, document: Document, node: Node, scope: Scope, indent: int
    ) -> tuple[list[str], Code]:
        """A group: the function that calls its nodes, and what makes a node of it."""
        assert node.nodes is not None
        documents = cast("Document", document["nodes"])
        repeated = "map" in document or "loop" in document
        if repeated:
            only(document, "nodes", "output", *_REPEAT)
            inner, names = self._turn(document, scope)
            self._refuse_single(documents, document)
        else:
            only(document, "nodes", "output", *(POLICIES - {"runtime", "cache"}))
            inner, names = Scope(scope), []
        if documents.keys() & (scope.values.keys() | self._writing.items):
            raise Inexpressible  # nodes that hide others
        used = self._used(names, documents, document.get("output")) if names else 0
        function = scope.variable(f"{id_}_body")
        inner.taken.add(function)
        lines = self.body(node.nodes, documents, inner, indent + 4)
        lines.append(" " * (indent + 4) + self.returned(document.get("output"), inner, indent + 4))
        space = " " * indent
        define = (
            f"{space}def {function}({', '.join(f'{n}: object' for n in names[:used])}) -> object:"
        )
        before = ["", define, *lines, ""]
        if repeated:
            return before, self._repeat(id_, document, node, scope, function)
        given: list[Code] = [function, f"id={quoted(id_)}"]
        asked = policies(self._writing, document, node, scope, id_)
        given += [behind(f"{name}=", code) for name, code in asked.items()]
        return before, Group(f"{self._writing.imports.builder('group')}(", tuple(given), ")")

    def _refuse_single(self, documents: Document, document: Document) -> None:
        """Of a body that is one node and gives its output, the builder repeats the node itself."""
        if len(documents) != 1:
            return
        [(name, only_node)] = documents.items()
        assert isinstance(only_node, dict)
        output = document.get("output")
        whole = isinstance(output, str) and re.sub(r"\s", "", output) == f"${{{{{name}}}}}"
        if whole and only_node.keys() <= OF_EACH_TURN:
            raise Inexpressible

    def returned(self, output: Json, scope: Scope, indent: int) -> str:
        """The last statement of a body; without an output it gives what its last nodes give."""
        if output is None:
            return f"return {self._writing.imports.builder('ends')}()"
        code = self._writing.values.value(output, scope)
        if scope.outer is not None and "verbatim(" in flat(code):
            raise Inexpressible  # the builder also takes it for a part of expressions
        return laid(behind("return ", code), indent)
