"""The state of one tracing: bodies and the nodes in them, ids, and what may be named where."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from types import CodeType
from typing import TYPE_CHECKING, Final

from atomiton.blueprint.model import Json
from atomiton.blueprint.nodes import NAME, RESERVED
from atomiton.builder.caught import refuse_try
from atomiton.builder.parts import Part, Root
from atomiton.builder.places import caller, wrong
from atomiton.nodes.recording import RECORDER

if TYPE_CHECKING:
    from atomiton.builder.built import BuiltBlueprint
    from atomiton.errors import TracingError
    from atomiton.nodes.spec import NodeType

_MARKS = itertools.count(1)
_MARK: Final = re.compile("\ue000([0-9]+)\ue001")
_UPPER: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Scope:
    """A place in which names have a meaning.

    Attributes:
        binds: Names that have another meaning here than around it.
        what: What it is, for messages.
    """

    def __init__(self, what: str, binds: frozenset[str] = frozenset()) -> None:
        self.what = what
        self.binds = binds


class Record:
    """A node that was recorded.

    Attributes:
        id: Its id.
        document: Its keys, as in the format.
        refs: Ids of nodes of the same body that it depends on.
        mentions: Those, and the ids that only its compensation names.
        passing: Whether it only hands a value on, and is left out when nobody wants that.
    """

    def __init__(
        self, id_: str, document: dict[str, Json], refs: set[str], mentions: set[str]
    ) -> None:
        self.id = id_
        self.document = document
        self.refs = refs
        self.mentions = mentions
        self.passing = False

    def need(self, name: str) -> None:
        """Come after a node, or a route of a branch, of the same body."""
        needs = self.document.setdefault("needs", [])
        if isinstance(needs, list) and name not in needs:
            needs.append(name)
        self.refs.add(name.partition(".")[0])
        self.mentions.add(name.partition(".")[0])


class Body(Scope):
    """A scope that holds nodes.

    Attributes:
        records: The nodes, by id, in the order of their calls.
        repeated: Of the body of a repeat that is one node function: the body around it.
    """

    def __init__(
        self, what: str, binds: frozenset[str] = frozenset(), repeated: Body | None = None
    ) -> None:
        super().__init__(what, binds)
        self.records: dict[str, Record] = {}
        self.repeated = repeated

    def prune(self, kept: frozenset[Root]) -> None:
        """Leave out nodes that only hand on a value that nobody uses.

        Args:
            kept: What the output of the body uses.
        """
        wanted = {root.name for root in kept if root.scope is self}
        for record in reversed(list(self.records.values())):
            if record.passing and record.id not in wanted:
                del self.records[record.id]
            else:
                wanted |= record.mentions

    def document(self) -> dict[str, Json]:
        """The nodes, as in the format."""
        return {record.id: record.document for record in self.records.values()}


class Trace:
    """The state of one tracing.

    Attributes:
        body: Where nodes are recorded now.
        stack: The scopes around the code that runs, outermost first.
        types: The node types that were used, by name and version.
        children: Blueprints that are called, by id.
        secrets: Names of secrets, in the order of their use.
        lines: Id of each node to its line; ids are unique in the whole blueprint.
        caught: What is wrong with the first node that was called where errors are caught.

    Args:
        code: The function that is traced.
    """

    def __init__(self, code: CodeType) -> None:
        self._code = code
        self.caught: TracingError | None = None
        self.top = Body("the blueprint")
        self.body = self.top
        self.stack: list[Scope] = [self.top]
        self.types: dict[tuple[str, int], NodeType] = {}
        self.children: dict[str, BuiltBlueprint] = {}
        self.secrets: dict[str, None] = {}
        self.lines: dict[str, int] = {}
        self._ids: Counter[str] = Counter()
        self._items: set[str] = set()
        self._marks: dict[int, Part] = {}
        self._collectors: list[set[Root]] = []
        self._late = False

    # -- names -----------------------------------------------------------------------------

    def new_id(self, wanted: str | None, base: str) -> str:
        """An id that no node has yet.

        Args:
            wanted: What the user asks for; refused when it cannot be had.
            base: What to make one of otherwise, such as the name of a node type.
        """
        if wanted is not None:
            if not NAME.fullmatch(wanted) or wanted in RESERVED:
                raise wrong(
                    f"{wanted!r} cannot be the id of a node",
                    "a small letter, then small letters, digits and _, and no word of expressions",
                )
            if self._is_seen(wanted) or wanted in self._items:
                at = f", at line {self.lines[wanted]}" if wanted in self.lines else ""
                raise wrong(f"there is a node {wanted!r} already{at}", "give it another id")
            self._ids[wanted] += 1
            return wanted
        found = self._free(snake(base), {*self._ids, *self._items})
        self._ids[found] += 1
        return found

    def _is_seen(self, id_: str) -> bool:
        """Whether a node of this id can be seen here; others may have the same one."""
        return any(isinstance(scope, Body) and id_ in scope.records for scope in self.stack)

    def new_item(self, wanted: str) -> str:
        """A name for the item of a repeat that hides none of those around it."""
        name = wanted if NAME.fullmatch(wanted) and wanted not in RESERVED else "item"
        around = {bound for scope in self.stack for bound in scope.binds}
        if name == "item" and "item" not in around:
            return name
        found = self._free(name, {*self._ids, *around})
        self._items.add(found)
        return found

    def free_id(self, id_: str) -> None:
        """Give back an id whose node was taken out again."""
        self._ids[id_] -= 1
        self._ids = +self._ids

    @staticmethod
    def _free(base: str, taken: set[str]) -> str:
        names = itertools.chain([base], (f"{base}_{n}" for n in itertools.count(2)))
        return next(name for name in names if name not in taken and name not in RESERVED)

    # -- scopes ----------------------------------------------------------------------------

    @contextmanager
    def inside(self, scope: Scope) -> Generator[None, None, None]:
        """Run the user's code in a scope; nodes go into it if it is a body."""
        outer = self.body
        self.stack.append(scope)
        if isinstance(scope, Body):
            self.body = scope
        try:
            yield
        finally:
            self.stack.pop()
            self.body = outer

    @contextmanager
    def collect(self) -> Generator[set[Root], None, None]:
        """Gather every name that is used meanwhile."""
        found: set[Root] = set()
        self._collectors.append(found)
        try:
            yield found
        finally:
            self._collectors.pop()

    def use(self, part: Part) -> Part:
        """Note that a part is used here, and refuse what has no meaning here."""
        for root in part.roots:
            if root.scope not in self.stack:
                raise wrong(
                    f"'{part.source}' is known only inside {root.scope.what}",
                    "return it from there",
                )
            inner = self.stack[self.stack.index(root.scope) + 1 :]
            hiding = next((scope for scope in inner if root.name in scope.binds), None)
            if hiding is not None:
                raise wrong(
                    f"'{part.source}' of {root.scope.what} is hidden by {hiding.what}",
                    "give the parameter of the outer function another name",
                )
            for collector in self._collectors:
                collector.add(root._replace(late=True) if self._late else root)
        return part

    @contextmanager
    def late(self) -> Generator[None, None, None]:
        """Note names that are used meanwhile as those of a compensation."""
        before, self._late = self._late, True
        try:
            yield
        finally:
            self._late = before

    # -- records and marks -----------------------------------------------------------------

    def add(self, id_: str, document: dict[str, Json], roots: set[Root]) -> Part:
        """Record a node.

        Args:
            id_: Its id.
            document: Its keys.
            roots: What it uses.

        Returns:
            Its output.
        """
        if self.stack[-1] is not self.body:
            raise wrong(f"no node can be called in {self.stack[-1].what}", "only compute there")
        self.lines[id_] = caller()[1]
        self.caught = self.caught or refuse_try(self._code)
        used = {(root.name, root.late) for root in roots if root.scope is self.body}
        used |= {(str(n).partition(".")[0], False) for n in _as_list(document.get("needs"))}
        refs = {name for name, late in used if not late}
        self.body.records[id_] = Record(id_, document, refs, {name for name, _ in used})
        return self.output_of(id_)

    def output_of(self, id_: str) -> Part:
        """The output of a node of the body."""
        return Part(id_, roots=frozenset({Root(id_, self.body)}))

    def mark(self, part: Part) -> str:
        """Text that stands for a part inside other text, until that is written down."""
        number = next(_MARKS)
        self._marks[number] = part
        return f"\ue000{number}\ue001"

    def split(self, text: str) -> list[str | Part]:
        """Text in pieces: plain ones, and the parts that marks in it stand for."""
        pieces: list[str | Part] = []
        for place, piece in enumerate(_MARK.split(text)):
            if place % 2 == 0:
                if piece:
                    pieces.append(piece)
            elif (part := self._marks.get(int(piece))) is not None:
                pieces.append(self.use(part))
            else:
                raise wrong("the text holds a value of another blueprint", "pass it as an input")
        return pieces


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def has_mark(text: str) -> bool:
    """Whether a text holds a mark that stands for a value."""
    return _MARK.search(text) is not None


def current() -> Trace | None:
    """The tracing that goes on here."""
    recorder = RECORDER.get()
    return recorder if isinstance(recorder, Trace) else None


def snake(name: str) -> str:
    """The id that the name of a node type or a function suggests.

    Example:
        >>> [snake(name) for name in ("orders.convert", "shell.run", "sendMail", "<lambda>")]
        ['convert', 'shell_run', 'send_mail', 'node']
    """
    last = name.rpartition(".")[2]
    for candidate in (last, name):
        word = re.sub(r"[^a-z0-9]+", "_", _UPPER.sub("_", candidate).lower()).strip("_")
        word = word.lstrip("0123456789_")[:60]
        if word and word not in RESERVED and word != "lambda":
            return word
    return "node"
