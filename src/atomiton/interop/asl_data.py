"""Paths, payload templates, intrinsic functions and JSONata of Amazon States Language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from atomiton.interop.data import is_list, is_map, listing, mapping
from atomiton.interop.expressions import cel
from atomiton.interop.expressions.cel import Cel, braced, plain_text
from atomiton.interop.expressions.parser import JAVASCRIPT, JSONATA, parse
from atomiton.interop.expressions.translate import Translator
from atomiton.interop.expressions.tree import Call, Field, Literal, Node, Root, Untranslatable

_JSONATA = re.compile(r"\{%(.*)%\}", re.DOTALL)
_HOLE = re.compile(r"(?<!\\)\{\}")

_CONTEXT: Final = {
    "$$.Execution.Id": "run.id",
    "$$.Execution.Name": "run.id",
    "$$.StateMachine.Name": "run.blueprint",
    "$$.Execution.StartTime": "run.started_at",
    "$$.Execution.Input": "inputs.input",
}
"""What of the context object is there; the keys are as they are written."""


class Paths:
    """Translates what a state says of its data.

    Args:
        value: Expression of the data that ``$`` stands for.
        item: Expressions of ``$$.Map.Item.Value`` and ``$$.Map.Item.Index``, in an iterator.
        jsonata: Expressions of ``$states.NAME``; None where JSONata is not the language.
        variables: Expressions of variables, by name.
    """

    def __init__(
        self,
        value: str,
        item: tuple[str, str] | None = None,
        jsonata: dict[str, str] | None = None,
        variables: dict[str, str] | None = None,
    ) -> None:
        self._value = value
        self._item = item
        self._jsonata = jsonata
        self._variables = variables or {}

    def path(self, path: object) -> str:
        """A reference such as ``$.order.id``; what is missing is an error, as there.

        Raises:
            Untranslatable: It gives more than one value, or is no path.
        """
        if path is None:
            return "{}"
        if not isinstance(path, str) or not path.startswith("$"):
            raise Untranslatable(f"{path!r} is no path")
        return self._tree(parse(path, JAVASCRIPT)).whole

    def optional(self, path: str) -> Cel:
        """A reference that may lead nowhere."""
        translator = Translator(JAVASCRIPT, self._root, missing_is_null=True)
        return translator.node(self._checked(parse(path, JAVASCRIPT)))

    def _tree(self, node: Node) -> Cel:
        if isinstance(node, Call):
            return self._intrinsic(node)
        return Translator(JAVASCRIPT, self._root, missing_is_null=False).node(self._checked(node))

    def _checked(self, node: Node) -> Node:
        """A path is fields and items, nothing else."""
        part = node
        while not isinstance(part, Root):
            base = getattr(part, "base", None)
            key = getattr(part, "key", Literal(0))
            if base is None or not isinstance(key, Literal):
                raise Untranslatable("the path selects several values, or computes")
            part = base
        return node

    def _root(self, node: Node) -> Cel | None:
        if node == Root("$"):
            return Cel(self._value)
        written = _written(node)
        if written in _CONTEXT:
            return Cel(_CONTEXT[written])
        if self._item is not None and written in ("$$.Map.Item.Value", "$$.Map.Item.Index"):
            return Cel(self._item[written.endswith("Index")])
        if isinstance(node, Root):
            if node.name.startswith("$") and node.name[1:] in self._variables:
                return Cel(self._variables[node.name[1:]])
            raise Untranslatable(f"'{node.name}' of the context is not there")
        return None

    def _intrinsic(self, call: Call) -> Cel:
        base = call.base
        name = call.name if isinstance(base, Root) and base.name == "States" else ""
        values = [self._argument(part) for part in call.arguments]
        if name == "Format" and call.arguments:
            return self._format(call.arguments[0], values[1:])
        if name == "Array":
            return Cel(f"[{', '.join(value.whole for value in values)}]", "list")
        make = _INTRINSICS.get((name, len(values)))
        if make is None:
            raise Untranslatable(f"States.{call.name}(...) has no exact counterpart here")
        return make(*values)

    def _argument(self, node: Node) -> Cel:
        return cel.literal(node.value) if isinstance(node, Literal) else self._tree(node)

    def _format(self, template: Node, values: list[Cel]) -> Cel:
        if not isinstance(template, Literal) or not isinstance(template.value, str):
            raise Untranslatable("the template of States.Format is not written out")
        pieces = _HOLE.split(template.value)
        if len(pieces) != len(values) + 1:
            raise Untranslatable("States.Format has not as many values as places")
        parts: list[str] = []
        for piece, value in zip(pieces, [*values, None], strict=True):
            said = piece.replace("\\{", "{").replace("\\}", "}")
            parts += [cel.quoted(said)] * bool(said)
            if value is not None:
                parts.append(value.closed if value.kind == "text" else f"string({value.whole})")
        return Cel(" + ".join(parts) or '""', "text", atom=False)

    def template(self, template: object) -> object:
        """A payload template: keys that end in ``.$`` hold paths.

        Returns:
            A value of a blueprint, with expressions.
        """
        if is_list(template):
            return [self.template(part) for part in listing(template)]
        if not is_map(template):
            return plain_text(template) if isinstance(template, str) else template
        made: dict[str, object] = {}
        for key, part in mapping(template).items():
            if key.endswith(".$"):
                made[key.removesuffix(".$")] = braced(self.path_or_intrinsic(part))
            else:
                made[key] = self.template(part)
        return made

    def path_or_intrinsic(self, value: object) -> str:
        """What stands behind a key that ends in ``.$``."""
        if isinstance(value, str) and value.startswith("States."):
            return self._tree(parse(value, JAVASCRIPT)).whole
        return self.path(value)

    # -- JSONata -------------------------------------------------------------------------------

    def jsonata(self, value: object) -> object:
        """Any value in which texts in ``{% %}`` are JSONata."""
        if is_list(value):
            return [self.jsonata(part) for part in listing(value)]
        if is_map(value):
            return {key: self.jsonata(part) for key, part in mapping(value).items()}
        if isinstance(value, str):
            found = _JSONATA.fullmatch(value.strip())
            return (
                braced(self._translator().expression(found[1]).whole)
                if found
                else plain_text(value)
            )
        return value

    def jsonata_condition(self, value: object) -> str:
        """A condition in JSONata."""
        found = _JSONATA.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            if isinstance(value, bool):
                return "true" if value else "false"
            raise Untranslatable("a condition is no JSONata")
        return self._translator().condition(found[1])

    def jsonata_text(self, value: object) -> str:
        """An expression that is JSONata as a whole, such as the items of a map."""
        made = self.jsonata(value)
        if isinstance(made, str) and made.startswith("${{ "):
            return made[4:-3]
        return cel.literal(value).whole

    def _translator(self) -> Translator:
        return Translator(JSONATA, self._states, missing_is_null=True)

    def _states(self, node: Node) -> Cel | None:
        names = self._jsonata or {}
        written = _written(node)
        context = written.replace("$states.context.", "$$.") if written else ""
        if context != written and context in _CONTEXT:
            return Cel(_CONTEXT[context])
        in_item = context in ("$$.Map.Item.Value", "$$.Map.Item.Index")
        if context != written and self._item is not None and in_item:
            return Cel(self._item[context.endswith("Index")])
        match node:
            case Field(Root("$states"), name) if name in names:
                return Cel(names[name])
            case Root("$states"):
                return None
            case Root(name):
                if name[1:] in self._variables:
                    return Cel(self._variables[name[1:]])
                raise Untranslatable(f"'{name}' is not known here")
            case _:
                return None


def _written(node: Node) -> str:
    """A reference of fields alone as it is written."""
    parts: list[str] = []
    while isinstance(node, Field):
        parts.append(node.name)
        node = node.base
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, Root) else ""


def _base64(value: Cel) -> Cel:
    return Cel(f"base64.encode(bytes({value.whole}))", "text")


def _from_base64(value: Cel) -> Cel:
    return Cel(f"string(base64.decode({value.whole}))", "text")


def _length(value: Cel) -> Cel:
    return Cel(f"{value.closed}.size()", "number")


def _contains(value: Cel, item: Cel) -> Cel:
    return Cel(f"{item.closed} in {value.closed}", "bool", atom=False)


def _item(value: Cel, position: Cel) -> Cel:
    return Cel(f"{value.closed}[{position.whole}]")


def _distinct(value: Cel) -> Cel:
    return Cel(f"{value.closed}.distinct()", "list")


def _plus(left: Cel, right: Cel) -> Cel:
    return Cel(f"{left.closed} + {right.closed}", "number", atom=False)


_INTRINSICS: Final[dict[tuple[str, int], Callable[..., Cel]]] = {
    ("ArrayLength", 1): _length,
    ("ArrayContains", 2): _contains,
    ("ArrayGetItem", 2): _item,
    ("ArrayUnique", 1): _distinct,
    ("MathAdd", 2): _plus,
    ("Base64Encode", 1): _base64,
    ("Base64Decode", 1): _from_base64,
}
