"""Turns a tree into closures: compiled once, run many times.

A closure takes the scope itself when the work of the expression is bounded by its text, and a
``Frame`` around it, which counts steps and holds variables, when it is not. So a reference or a
condition pays for no bookkeeping.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Final, cast

from atomiton.blueprint.expressions import functions, values
from atomiton.blueprint.expressions.access import index, member, nearest, select
from atomiton.blueprint.expressions.analysis import may_be_absent
from atomiton.blueprint.expressions.limits import LIMIT, Failure, Frame, charge_items
from atomiton.blueprint.expressions.macros import MACROS, Body
from atomiton.blueprint.expressions.syntax import (
    Call,
    Chain,
    Compare,
    Conditional,
    Index,
    ListLiteral,
    Literal,
    Logic,
    Macro,
    MapLiteral,
    Name,
    Node,
    Select,
    Unary,
)
from atomiton.errors import ExpressionError

Code = Callable[[Frame], object]

_ARITHMETIC: Final = {
    "+": values.add,
    "-": values.subtract,
    "*": values.multiply,
    "/": values.divide,
    "%": values.remainder,
}
_ORDER: Final = cast(
    "dict[str, Callable[[object, object], bool]]",
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
)


class Compiler:
    """Compiles one tree for one set of loaders."""

    def __init__(
        self,
        source: str,
        loaders: Mapping[str, Callable[..., object]],
        missing: Mapping[str, Callable[..., bool]],
        *,
        metered: bool,
    ) -> None:
        self.source = source
        self.loaders = loaders
        self.missing = missing
        self.metered = metered
        self.variables: list[str] = []
        self.slots = 0
        self._table: dict[type[Node], Callable[..., Code]] = {
            Literal: self._literal,
            Name: self._name,
            Select: self._select,
            Index: self._index,
            Unary: self._unary,
            Logic: self._logic,
            Chain: self._chain,
            Compare: self._compare,
            Conditional: self._conditional,
            ListLiteral: self._items,
            MapLiteral: self._entries,
            Call: self._call,
            Macro: self._macro,
        }

    def compile(self, node: Node) -> Code:
        """The closure of a part."""
        return self._table[type(node)](node)

    def settled(self, node: Node) -> Code:
        """The closure of a part whose value is kept: an absent one becomes null."""
        code = self.compile(node)
        if not may_be_absent(node):
            return code
        return lambda e: values.settle(code(e))

    def _literal(self, node: Literal) -> Code:
        value = node.value
        return lambda _: value

    def _name(self, node: Name) -> Code:
        if (slot := self._slot(node.name)) is not None:
            return lambda e: e.variables[slot]
        loader = self.loaders.get(node.name)
        if loader is None:
            known = ", ".join(sorted(self.loaders)[:20])
            hint = nearest(node.name, self.loaders) or (f" (known: {known})" if known else "")
            raise ExpressionError(
                f"unknown name '{node.name}'{hint}",
                source=self.source,
                offset=node.offset,
                code="UNKNOWN_REFERENCE",
            )
        if self.metered:
            return lambda e: loader(e.scope)
        return cast("Code", loader)

    def _slot(self, name: str) -> int | None:
        for slot in range(len(self.variables) - 1, -1, -1):
            if self.variables[slot] == name:
                return slot
        return None

    def _nowhere(self, node: Node) -> Callable[[Frame], bool] | None:
        """What tells whether the name that a path begins with has no value to be read from."""
        while isinstance(node, Select | Index):
            node = node.operand
        if not isinstance(node, Name) or self._slot(node.name) is not None:
            return None
        missing = self.missing.get(node.name)
        if missing is None or not self.metered:
            return cast("Callable[[Frame], bool] | None", missing)
        return lambda e: missing(e.scope)

    def _asked(self, node: Select) -> Code:
        """``has(value.field)`` and ``value.?field``."""
        at, field, test = node.offset, node.field, node.test
        operand, nowhere = self.compile(node.operand), self._nowhere(node)

        def ask(e: Frame) -> object:
            value = operand(e)
            if value is None and nowhere is not None and nowhere(e):
                return False if test else values.ABSENT
            return member(value, field, at) if test else select(value, node)

        return ask

    def _select(self, node: Select) -> Code:
        if node.test or node.optional:
            return self._asked(node)
        field = node.field
        if isinstance(node.operand, Name) and (slot := self._slot(node.operand.name)) is not None:

            def of_variable(e: Frame) -> object:
                value = e.fields[slot]
                if type(value) is dict:
                    try:
                        return value[field]
                    except KeyError:
                        pass
                return select(value, node)

            return of_variable
        operand = cast("Callable[[Frame], dict[str, object] | None]", self.compile(node.operand))
        nowhere = self._nowhere(node)

        def of_value(e: Frame) -> object:
            # Said to be a map for the type checker, and looked at before it is used as one.
            value = operand(e)
            if type(value) is dict:
                try:
                    return value[field]
                except KeyError:
                    pass
            elif value is None and nowhere is not None and nowhere(e):
                return None
            return select(value, node)

        return of_value

    def _index(self, node: Index) -> Code:
        operand = self.compile(node.operand)
        place = self.compile(node.index)
        nowhere = self._nowhere(node)
        instead = values.ABSENT if node.optional else None

        def read(e: Frame) -> object:
            value = operand(e)
            if value is None and nowhere is not None and nowhere(e):
                return instead
            return index(value, place(e), node)

        return read

    def _unary(self, node: Unary) -> Code:
        operand, at = self.compile(node.operand), node.offset
        if node.operator == "-":
            return lambda e: values.negate(operand(e), at)

        def invert(e: Frame) -> object:
            value = operand(e)
            if value is True:
                return False
            if value is False:
                return True
            raise Failure(at, lambda: f"'!' takes a bool, not {values.type_name(value)}")

        return invert

    def _logic(self, node: Logic) -> Code:
        """``&&`` and ``||``: one side that decides makes the other's failure irrelevant."""
        operands = [self.compile(part) for part in node.operands]
        if len(operands) > 2:
            return _logic(operands, node, metered=self.metered)
        first, last = operands
        decides = node.operator == "||"
        passes = not decides
        metered = self.metered

        def both(e: Frame) -> object:
            try:
                value = first(e)
            except Failure as failure:
                return _absorb(failure, last, e, node, metered=metered)
            if value is decides:
                return value
            if value is passes:
                value = last(e)
                if value is passes or value is decides:
                    return value
                raise _no_bool(node, value)
            return _absorb(_no_bool(node, value), last, e, node, metered=metered)

        return both

    def _chain(self, node: Chain) -> Code:
        first = self.compile(node.first)
        metered = self.metered
        steps = [(_ARITHMETIC[sign], at, self.compile(part)) for sign, at, part in node.rest]
        if len(steps) == 1:
            apply, place, second = steps[0]
            return lambda e: apply(first(e), second(e), place, e if metered else None)

        def run(e: Frame) -> object:
            value = first(e)
            meter = e if metered else None
            for sign, at, part in steps:
                value = sign(value, part(e), at, meter)
            return value

        return run

    def _compare(self, node: Compare) -> Code:
        left, at, metered = self.compile(node.left), node.offset, self.metered
        right = self.compile(node.right)
        sign = node.operator
        if sign == "in":
            return lambda e: values.contained(left(e), right(e), at, e if metered else None)
        if sign in _ORDER:
            return self._order(node, left, right)
        wanted = sign == "=="
        if isinstance(node.right, Literal):
            constant = node.right.value
            exact = type(constant)
            if exact is str or exact is bool or exact is type(None):

                def equals(e: Frame) -> object:
                    value = left(e)
                    if type(value) is exact:
                        return (value == constant) is wanted
                    return values.equal(value, constant, at, None) is wanted

                return equals
        return lambda e: values.equal(left(e), right(e), at, e if metered else None) is wanted

    def _order(self, node: Compare, left: Code, right: Code) -> Code:
        test, at, metered = _ORDER[node.operator], node.offset, self.metered
        if isinstance(node.right, Literal) and type(node.right.value) in values.NUMBERS:
            constant = node.right.value

            def against(e: Frame) -> object:
                value = left(e)
                kind = type(value)
                if kind is int or kind is float:
                    return test(value, constant)
                return values.compare(test, value, constant, at, None)

            return against
        return lambda e: values.compare(test, left(e), right(e), at, e if metered else None)

    def _conditional(self, node: Conditional) -> Code:
        test, then, other = (self.compile(p) for p in (node.test, node.then, node.other))
        at = node.offset

        def choose(e: Frame) -> object:
            value = test(e)
            if value is True:
                return then(e)
            if value is False:
                return other(e)
            raise Failure(at, lambda: f"'?' takes a bool, not {values.type_name(value)}")

        return choose

    def _items(self, node: ListLiteral) -> Code:
        metered, at = self.metered, node.offset
        if not any(optional for _, optional in node.items):
            codes = [self.settled(item) for item, _ in node.items]

            def build(e: Frame) -> object:
                if metered:
                    e.charge(len(codes), at)
                return [code(e) for code in codes]

            return build
        pairs = [
            (self.compile(i) if optional else self.settled(i), optional, i.offset)
            for i, optional in node.items
        ]

        def fill(e: Frame) -> object:
            found: list[object] = []
            charge_items(e if metered else None, len(pairs), at)
            for code, optional, place in pairs:
                value = code(e)
                if not optional or functions.is_present(value, place):
                    found.append(values.settle(value))
            return found

        return fill

    def _entries(self, node: MapLiteral) -> Code:
        metered, at = self.metered, node.offset
        entries = [
            (self.compile(k), self.compile(v) if optional else self.settled(v), optional, k.offset)
            for k, v, optional in node.entries
        ]

        def build(e: Frame) -> object:
            found: dict[str, object] = {}
            charge_items(e if metered else None, len(entries), at)
            for key, code, optional, place in entries:
                name = key(e)
                if type(name) is not str:
                    kind = values.type_name(name)
                    raise Failure(place, f"the keys of a map are strings, not {kind}")
                if name in found:
                    raise Failure(place, f"the key {name[:40]!r} stands twice")
                value = code(e)
                if not optional or functions.is_present(value, place):
                    found[name] = values.settle(value)
            return found

        return build

    def _call(self, node: Call) -> Code:
        function = functions.FUNCTIONS[node.function]
        metered, at, run = self.metered, node.offset, function.run
        if node.function in ("or", "orValue"):
            return self._alternative(node)
        if len(node.arguments) == 1:
            only = self.compile(node.arguments[0])
            return lambda e: run([only(e)], at, e if metered else None)
        codes = [self.compile(part) for part in node.arguments]
        return lambda e: run([code(e) for code in codes], at, e if metered else None)

    def _alternative(self, node: Call) -> Code:
        """``a.or(b)``: the second is only evaluated when the first is absent."""
        at, run = node.offset, functions.FUNCTIONS[node.function].run
        first, second = (self.compile(part) for part in node.arguments)

        def choose(e: Frame) -> object:
            value = first(e)
            if type(value) is values.Maybe and value.present:
                return run([value, values.ABSENT], at, None)
            return run([value, second(e)], at, None)

        return choose

    def _macro(self, node: Macro) -> Code:
        target = self.compile(node.target)
        start = len(self.variables)
        self.variables.extend(node.names)
        self.slots = max(self.slots, len(self.variables))
        test = None if node.test is None else self.compile(node.test)
        flat = node.kind == "optFlatMap"
        code = None
        if node.body is not None:
            code = self.compile(node.body) if flat else self.settled(node.body)
        del self.variables[start:]
        size = sum(part.size for part in (node.test, node.body) if part is not None)
        body = Body(node.offset, start, len(node.names), test, code, 1 + size // 8)
        run = MACROS[node.kind]
        return lambda e: run(target(e), body, e)


def _no_bool(node: Logic, value: object) -> Failure:
    return Failure(
        node.offset, lambda: f"'{node.operator}' takes bools, not {values.type_name(value)}"
    )


def _absorb(failure: Failure, last: Code, e: Frame, node: Logic, *, metered: bool) -> object:
    """The first side of ``&&`` or ``||`` failed: the second may still decide."""
    if failure.code == LIMIT:
        raise failure
    if metered:
        e.charge(4, node.offset)
    try:
        value = last(e)
    except Failure as second:
        raise (second if second.code == LIMIT else failure) from None
    if value is (node.operator == "||"):
        return value
    raise failure


def _logic(operands: list[Code], node: Logic, *, metered: bool) -> Code:
    decides = node.operator == "||"
    passes = not decides

    def run(e: Frame) -> object:
        failure: Failure | None = None
        for operand in operands:
            try:
                value = operand(e)
            except Failure as found:
                if found.code == LIMIT:
                    raise
                if metered:
                    e.charge(4, node.offset)
                failure = failure or found
                continue
            if value is decides:
                return value
            if value is not passes:
                failure = failure or _no_bool(node, value)
        if failure is not None:
            raise failure
        return passes

    return run
