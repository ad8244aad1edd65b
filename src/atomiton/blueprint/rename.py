"""Gives a node of a blueprint another id, and follows it wherever the text names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, NoReturn, cast

import msgspec

from atomiton.blueprint.document import read_document
from atomiton.blueprint.edit import checked, split_bom
from atomiton.blueprint.model import Json
from atomiton.blueprint.nodes import NAME, RESERVED
from atomiton.blueprint.positions import nearest_place
from atomiton.blueprint.problems import Path, dotted, nearest
from atomiton.blueprint.reading import as_mapping
from atomiton.blueprint.spans import Span, letters, scan
from atomiton.blueprint.walking import IsExpression, Written, body_texts
from atomiton.blueprint.yaml import load
from atomiton.errors import BlueprintError, ExpressionError, NotFound, Problem

__all__ = ["Renamed", "rename_node"]


class Renamed(msgspec.Struct, frozen=True):
    """A text in which a node was renamed.

    Attributes:
        text: The text; every byte that is not a name of the node is as it was.
        lines: The line, from 1, of each place that was changed, in the order of the text.
        notes: What the change means for those who use the blueprint, one sentence each.
    """

    text: str
    lines: tuple[int, ...]
    notes: tuple[str, ...]


def rename_node(text: str, old: str, new: str, is_expression: IsExpression) -> Renamed:
    r"""Rename a node, and every reference to it.

    References are those in expressions, ``needs`` and ``layout``; a text, a field or a key of the
    same name stays. A group that has a node of the old name itself means that one.

    Args:
        text: YAML or JSON text of a blueprint.
        old: Id of the node; inside groups with theirs, as ``group.inner``.
        new: Its new id, without those of groups.
        is_expression: Which parameters take bare expressions.

    Raises:
        BlueprintError: The text is no blueprint, has no such node, a name would then mean
            something else, or the change cannot be made in place.

    Example:
        >>> text = "atomiton: 1\nid: x\nnodes: {a: {uses: t}}\noutput: ${{ a.b }} # a\n"
        >>> print(rename_node(text, "a", "c", lambda *_: False).text)
        atomiton: 1
        id: x
        nodes: {c: {uses: t}}
        output: ${{ c.b }} # a
        <BLANKLINE>
    """
    bom, text = split_bom(text)
    renaming = _Renaming(text, old.split("."), new, is_expression)
    renaming.refuse_conflicts()
    edits = renaming.find()
    spliced, lines = _spliced(text, edits, new)
    data = _changed(renaming.data, edits, new)
    path = (*renaming.owner_path, "nodes", renaming.old)
    spliced = checked(spliced, data, path)
    document = load(spliced)
    read_document(document.data, document.positions, document.key_positions)
    return Renamed(bom + spliced, tuple(lines), tuple(renaming.notes))


class _Edit(NamedTuple):
    """Characters of a value, or of the key at a path, that are to be the new name."""

    path: Path
    value: str
    start: int
    end: int
    is_key: bool = False


class _Renaming:
    """One node of one document, and where it is named."""

    def __init__(self, text: str, names: list[str], new: str, is_expression: IsExpression) -> None:
        self.document = load(text)
        self.data = self.document.data
        read_document(self.data, self.document.positions, self.document.key_positions)
        self.names = names
        self.old = names[-1]
        self.new = new
        self.is_expression = is_expression
        self.notes: list[str] = []
        #: The document and the groups around the node, outermost first, each with its path.
        self.owners: list[tuple[Mapping[str, object], Path]] = self._find_owners()
        self.owner_path = self.owners[-1][1]

    def _find_owners(self) -> list[tuple[Mapping[str, object], Path]]:
        owner: Mapping[str, object] = self.data
        path: Path = ()
        owners: list[tuple[Mapping[str, object], Path]] = [(owner, path)]
        for place, name in enumerate(self.names):
            body = as_mapping(owner.get("nodes")) or {}
            node = as_mapping(body.get(name))
            where = ".".join(self.names[:place])
            if node is None:
                around = f" in the group '{where}'" if where else ""
                hint = nearest(name, body) or f"its nodes: {', '.join(list(body)[:20])}"
                problem = Problem("NOT_FOUND", f"there is no node '{name}'{around}", hint=hint)
                raise BlueprintError([problem])
            path = (*path, "nodes", name)
            if place < len(self.names) - 1:
                if "nodes" not in node:
                    self.refuse(path, f"'{name}' is no group", code="NOT_FOUND")
                owner = node
                owners.append((owner, path))
        return owners

    def refuse(
        self, path: Path, message: str, hint: str | None = None, code: str = "INVALID_INPUT"
    ) -> NoReturn:
        """Raise one problem with the place of a path."""
        place = self.document.key_positions.get(path)
        line, column = place or nearest_place(self.document.positions, path)
        raise BlueprintError([Problem(code, message, dotted(path), line, column, hint)])

    # -- what is in the way --------------------------------------------------------------------

    def refuse_conflicts(self) -> None:
        """Refuse a new name that is none, or that means something else somewhere near."""
        new = self.new
        path = (*self.owner_path, "nodes", self.old)
        if new in RESERVED:
            message = f"'{new}' cannot be the id of a node: in expressions it means something else"
            self.refuse(path, message, f"such as '{new}_'")
        if not NAME.fullmatch(new):
            hint = "a small letter, then small letters, digits and _, at most 64"
            if "." in new:
                hint = "give the new id alone, without those of the groups around it"
            self.refuse(path, f"'{new[:60]}' cannot be the id of a node", hint)
        if new == self.old:
            self.refuse(path, f"the node is called '{new}' already")
        for owner, owner_path in self.owners:
            taken = (*owner_path, "nodes", new)
            if new in (as_mapping(owner.get("nodes")) or {}):
                same = owner_path == self.owner_path
                where = "here already" if same else "around the group, which it would hide"
                self.refuse(taken, f"there is a node '{new}' {where}")
            if owner.get("as") == new:
                self.refuse((*owner_path, "as"), f"'{new}' is the name of an item around the node")
        for inner_path, what in _names_below(self.owners[-1][0], self.owner_path, new):
            self.refuse(inner_path, f"'{new}' is {what}, which would hide the node there")

    # -- where it is named ---------------------------------------------------------------------

    def find(self) -> list[_Edit]:
        """Every place that names the node, its own key first."""
        owner, path = self.owners[-1]
        edits = [_Edit((*path, "nodes", self.old), self.old, 0, len(self.old), is_key=True)]
        found = self._mentions(owner, path, self.old, ((self.old,), ("nodes", self.old)))
        edits.extend(found)
        if _is_sink(found, path, self.old):
            edits.extend(self._in_default_outputs())
        full = ".".join(self.names)
        for key in as_mapping(self.data.get("layout")) or {}:
            if key == full or key.startswith(f"{full}."):
                start = len(full) - len(self.old)
                edits.append(_Edit(("layout", key), key, start, len(full), is_key=True))
        return edits

    def _mentions(
        self, owner: Mapping[str, object], path: Path, name: str, paths: tuple[tuple[str, ...], ...]
    ) -> list[_Edit]:
        found: list[_Edit] = []
        words = {self.new, *(names[-1] for names in paths)}
        try:
            for written in body_texts(owner, path, self.is_expression, name):
                if not any(word in written.text for word in words):
                    continue
                if written.kind != "needs":
                    found.extend(self._in_expressions(written, paths))
                elif written.text.partition(".")[0] == name and (name,) in paths:
                    found.append(_Edit(written.path, written.text, 0, len(name)))
        except NotFound as error:
            # Which of its parameters are expressions is not known, so neither is what they name.
            hint = "add the file that has it with --nodes"
            raise BlueprintError([Problem("UNKNOWN_NODE_TYPE", error.message, hint=hint)]) from None
        return found

    def _in_expressions(
        self, written: Written, paths: tuple[tuple[str, ...], ...]
    ) -> Iterator[_Edit]:
        try:
            for offset, expression in written.expressions():
                mentions = [m for path in paths for m in expression.mentions(*path)]
                taken = any(reference.name == self.new for reference in expression.references)
                if taken or any(self.new in mention.bound for mention in mentions):
                    message = f"'{self.new}' means something else in this expression"
                    self.refuse(written.path, message, "choose another name")
                for mention in mentions:
                    start, end = mention.start + offset, mention.end + offset
                    yield _Edit(written.path, written.text, start, end)
        except ExpressionError as error:
            message = f"{error.message} (at character {error.offset + 1})"
            self.refuse(written.path, message, code=error.code)

    def _in_default_outputs(self) -> Iterator[_Edit]:
        """Fields of what groups without ``output`` give, which are named for their sinks."""
        fields: tuple[str, ...] = (self.old,)
        for level in range(len(self.owners) - 1, -1, -1):
            owner, path = self.owners[level]
            if "output" in owner:
                return
            what = f"'{path[-1]}'" if path else "the blueprint"
            self.notes.append(
                f"{what} has no 'output': what it gives has '{self.new}' in place of '{self.old}'"
            )
            if not path or "map" in owner or "loop" in owner:
                return
            group = str(path[-1])
            fields = (group, *fields)
            outer, outer_path = self.owners[level - 1]
            yield from self._mentions(outer, outer_path, group, (fields,))
            named = self._mentions(outer, outer_path, group, ((group,), ("nodes", group)))
            if not _is_sink(named, outer_path, group):
                return


def _names_below(owner: Mapping[str, object], path: Path, name: str) -> Iterator[tuple[Path, str]]:
    """Places below a body where a name is the id of an inner node, or the name of an item."""
    for id_, node in (as_mapping(owner.get("nodes")) or {}).items():
        yield from _names_in(as_mapping(node) or {}, (*path, "nodes", id_), name)
    if not path:
        for event, node in (as_mapping(owner.get("on")) or {}).items():
            yield from _names_in(as_mapping(node) or {}, ("on", event), name)


def _names_in(node: Mapping[str, object], path: Path, name: str) -> Iterator[tuple[Path, str]]:
    if node.get("as") == name:
        yield (*path, "as"), "the name of an item"
    inner = as_mapping(node.get("nodes"))
    if inner is not None:
        if name in inner:
            yield (*path, "nodes", name), "a node of a group"
        yield from _names_below(node, path, name)
    undo = as_mapping(node.get("compensate"))
    if undo is not None:
        yield from _names_in(undo, (*path, "compensate"), name)


def _is_sink(mentions: list[_Edit], owner: Path, name: str) -> bool:
    """Whether no other node of its body names it."""
    own = (*owner, "nodes", name)
    depth = len(owner)
    return all(
        edit.path[depth : depth + 1] != ("nodes",)
        or edit.path[: depth + 2] == own
        or "compensate" in edit.path[depth + 2 : depth + 3]
        for edit in mentions
    )


# -- changing ----------------------------------------------------------------------------------


def _spliced(text: str, edits: list[_Edit], new: str) -> tuple[str, list[int]]:
    """The text with the new name in every place, and the lines of those."""
    root = scan(text)
    places: set[tuple[int, int]] = set()
    for edit in edits:
        written = _letters(text, root, edit)
        if written is not None:
            places.add((written[edit.start][0], written[edit.end - 1][1]))
    parts: list[str] = []
    lines: list[int] = []
    behind, line = 0, 1
    for start, end in sorted(places):
        line += text.count("\n", behind, start)
        lines.append(line)
        parts += [text[behind:start], new]
        behind = end
    return "".join([*parts, text[behind:]]), lines


def _letters(text: str, root: Span, edit: _Edit) -> dict[int, tuple[int, int]] | None:
    """Where the characters stand; None where an alias does, for what stands elsewhere."""
    if edit.is_key:
        parent = root.find(edit.path[:-1])
        key = None if parent is None else parent.keys.get(str(edit.path[-1]))
        return None if key is None else letters(text, *key, edit.value)
    span = root.find(edit.path)
    if span is None or text.startswith("*", span.start):
        return None
    return letters(text, span.start, span.end, edit.value, span.header)


def _changed(data: dict[str, Json], edits: list[_Edit], new: str) -> dict[str, Json]:
    """The data with the new name in every place."""
    # Through JSON, so that what an alias repeats is held twice.
    copy = cast("dict[str, Json]", msgspec.json.decode(msgspec.json.encode(data)))
    by_place: dict[tuple[bool, Path], list[_Edit]] = {}
    for edit in edits:
        by_place.setdefault((edit.is_key, edit.path), []).append(edit)
    # Values first: their paths are those of before.
    for (is_key, path), found in sorted(by_place.items(), key=_keys_last):
        value = found[0].value
        for start, end in sorted({(edit.start, edit.end) for edit in found}, reverse=True):
            value = value[:start] + new + value[end:]
        # The path is that of a value, so whatever is on the way has the step.
        container = cast("dict[str | int, object]", copy)
        for step in path[:-1]:
            container = cast("dict[str | int, object]", container[step])
        container[value if is_key else path[-1]] = container.pop(path[-1]) if is_key else value
    return copy


def _keys_last(item: tuple[tuple[bool, Path], list[_Edit]]) -> bool:
    return item[0][0]
