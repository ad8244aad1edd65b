"""Expressions as Python's operators, where tracing these gives exactly the expression again."""

from __future__ import annotations

import keyword
import re
from typing import Final, NamedTuple

from atomiton.blueprint.expressions.literal import text_literal
from atomiton.blueprint.expressions.parser import parse_tree
from atomiton.blueprint.expressions.syntax import (
    Call,
    Chain,
    Compare,
    Index,
    Literal,
    Logic,
    Name,
    Node,
    Select,
    Unary,
)
from atomiton.blueprint.python.layout import quoted
from atomiton.blueprint.python.names import Imports, Scope
from atomiton.errors import ExpressionError

# How tightly parts of an expression bind.
OR, AND, COMPARE, ADD, MULTIPLY, UNARY, PRIMARY = range(1, 8)

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMPARED: Final = frozenset({"<", "<=", ">", ">=", "==", "!="})
_SUMS: Final = {"+": ADD, "-": ADD, "*": MULTIPLY}
#: Methods of Python that the builder takes for others of expressions.
_OTHERS: Final = frozenset({"get", "startswith", "endswith", "strip"})


class _Said(NamedTuple):
    """A part of an expression.

    Attributes:
        code: In Python.
        text: What tracing the code gives.
        level: How tightly the text binds.
        atom: Whether the code needs no brackets anywhere.
        traced: Whether it stands for a value of the run, and is no constant.
    """

    code: str
    text: str
    level: int = PRIMARY
    atom: bool = True
    traced: bool = True

    def at(self, level: int) -> str:
        """The text, in brackets where it must be."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def part(self) -> str:
        """The code as a part of other code."""
        return self.code if self.atom else f"({self.code})"


class Writer:
    """Writes expressions.

    Args:
        imports: What the code needs.
    """

    def __init__(self, imports: Imports) -> None:
        self._imports = imports
        self._methods = False
        self._used: list[str] = []

    def code(self, source: str, scope: Scope) -> str:
        """An expression that stands in a document, without ``${{ }}``, as Python.

        Raises:
            ExpressionError: It is none.
        """
        tree = parse_tree(source)
        for self._methods in (False, True):
            self._used = []
            said = self._say(tree, scope)
            if said is not None and said.traced and said.text == source:
                for name in self._used:
                    self._imports.builder(name)
                return said.code
        # What stands for a value in the text of an expression is written `{}`.
        holes = ", {}" * source.count("{}")
        return f"{self._imports.builder('expression')}({quoted(source)}{holes})"

    def _say(self, node: Node, scope: Scope) -> _Said | None:
        if isinstance(node, Literal):
            return _constant(node.value)
        if isinstance(node, Name):
            code = scope.values.get(node.name)
            return None if code is None else _Said(code, node.name)
        if isinstance(node, Select):
            return self._field(node, scope)
        if isinstance(node, Index):
            return self._item(node, scope)
        if isinstance(node, Unary):
            part = self._say(node.operand, scope)
            if part is None or not part.traced:
                return None
            sign = {"!": "~", "-": "-"}[node.operator]
            return _Said(sign + part.part, node.operator + part.at(PRIMARY), UNARY, atom=False)
        if isinstance(node, Compare):
            return self._compared(node, scope)
        if isinstance(node, Logic):
            level, sign = (AND, "&") if node.operator == "&&" else (OR, "|")
            rest = [(node.operator, sign, level, part) for part in node.operands[1:]]
            return self._folded(node.operands[0], rest, scope)
        if isinstance(node, Chain):
            if any(operator not in _SUMS for operator, _, _ in node.rest):
                return None  # these mean something else in Python
            rest = [(sign, sign, _SUMS[sign], part) for sign, _, part in node.rest]
            return self._folded(node.first, rest, scope)
        return self._called(node, scope) if isinstance(node, Call) else None

    def _folded(
        self, first: Node, rest: list[tuple[str, str, int, Node]], scope: Scope
    ) -> _Said | None:
        left = self._say(first, scope)
        for operator, sign, level, node in rest:
            right = self._say(node, scope)
            if left is None or right is None or not (left.traced or right.traced):
                return None
            if not left.traced and sign in "&|":
                return None
            text = f"{left.at(level)} {operator} {right.at(level + 1)}"
            left = _Said(f"{left.part} {sign} {right.part}", text, level, atom=False)
        return left

    def _compared(self, node: Compare, scope: Scope) -> _Said | None:
        left, right = self._say(node.left, scope), self._say(node.right, scope)
        if left is None or right is None:
            return None
        text = f"{left.at(COMPARE + 1)} {node.operator} {right.at(COMPARE + 1)}"
        if node.operator == "in":
            if not (left.traced or right.traced):
                return None
            self._used.append("contains")
            return _Said(f"contains({right.code}, {left.code})", text, COMPARE)
        # Python turns `5 < x` round.
        if node.operator not in _COMPARED or not left.traced:
            return None
        if right.code == "None":
            if node.operator != "==":
                return None
            self._used.append("is_null")
            return _Said(f"is_null({left.code})", text, COMPARE)
        return _Said(f"{left.part} {node.operator} {right.part}", text, COMPARE, atom=False)

    def _field(self, node: Select, scope: Scope) -> _Said | None:
        if node.optional or node.test:
            return None
        if isinstance(node.operand, Name) and node.operand.name == "inputs":
            code = scope.inputs.get(node.field)
            return None if code is None else _Said(code, f"inputs.{node.field}")
        if isinstance(node.operand, Name) and node.operand.name == "secrets":
            if node.field not in scope.secrets:
                return None
            self._used.append("secret")
            return _Said(f"secret({quoted(node.field)})", f"secrets.{node.field}")
        about = self._about(node, scope)
        if about is not None:
            return about
        whole = self._say(node.operand, scope)
        if whole is None or not whole.traced:
            return None
        return _selected(whole, node.field)

    def _about(self, node: Select, scope: Scope) -> _Said | None:
        """``nodes.x.status`` and ``nodes.x.error``."""
        inner = node.operand
        if not (isinstance(inner, Select) and isinstance(inner.operand, Name)):
            return None
        code = scope.values.get(inner.field)
        if inner.operand.name != "nodes" or code is None or inner.field in scope.binds_around():
            return None
        name = {"status": "status_of", "error": "error_of"}.get(node.field)
        if name is None:
            return None
        self._used.append(name)
        return _Said(f"{name}({code})", f"nodes.{inner.field}.{node.field}")

    def _item(self, node: Index, scope: Scope) -> _Said | None:
        whole = self._say(node.operand, scope)
        if node.optional or whole is None or not whole.traced:
            return None
        if isinstance(node.index, Literal) and isinstance(node.index.value, str):
            return _selected(whole, node.index.value)
        place = self._say(node.index, scope)
        if place is None:
            return None
        return _Said(f"{whole.part}[{place.code}]", f"{whole.at(PRIMARY)}[{place.text}]")

    def _called(self, node: Call, scope: Scope) -> _Said | None:
        parts = [self._say(part, scope) for part in node.arguments]
        said = [part for part in parts if part is not None]
        if len(said) < len(parts) or not said or not said[0].traced:
            return None
        if not self._methods:
            if node.function != "size" or len(said) != 1:
                return None
            self._used.append("size")
            return _Said(f"size({said[0].code})", f"size({said[0].text})")
        name = node.function
        if not name.isidentifier() or keyword.iskeyword(name) or name in _OTHERS or name[0] == "_":
            return None
        target, *rest = said
        code = ", ".join(part.code for part in rest)
        text = ", ".join(part.text for part in rest)
        return _Said(f"{target.part}.{name}({code})", f"{target.at(PRIMARY)}.{name}({text})")


def _constant(value: object) -> _Said | None:
    if value is None or isinstance(value, bool):
        return _Said(repr(value), "null" if value is None else str(value).lower(), traced=False)
    if type(value) is int or type(value) is float:
        return _Said(repr(value), repr(value), traced=False)
    if type(value) is str:
        return _Said(quoted(value), text_literal(value), traced=False)
    return None


def _selected(whole: _Said, field: str) -> _Said:
    is_name = _FIELD.fullmatch(field) is not None
    plain = is_name and not keyword.iskeyword(field) and not field.startswith("_")
    code = f"{whole.part}.{field}" if plain else f"{whole.part}[{quoted(field)}]"
    inner = f".{field}" if is_name else f"[{text_literal(field)}]"
    return _Said(code, whole.at(PRIMARY) + inner)


def is_expression(source: str) -> bool:
    """Whether a text is an expression."""
    try:
        parse_tree(source)
    except ExpressionError:
        return False
    return True
