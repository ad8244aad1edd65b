"""Parameters of n8n: texts, and expressions in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from atomiton.interop.data import is_list, is_map, listing, mapping, text
from atomiton.interop.expressions.cel import Cel, braced, field, literal, plain_text
from atomiton.interop.expressions.parser import JAVASCRIPT
from atomiton.interop.expressions.translate import Translator
from atomiton.interop.expressions.tree import Call, Field, Literal, Node, Root, Untranslatable
from atomiton.interop.items import Items, Part

_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000(\\d+)\ue001")


SECRET: Final = re.compile(r"[A-Za-z_]\w{0,63}")
SECRETIVE: Final = frozenset(["httpRequest", "emailSend", "postgres"])
"""Nodes whose parameters become those of a node, and nothing else: they may name secrets."""


class Values:
    """Translates the parameters of one node.

    Args:
        items: All nodes.
        part: The node.
        item: Expression of the item that is looked at.
        json_is_data: Whether data stands for its JSON, where that is read again at once.
    """

    def __init__(
        self, items: Items, part: Part, item: str = "item", *, json_is_data: bool = False
    ) -> None:
        self._json_is_data = json_is_data
        self._items = items
        self._part = part
        self._item = item

    def differs(self, how: str) -> None:
        """Tell of a difference."""
        self._part.entry.differs(how)

    def value(self, said: object) -> object:
        """A parameter, as a value of a blueprint.

        Raises:
            Untranslatable: It holds an expression that is not plain.
        """
        if is_list(said):
            return [self.value(one) for one in listing(said)]
        if is_map(said):
            return {key: self.value(one) for key, one in mapping(said).items()}
        if not isinstance(said, str):
            return said
        if not said.startswith("="):
            return plain_text(said)
        pieces = _HOLE.split(said[1:])
        if len(pieces) == 3 and not pieces[0].strip() and not pieces[2].strip():
            return braced(self._expression(pieces[1]).whole)
        return self._filled(pieces)

    def _filled(self, pieces: list[str]) -> str:
        made: list[str] = []
        for number, piece in enumerate(pieces):
            if number % 2 == 0:
                made.append(plain_text(piece))
                continue
            found = self._expression(piece)
            if found.kind in ("text", "number", "bool"):
                made.append(braced(found.whole))
            else:
                made.append(braced(f'{found.closed} == null ? "" : {found.closed}'))
        return "".join(made)

    def _all_text(self, pieces: list[str]) -> str:
        """What stands between quotation marks: text, also if it is nothing but one expression."""
        if len(pieces) != 3 or pieces[0] or pieces[2]:
            return self._filled(pieces)
        found = self._expression(pieces[1])
        if found.kind == "text":
            return braced(found.whole)
        value = found.closed
        kept = f'type({found.whole}) == "string" ? {value} : {value}.toJson()'
        return braced(f'{value} == null ? "" : {kept}')

    def cel(self, said: object) -> Cel:
        """A parameter, as an expression."""
        if not isinstance(said, str) or not said.startswith("="):
            return literal(said)
        pieces = _HOLE.split(said[1:])
        if len(pieces) == 3 and not pieces[0].strip() and not pieces[2].strip():
            return self._expression(pieces[1])
        if len(pieces) == 1:
            return literal(pieces[0])
        parts: list[str] = []
        for number, piece in enumerate(pieces):
            if number % 2:
                found = self._expression(piece)
                whole = f'{found.text}.orValue("")' if found.optional else found.whole
                parts.append(found.closed if found.kind == "text" else f"string({whole})")
            elif piece:
                parts.append(literal(piece).text)
        return Cel(" + ".join(parts), "text", atom=False)

    def json(self, said: object) -> object:
        """A parameter that is the text of JSON with expressions in it."""
        if not isinstance(said, str):
            return self.value(said)
        source = said.removeprefix("=")
        whole = _HOLE.fullmatch(source.strip())
        if said.startswith("=") and whole:
            inner = re.fullmatch(r"\s*JSON\.stringify\((.*)\)\s*", whole[1], re.DOTALL)
            return braced(self._expression(inner[1] if inner else whole[1]).whole)
        found: list[str] = []

        def mark(hole: re.Match[str]) -> str:
            found.append(hole[1])
            sign = _MARK.format(len(found) - 1)
            return sign if _is_quoted(source, hole.start()) else f'"\ue002{sign}"'

        marked = _HOLE.sub(mark, source) if said.startswith("=") else source
        try:
            data = json.loads(marked)
        except (ValueError, RecursionError) as error:
            raise Untranslatable("its JSON cannot be read") from error
        return self._unmarked(data, found)

    def _unmarked(self, data: object, found: list[str]) -> object:
        if is_list(data):
            return [self._unmarked(one, found) for one in listing(data)]
        if is_map(data):
            return {key: self._unmarked(one, found) for key, one in mapping(data).items()}
        if not isinstance(data, str):
            return data
        if data.startswith("\ue002"):
            number = _MARKED.fullmatch(data[1:])
            raw = Values(self._items, self._part, self._item, json_is_data=True)
            return raw.value(f"={{{{{found[int(number[1])]}}}}}") if number else data
        pieces = _MARKED.split(data)
        return self._all_text([found[int(p)] if n % 2 else p for n, p in enumerate(pieces)])

    # -- references ------------------------------------------------------------------------------

    def _expression(self, source: str) -> Cel:
        translator = Translator(JAVASCRIPT, self._resolve, missing_is_null=True)
        found = translator.expression(source.strip().rstrip(";"))
        for difference in translator.differences:
            self._part.entry.differs(difference)
        return found

    def _resolve(self, node: Node) -> Cel | None:
        for know in (self._here, self._named, self._known):
            found = know(node)
            if found is not None:
                return found
        match node:
            case Call(Root("JSON"), "stringify", (data,)) if self._json_is_data:
                return self._translator().node(data)
            case Field(base, "length"):
                value = self._translator().node(base).closed
                kept = field(Cel(value), "length", missing_is_null=True).whole
                return Cel(f'type({value}) == "map" ? {kept} : {value}.size()', atom=False)
            case Root(name):
                raise Untranslatable(f"'{name}' is not known here")
            case _:
                return None

    def _translator(self) -> Translator:
        return Translator(JAVASCRIPT, self._resolve, missing_is_null=True)

    def _here(self, node: Node) -> Cel | None:
        incoming = self._items.incoming(self._part)
        match node:
            case Root("$json") | Field(Field(Root("$input"), "item"), "json"):
                return Cel(self._item)
            case Field(Call(Root("$input"), "first", ()), "json"):
                return Cel(f"{incoming}[0]")
            case Field(Call(Root("$input"), "last", ()), "json"):
                return Cel(f"{incoming}[{incoming}.size() - 1]")
            case Root("$itemIndex") if self._item == "item":
                return Cel("index", "number")
            case _:
                return None

    def _named(self, node: Node) -> Cel | None:
        match node:
            case Field(Field(Root("$node"), name), "json"):
                return self._paired(name)
            case Field(Field(Call(None, "$", (Literal(name),)), "item"), "json"):
                return self._paired(str(name))
            case Field(Call(Call(None, "$", (Literal(name),)), "first", ()), "json"):
                return Cel(f"{self._output(str(name))}[0]")
            case Field(Call(Call(None, "$", (Literal(name),)), "last", ()), "json"):
                all_ = self._output(str(name))
                return Cel(f"{all_}[{all_}.size() - 1]")
            case _:
                return None

    def _known(self, node: Node) -> Cel | None:
        match node:
            case Field(Root("$execution"), "id"):
                return Cel("run.id", "text")
            case Root("$runIndex"):
                return Cel("0", "number")
            case Field(Root("$vars" | "$env" as kind), name):
                return self._kept_elsewhere(kind, name)
            case _:
                return None

    def _kept_elsewhere(self, kind: str, name: str) -> Cel:
        """A variable of the installation: here a secret, which parameters alone may hold."""
        if self._part.type not in SECRETIVE or not SECRET.fullmatch(name):
            raise Untranslatable(f"'{kind}.{name[:60]}' is not known here")
        self._part.entry.differs(f"'{kind}.{name}' is not in the file: keep it as a secret")
        if name not in self._part.secrets:
            self._part.secrets.append(name)
        return Cel(f"secrets.{name}", "text")

    def _output(self, name: str) -> str:
        other = self._items.parts.get(name)
        if other is None or not other.outputs:
            raise Untranslatable(f"the node '{name[:60]}' that it names does not come before it")
        return other.outputs[0]

    def _paired(self, name: str) -> Cel:
        self._output(name)
        found = self._items.pair_of(self._part, name)
        if found is None:
            self._part.entry.differs(
                f"which item of '{name[:60]}' is meant is known while it has one: else the run "
                "fails"
            )
            all_ = self._output(name)
            found = f"{all_}[{all_}.size() == 1 ? 0 : {all_}.size()]"
        if self._item != "item":
            found = found.replace("[index]", "[0]")
        return Cel(found)


def _is_quoted(source: str, at: int) -> bool:
    """Whether a place in the text of JSON is inside of a text."""
    inside = False
    number = 0
    while number < at:
        char = source[number]
        if char == "\\" and inside:
            number += 1
        elif char == '"':
            inside = not inside
        number += 1
    return inside


def path(base: str, dotted: str) -> Cel:
    """A field by its dotted name, null where it is missing."""
    found = Cel(base)
    for name in dotted.split("."):
        found = field(found, name, missing_is_null=True)
    return found


Condition = Callable[[Cel, Cel], str]


def _null_safe(sign: str) -> Condition:
    def make(left: Cel, right: Cel) -> str:
        test = f"{left.closed} {sign} {right.closed}"
        return f"{left.closed} != null && {test}" if left.optional else test

    return make


def _texts(name: str) -> Condition:
    def make(left: Cel, right: Cel) -> str:
        start = f'{left.text}.orValue("")' if left.optional else left.closed
        return f"{start}.{name}({right.whole})"

    return make


def _sized(sign: str) -> Condition:
    return lambda left, right: f"{left.closed}.size() {sign} {right.closed}"


def _not(test: Condition) -> Condition:
    return lambda left, right: f"!({test(left, right)})"


def _empty(left: Cel, _: Cel) -> str:
    return f'{left.closed} == null || {left.closed} == ""'


def _nothing(left: Cel, _: Cel) -> str:
    return f"{left.closed} == null || {left.closed}.size() == 0"


TESTS: Final[dict[str, dict[str, Condition]]] = {
    "any": {
        "equals": lambda left, right: f"{left.closed} == {right.closed}",
        "notEquals": lambda left, right: f"{left.closed} != {right.closed}",
        "exists": lambda left, _: f"{left.closed} != null",
        "notExists": lambda left, _: f"{left.closed} == null",
    },
    "string": {
        "contains": _texts("contains"),
        "notContains": _not(_texts("contains")),
        "startsWith": _texts("startsWith"),
        "notStartsWith": _not(_texts("startsWith")),
        "endsWith": _texts("endsWith"),
        "notEndsWith": _not(_texts("endsWith")),
        "regex": _texts("matches"),
        "notRegex": _not(_texts("matches")),
        "empty": _empty,
        "notEmpty": _not(_empty),
    },
    "number": {
        "gt": _null_safe(">"),
        "lt": _null_safe("<"),
        "gte": _null_safe(">="),
        "lte": _null_safe("<="),
        "empty": lambda left, _: f"{left.closed} == null",
        "notEmpty": lambda left, _: f"{left.closed} != null",
    },
    "boolean": {
        "true": lambda left, _: f"{left.closed} == true",
        "false": lambda left, _: f"{left.closed} == false",
        "empty": lambda left, _: f"{left.closed} == null",
        "notEmpty": lambda left, _: f"{left.closed} != null",
    },
    "array": {
        "contains": lambda left, right: f"{right.closed} in {left.closed}",
        "notContains": lambda left, right: f"!({right.closed} in {left.closed})",
        "lengthEquals": _sized("=="),
        "lengthNotEquals": _sized("!="),
        "lengthGt": _sized(">"),
        "lengthLt": _sized("<"),
        "lengthGte": _sized(">="),
        "lengthLte": _sized("<="),
        "empty": _nothing,
        "notEmpty": _not(_nothing),
    },
    "object": {"empty": _nothing, "notEmpty": _not(_nothing)},
}
"""Conditions by the type they are of and their name."""

OLD: Final = {
    "equal": "equals",
    "notEqual": "notEquals",
    "larger": "gt",
    "largerEqual": "gte",
    "smaller": "lt",
    "smallerEqual": "lte",
    "isEmpty": "empty",
    "isNotEmpty": "notEmpty",
    "notContains": "notContains",
    "notStartsWith": "notStartsWith",
    "notEndsWith": "notEndsWith",
    "notRegex": "notRegex",
}
"""Names that conditions had before, by what they are called now."""


def test_of(type_: str, operation: str, left: Cel, right: Cel) -> str:
    """One condition.

    Raises:
        Untranslatable: It is not known.
    """
    name = OLD.get(operation, operation)
    make = TESTS.get(type_, {}).get(name) or TESTS["any"].get(name)
    if make is None or (type_ == "dateTime" and name not in TESTS["any"]):
        raise Untranslatable(f"the condition '{operation[:40]}' of {type_[:20]} is not known here")
    if name in ("regex", "notRegex"):
        _check_pattern(right)
    return f"({make(left, right)})"


def _check_pattern(pattern: Cel) -> None:
    if pattern.kind != "text" or re.search(r"\(\?[=!<]|\\[1-9]|\\p|\\\\?/", pattern.text):
        raise Untranslatable("the pattern is not known here")
    if re.match(r'"/.*/[a-z]*"$', pattern.text):
        raise Untranslatable("a pattern with flags is not known here")


def _small(value: Cel) -> Cel:
    """A text in small letters; null stays what it is."""
    if value.kind == "text":
        return Cel(f"{value.closed}.lowerAscii()", "text")
    return Cel(f'(type({value.closed}) == "string" ? {value.closed}.lowerAscii() : {value.closed})')


def conditions(values: Values, said: object) -> str:
    """The conditions of a filter, as since version 2 of 'If'."""
    about = mapping(said)
    options = mapping(about.get("options"))
    parts: list[str] = []
    for one in listing(about.get("conditions")):
        test = mapping(one)
        operator = mapping(test.get("operator"))
        type_, operation = text(operator.get("type")), text(operator.get("operation"))
        left, right = values.cel(test.get("leftValue")), values.cel(test.get("rightValue"))
        if options.get("caseSensitive") is False and type_ == "string":
            if operation in ("regex", "notRegex"):
                raise Untranslatable("patterns that do not mind capitals are not known here")
            values.differs("which letters are the same, small and capital, is known of a to z")
            left, right = _small(left), _small(right)
        parts.append(test_of(type_, operation, left, right))
    if not parts:
        raise Untranslatable("there are no conditions")
    return (" || " if about.get("combinator") == "or" else " && ").join(parts)
