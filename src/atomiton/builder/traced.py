"""Traced values: what stands, while a blueprint is built, for what a run will compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from atomiton.blueprint.expressions import parse
from atomiton.builder import parts
from atomiton.builder.literals import as_part
from atomiton.builder.parts import Part
from atomiton.builder.places import wrong
from atomiton.builder.scopes import current, has_mark
from atomiton.builder.standing import Standing, part_of
from atomiton.errors import ExpressionError

#: Methods of Python's text and mappings that mean the same in expressions, under other names.
_METHODS: Final = {
    "startswith": "startsWith",
    "endswith": "endsWith",
    "strip": "trim",
}


def _trap(what: str, hint: str) -> Callable[..., NoReturn]:
    """A method for what Python cannot do with a value that is not there yet."""

    def refuse(self: Traced, *_: object) -> NoReturn:
        raise wrong(f"{what}: '{part_of(self).source}' is known only when the blueprint runs", hint)

    return refuse


#: How tightly operators bind that make numbers of numbers.
_SUMS: Final = (parts.ADD, parts.MULTIPLY)


def _number(left: Part, right: Part) -> Mapping[str, object]:
    """The schema of a sum, a difference or a product, as far as it is known."""
    types = {left.type, right.type}
    if not types <= {"integer", "number"}:
        return {}
    return {"type": "number" if "number" in types else "integer"}


def _infix(
    operator: str, level: int, *, swapped: bool = False
) -> Callable[[Traced, object], Traced]:
    def combine(self: Traced, other: object) -> Traced:
        own, given = part_of(self), as_part(other)
        pair = (given, own) if swapped else (own, given)
        made = parts.infix(pair[0], operator, pair[1], level)
        return Traced(made._replace(schema=_number(*pair)) if level in _SUMS else made)

    return combine


def _divided(left: Part, right: object) -> Traced:
    if isinstance(right, str):  # only a path is divided by text in Python
        return Traced(parts.infix(left, "+", as_part(f"/{right}"), parts.ADD))
    # Two integers divide to an integer in expressions, and to a number in Python.
    made = parts.infix(parts.called("double", left), "/", as_part(right), parts.MULTIPLY)
    return Traced(made._replace(schema={"type": "number"}))


def _rest(left: Part, right: Part) -> Part:
    """``left % right`` as Python has it: with the sign of the right side."""
    _refuse_floats(left, "%", right)
    rest = parts.infix(left, "%", right, parts.MULTIPLY)
    shifted = parts.infix(rest, "+", right, parts.ADD)
    return parts.infix(shifted, "%", right, parts.MULTIPLY)


def _refuse_floats(left: Part, operator: str, right: Part) -> None:
    """Expressions have no remainder of floats, and nothing they have gives that of Python."""
    for part in (left, right):
        if part.type == "number":
            hint = "write a node for it"
            if operator == "//":
                hint += ", or expression('math.floor({} / {})', a, b): the quotient, rounded down"
            raise wrong(f"'{operator}' takes integers only, and '{part.source}' is a float", hint)


def _whole(left: Part, right: Part) -> Part:
    """``left // right`` as Python has it: rounded down."""
    _refuse_floats(left, "//", right)
    less = parts.infix(left, "-", _rest(left, right), parts.ADD)
    return parts.infix(less, "/", right, parts.MULTIPLY)


_BRANCH: Final = (
    "use branch(condition, then=..., otherwise=...), if_=condition, or & | ~ between conditions"
)
_EXPRESSION: Final = "use expression('...', value) from atomiton.builder"


class Traced(Standing):
    """A value that a run will compute.

    Fields, items, comparisons, arithmetic, ``&``, ``|`` and ``~`` give expressions; inside an
    f-string it becomes ``${{ }}``. What needs the value itself fails with what to use instead.
    """

    __slots__ = ()

    # -- what becomes an expression --------------------------------------------------------

    def __getattr__(self, name: str) -> Traced:
        if name.startswith("_"):
            # Python and libraries ask objects for such names to find out what they are.
            raise AttributeError(f"a traced value has no {name}; a field is value[{name!r}]")
        return Traced(parts.select(self._part, name, as_part(name).source))

    def __getitem__(self, key: object) -> Traced:
        if isinstance(key, str) and not has_mark(key):
            return Traced(parts.select(self._part, key, as_part(key).source))
        if isinstance(key, slice):
            raise wrong("a traced value cannot be sliced", "use the node type data.slice")
        if type(key) is int and key < 0:
            size = parts.called("size", self._part)
            return Traced(
                parts.index(self._part, parts.infix(size, "-", Part(str(-key)), parts.ADD))
            )
        return Traced(parts.index(self._part, as_part(key)))

    def __call__(self, *args: object, **kwargs: object) -> Traced:
        """Call a method of the value, such as ``name.startswith("A")``."""
        operand, name = self._part.operand, self._part.field
        if operand is None or kwargs:
            raise wrong(f"'{self._part.source}' cannot be called", _EXPRESSION)
        arguments = [as_part(arg) for arg in args]
        if name == "get" and 1 <= len(args) <= 2 and isinstance(args[0], str):
            default = arguments[1] if len(args) == 2 else Part("null")
            optional = Part(f"{operand.at(parts.PRIMARY)}[?{arguments[0].source}]")
            found = parts.method(optional, "orValue", default)
            return Traced(found._replace(roots=operand.roots | default.roots))
        made = parts.method(operand, _METHODS.get(name, name), *arguments)
        try:
            parse(made.source)
        except ExpressionError as error:
            raise wrong(
                f"'{made.source}': {error.message}",
                "methods of traced values are those of expressions",
            ) from None
        return Traced(made)

    __eq__ = _infix("==", parts.COMPARE)  # type: ignore[assignment]
    __ne__ = _infix("!=", parts.COMPARE)  # type: ignore[assignment]
    __lt__ = _infix("<", parts.COMPARE)
    __le__ = _infix("<=", parts.COMPARE)
    __gt__ = _infix(">", parts.COMPARE)
    __ge__ = _infix(">=", parts.COMPARE)
    __and__ = _infix("&&", parts.AND)
    __rand__ = _infix("&&", parts.AND, swapped=True)
    __or__ = _infix("||", parts.OR)
    __ror__ = _infix("||", parts.OR, swapped=True)
    __add__ = _infix("+", parts.ADD)
    __radd__ = _infix("+", parts.ADD, swapped=True)
    __sub__ = _infix("-", parts.ADD)
    __rsub__ = _infix("-", parts.ADD, swapped=True)
    __mul__ = _infix("*", parts.MULTIPLY)
    __rmul__ = _infix("*", parts.MULTIPLY, swapped=True)

    def __truediv__(self, other: object) -> Traced:
        return _divided(self._part, other)

    def __rtruediv__(self, other: object) -> Traced:
        return _divided(as_part(other), self)

    def __mod__(self, other: object) -> Traced:
        return Traced(_rest(self._part, as_part(other)))

    def __rmod__(self, other: object) -> Traced:
        return Traced(_rest(as_part(other), self._part))

    def __floordiv__(self, other: object) -> Traced:
        return Traced(_whole(self._part, as_part(other)))

    def __rfloordiv__(self, other: object) -> Traced:
        return Traced(_whole(as_part(other), self._part))

    def __invert__(self) -> Traced:
        return Traced(parts.prefix("!", self._part))

    def __neg__(self) -> Traced:
        return Traced(
            parts.prefix("-", self._part)._replace(schema=_number(self._part, self._part))
        )

    def __abs__(self) -> Traced:
        made = parts.called("math.abs", self._part)
        return Traced(made._replace(schema=_number(self._part, self._part)))

    def __format__(self, spec: str) -> str:
        trace = current()
        if spec:
            raise wrong(f"the format {spec!r} cannot be applied to a traced value", _EXPRESSION)
        if trace is None:
            raise wrong(f"'{self._part.source}' is used outside of its blueprint", "return it")
        return trace.mark(self._part)

    def __repr__(self) -> str:
        return f"<traced {self._part.source}>"

    def __copy__(self) -> Traced:
        return self

    def __deepcopy__(self, _memo: object) -> Traced:
        return self

    # -- what cannot be --------------------------------------------------------------------

    __bool__ = _trap("'if', 'while', 'and', 'or', 'not' and 'a < b < c' need a real value", _BRANCH)
    __iter__ = _trap(
        "'for', unpacking and the like need real items",
        "use each(items, node) for nodes, value[0] for one item",
    )
    __reversed__ = __iter__
    __next__ = __iter__
    __len__ = _trap("len() needs a real value", "use size(value) from atomiton.builder")
    __contains__ = _trap(
        "'in' needs a real value", "use contains(value, item) from atomiton.builder"
    )
    __str__ = _trap("str() and print() need a real value", 'write f"{value}"')
    __int__ = _trap("int() needs a real value", "use expression('int({})', value)")
    __index__ = __int__
    __float__ = _trap("float() needs a real value", "use expression('double({})', value)")
    __complex__ = __float__
    __round__ = _trap("round() needs a real value", "use expression('math.round({})', value)")
    __hash__ = _trap("keys of dicts and members of sets must be real values", _EXPRESSION)
    __fspath__ = _trap("Path() and open() need a real path", "give the value to a node")
    __bytes__ = _trap("bytes() needs a real value", "give the value to a node")
    __await__ = _trap(
        "'await' has nothing to wait for", "leave it out: calls are only recorded here"
    )
    __aiter__ = __iter__
    __enter__ = _trap("'with' needs a real value", "give the value to a node")
    __exit__ = __enter__
    __pow__ = __rpow__ = _trap("there is no power in expressions", "write a node for it")
    __xor__ = __rxor__ = _trap("there is no ^ in expressions", "write a != b for conditions")
    __lshift__ = __rshift__ = __matmul__ = __divmod__ = _trap(
        "expressions have no such operator", "write a node for it"
    )
    __setitem__ = __delitem__ = _trap(
        "a traced value cannot be changed", "use the node type data.edit"
    )

    def __setattr__(self, name: str, value: object) -> None:
        raise wrong(f"a traced value cannot be changed, here its {name!r}", "use data.edit")
