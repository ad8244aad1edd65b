"""Turns tokens into a tree."""

from __future__ import annotations

from typing import Final, NoReturn

from atomiton.blueprint.expressions import functions
from atomiton.blueprint.expressions.lexer import INT_MAX, INT_MIN, Token, tokenize
from atomiton.blueprint.expressions.limits import LIMIT, MAX_DEPTH
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

_PRECEDENCE: Final = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
}
_WORDS: Final = {"true": True, "false": False, "null": None}
#: Words CEL keeps for itself: no names, but fine as fields.
RESERVED: Final = frozenset(
    (
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let"),
        *("loop", "package", "namespace", "return", "var", "void", "while", "in"),
        *_WORDS,
    )
)
#: Macros: how many arguments with one variable, and how many with two.
_MACROS: Final[dict[str, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "all": ((2,), (3,)),
    "exists": ((2,), (3,)),
    "exists_one": ((2,), (3,)),
    "existsOne": ((2,), (3,)),
    "filter": ((2,), ()),
    "map": ((2, 3), ()),
    "transformList": ((), (3, 4)),
    "transformMap": ((), (3, 4)),
    "sortBy": ((2,), ()),
    "optMap": ((2,), ()),
    "optFlatMap": ((2,), ()),
}
_SELECTING: Final = frozenset({"all", "exists", "exists_one", "existsOne", "filter"})


def parse_tree(source: str) -> Node:
    """Parse a whole expression.

    Raises:
        ExpressionError: It is malformed, too long or nested too deeply.
    """
    parser = _Parser(source, tokenize(source))
    try:
        return parser.whole()
    except RecursionError:
        # Only when the caller itself stands deep: MAX_DEPTH needs a few hundred frames.
        raise ExpressionError(
            "the expression is nested too deeply", source=source, offset=0, code=LIMIT
        ) from None


class _Parser:
    def __init__(self, source: str, tokens: list[Token]) -> None:
        self.source = source
        self.tokens = tokens
        self.position = 0
        self.nesting = 0

    # Tokens.

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def at(self, *texts: str) -> bool:
        token = self.tokens[self.position]
        return token.kind == "op" and token.text in texts

    def take(self, text: str) -> bool:
        found = self.at(text)
        if found:
            self.position += 1
        return found

    def next(self) -> Token:
        token = self.tokens[self.position]
        if token.kind != "end":
            self.position += 1
        return token

    def expect(self, text: str) -> Token:
        if not self.at(text):
            self.fail(f"expected '{text}', found {self.shown()}")
        return self.next()

    def shown(self) -> str:
        return "the end" if self.token.kind == "end" else f"'{self.token.text[:40]}'"

    def fail(self, message: str, at: int | None = None, code: str | None = None) -> NoReturn:
        offset = self.token.offset if at is None else at
        raise ExpressionError(message, source=self.source, offset=offset, code=code)

    def grown(self, at: int, *parts: Node | None) -> tuple[int, int]:
        """Depth and size of a node with these parts, held to the limit."""
        depth = 1
        size = 1
        for part in parts:
            if part is not None:
                depth = max(depth, part.depth + 1)
                size += part.size
        if depth > MAX_DEPTH:
            self.fail("the expression is nested too deeply", at, LIMIT)
        return depth, size

    # Grammar.

    def whole(self) -> Node:
        if self.token.kind == "end":
            self.fail("the expression is empty")
        node = self.expression()
        if self.token.kind != "end":
            self.fail(f"expected an operator or the end, found {self.shown()}")
        return node

    def expression(self) -> Node:
        self.nesting += 1
        if self.nesting > MAX_DEPTH:
            self.fail("the expression is nested too deeply", code=LIMIT)
        node = self.binary()
        if self.at("?"):
            at = self.next().offset
            then = self.binary()
            self.expect(":")
            other = self.expression()
            depth, size = self.grown(at, node, then, other)
            node = Conditional(offset=at, depth=depth, size=size, test=node, then=then, other=other)
        self.nesting -= 1
        return node

    def binary(self) -> Node:
        """Operators by precedence, on explicit stacks: one frame, whatever is written."""
        operands = [self.operand()]
        operators: list[Token] = []
        while True:
            token = self.token
            power = _PRECEDENCE.get(token.text, 0) if token.kind in ("op", "name") else 0
            while operators and _PRECEDENCE[operators[-1].text] >= power:
                right = operands.pop()
                operands.append(self.combine(operators.pop(), operands.pop(), right))
            if not power:
                return operands[0]
            operators.append(self.next())
            operands.append(self.operand())

    def combine(self, token: Token, left: Node, right: Node) -> Node:
        at, operator = token.offset, token.text
        power = _PRECEDENCE[operator]
        if power == 3:
            depth, size = self.grown(at, left, right)
            return Compare(
                offset=at, depth=depth, size=size, operator=operator, left=left, right=right
            )
        if power > 3:
            step = (operator, at, right)
            # A parenthesised left side merges too: the order of evaluation is the same.
            if isinstance(left, Chain) and _PRECEDENCE[left.rest[0][0]] == power:
                depth, size = self.longer(at, left, right)
                rest = (*left.rest, step)
                return Chain(offset=at, depth=depth, size=size, first=left.first, rest=rest)
            depth, size = self.grown(at, left, right)
            return Chain(offset=at, depth=depth, size=size, first=left, rest=(step,))
        if isinstance(left, Logic) and left.operator == operator:
            depth, size = self.longer(at, left, right)
            operands = (*left.operands, right)
            return Logic(offset=at, depth=depth, size=size, operator=operator, operands=operands)
        depth, size = self.grown(at, left, right)
        return Logic(offset=at, depth=depth, size=size, operator=operator, operands=(left, right))

    def longer(self, at: int, chain: Node, part: Node) -> tuple[int, int]:
        """Depth and size of a chain that grows by one part beside its others."""
        depth, size = self.grown(at, part)
        return max(chain.depth, depth), chain.size + size

    def operand(self) -> Node:
        signs: list[Token] = []
        while self.at("!", "-"):
            signs.append(self.next())
        if self.token.kind == "int":
            negative = bool(signs) and signs[-1].text == "-"
            node = self.integer(negative=negative)
            if negative:
                signs.pop()
        else:
            node = self.primary()
        node = self.members(node)
        for sign in reversed(signs):
            depth, size = self.grown(sign.offset, node)
            node = Unary(
                offset=sign.offset, depth=depth, size=size, operator=sign.text, operand=node
            )
        return node

    def integer(self, *, negative: bool) -> Node:
        token = self.next()
        value = token.value if isinstance(token.value, int) else 0
        value = -value if negative else value
        if not INT_MIN <= value <= INT_MAX:
            self.fail("the number does not fit in 64 bits", token.offset)
        return Literal(offset=token.offset, value=value)

    def primary(self) -> Node:
        token = self.next()
        if token.kind == "literal":
            return Literal(offset=token.offset, value=token.value)
        if token.kind == "name":
            return self.name(token)
        if token.kind == "op":
            if token.text == "(":
                node = self.expression()
                self.expect(")")
                return node
            if token.text == "[":
                return self.items(token)
            if token.text == "{":
                return self.entries(token)
        self.position -= token.kind != "end"
        return self.fail(f"expected a value, found {self.shown()}")

    def name(self, token: Token) -> Node:
        text = token.text
        if text in _WORDS:
            return Literal(offset=token.offset, value=_WORDS[text])
        if text in RESERVED:
            self.fail(f"'{text}' is a reserved word", token.offset)
        if self.take("("):
            return self.has(token) if text == "has" else self.call(text, token, None)
        space = self.tokens[self.position + 1] if self.at(".") else None
        if space is not None and space.kind == "name" and functions.is_space(text):
            full = f"{text}.{space.text}"
            after = self.tokens[self.position + 2]
            if full in functions.FUNCTIONS and after.kind == "op" and after.text == "(":
                self.position += 3
                return self.call(full, space, None)
        return Name(offset=token.offset, name=text)

    def members(self, node: Node) -> Node:
        while True:
            if self.take("."):
                optional = self.take("?")
                token = self.next()
                if token.kind not in ("name", "quoted"):
                    self.position -= token.kind != "end"
                    self.fail(f"expected a field, found {self.shown()}")
                if not optional and token.kind == "name" and self.take("("):
                    node = self.method(node, token)
                    continue
                depth, size = self.grown(token.offset, node)
                node = Select(
                    offset=token.offset,
                    depth=depth,
                    size=size,
                    operand=node,
                    field=str(token.value),
                    optional=optional,
                    quoted=token.kind == "quoted",
                )
            elif self.at("["):
                at = self.next().offset
                optional = self.take("?")
                index = self.expression()
                self.expect("]")
                depth, size = self.grown(at, node, index)
                node = Index(
                    offset=at, depth=depth, size=size, operand=node, index=index, optional=optional
                )
            else:
                return node

    def items(self, token: Token) -> Node:
        items: list[tuple[Node, bool]] = []
        while not self.take("]"):
            optional = self.take("?")
            items.append((self.expression(), optional))
            if not self.at("]"):
                self.expect(",")
        depth, size = self.grown(token.offset, *(item for item, _ in items))
        return ListLiteral(offset=token.offset, depth=depth, size=size, items=tuple(items))

    def entries(self, token: Token) -> Node:
        entries: list[tuple[Node, Node, bool]] = []
        while not self.take("}"):
            optional = self.take("?")
            key = self.expression()
            self.expect(":")
            entries.append((key, self.expression(), optional))
            if not self.at("}"):
                self.expect(",")
        parts = [part for entry in entries for part in entry[:2]]
        depth, size = self.grown(token.offset, *parts)
        return MapLiteral(offset=token.offset, depth=depth, size=size, entries=tuple(entries))

    # Calls and macros.

    def arguments(self) -> list[Node]:
        found: list[Node] = []
        while not self.take(")"):
            found.append(self.expression())
            if not self.at(")"):
                self.expect(",")
                if self.at(")"):
                    self.fail("expected a value, found ')'")
        return found

    def has(self, token: Token) -> Node:
        arguments = self.arguments()
        target = arguments[0] if len(arguments) == 1 else None
        if not isinstance(target, Select) or target.test or target.optional:
            self.fail("has() takes one field, as in has(item.name)", token.offset)
        return Select(
            offset=target.offset,
            depth=target.depth,
            size=target.size,
            operand=target.operand,
            field=target.field,
            test=True,
            quoted=target.quoted,
        )

    def call(self, name: str, token: Token, target: Node | None) -> Node:
        arguments = self.arguments()
        if target is not None:
            arguments.insert(0, target)
        if problem := functions.check(name, len(arguments), method=target is not None):
            self.fail(problem, token.offset)
        depth, size = self.grown(token.offset, *arguments)
        return Call(
            offset=token.offset,
            depth=depth,
            size=size + functions.weight(name),
            function=name,
            arguments=tuple(arguments),
        )

    def method(self, target: Node, token: Token) -> Node:
        shapes = _MACROS.get(token.text)
        if shapes is None:
            return self.call(token.text, token, target)
        arguments = self.arguments()
        count = 1 if len(arguments) in shapes[0] else 2 if len(arguments) in shapes[1] else 0
        names = [part.name for part in arguments[:count] if isinstance(part, Name)]
        if not count or len(names) != count or len(set(names)) != count:
            self.fail(f"{token.text}() takes a variable and what to do with it", token.offset)
        bodies = arguments[count:]
        kind = "exists_one" if token.text == "existsOne" else token.text
        test = bodies[0] if kind in _SELECTING or len(bodies) == 2 else None
        body = None if kind in _SELECTING else bodies[-1]
        depth, size = self.grown(token.offset, target, *bodies)
        return Macro(
            offset=token.offset,
            depth=depth,
            size=size,
            kind=kind,
            target=target,
            names=tuple(names),
            test=test,
            body=body,
        )
