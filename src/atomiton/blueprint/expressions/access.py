"""Reading fields and items: a lookup in a map or a list, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from atomiton.blueprint.expressions.limits import Failure
from atomiton.blueprint.expressions.syntax import Index, Name, Node, Select
from atomiton.blueprint.expressions.values import (
    ABSENT,
    Maybe,
    a_type,
    as_list,
    as_map,
    is_list,
    is_map,
)


def nearest(name: str, known: Iterable[object]) -> str:
    """A hint at the known name most like ``name``; empty when none is."""
    # Only a failure needs it, so only a failure pays for the import.
    from difflib import get_close_matches

    names = [text for text in list(known)[:200] if isinstance(text, str) and len(text) <= 100]
    found = get_close_matches(name[:100], names, n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def describe(node: Node) -> str:
    """How an error calls the value of a part: its path when it has one."""
    parts: list[str] = []
    while isinstance(node, (Select, Index)):
        parts.append(f".{node.field}" if isinstance(node, Select) else "[...]")
        node = node.operand
    if not isinstance(node, Name):
        return "the value"
    return node.name + "".join(reversed(parts))


def select(value: object, node: Select) -> object:
    """``value.field`` or ``value.?field`` where the quick lookup did not answer."""
    if type(value) is Maybe:
        if not value.present:
            return ABSENT
        return _found(value.value, node)
    if node.optional:
        return _found(value, node)
    if is_map(value) and node.field in value:
        return as_map(value)[node.field]
    raise Failure(node.offset, lambda: _no_field(value, node))


def _found(value: object, node: Select) -> object:
    if not is_map(value):
        raise Failure(node.offset, lambda: _no_field(value, node))
    fields = as_map(value)
    if node.field in fields:
        return Maybe(present=True, value=fields[node.field])
    return ABSENT


def _no_field(value: object, node: Select) -> str:
    where = describe(node.operand)
    field = node.field[:80]
    if where == "secrets":  # that the name is declared was checked before anything ran
        return (
            f"the secret {field} has no value: keep one with 'atomiton secrets set {field}', "
            f"or set ATOMITON_SECRET_{field}"
        )
    if not is_map(value):
        return f"no field '{field}' in {where}, which is {a_type(value)}"
    names = [key for key in as_map(value) if isinstance(key, str)]
    shown = ", ".join(name[:40] for name in names[:12]) + (", ..." if len(names) > 12 else "")
    fields = f"fields: {shown}" if names else "it has none"
    return f"no field '{field}' in {where} ({fields}){nearest(field, names)}"


def member(value: object, field: str, at: int) -> bool:
    """``has(value.field)``."""
    if type(value) is Maybe:
        if not value.present:
            return False
        value = value.value
    if not is_map(value):
        raise Failure(at, lambda: f"has() looks into a map, not into {a_type(value)}")
    return field in value


def index(value: object, place: object, node: Index) -> object:
    """``value[place]`` or ``value[?place]``."""
    if type(value) is Maybe:
        if not value.present:
            return ABSENT
        found, item = _item(value.value, place, node)
        return Maybe(present=True, value=item) if found else ABSENT
    found, item = _item(value, place, node)
    if node.optional:
        return Maybe(present=True, value=item) if found else ABSENT
    if found:
        return item
    raise Failure(node.offset, lambda: _no_item(value, place, node))


def _item(value: object, place: object, node: Index) -> tuple[bool, object]:
    if is_list(value):
        items = as_list(value)
        if type(place) is float and place.is_integer():
            place = int(place)
        if type(place) is int:
            return (True, items[place]) if 0 <= place < len(items) else (False, None)
        raise Failure(node.offset, lambda: f"a list is indexed by an int, not by {a_type(place)}")
    if is_map(value):
        if type(place) is str:
            fields = as_map(value)
            return (True, fields[place]) if place in fields else (False, None)
        raise Failure(node.offset, lambda: f"a map is indexed by a string, not by {a_type(place)}")
    raise Failure(node.offset, lambda: f"{a_type(value)} cannot be indexed")


def _no_item(value: object, place: object, node: Index) -> str:
    where = describe(node.operand)
    if is_list(value):
        return f"index {place} is out of range in {where}, which has {len(as_list(value))} items"
    field = str(place)[:80]
    names = [key for key in as_map(value) if isinstance(key, str)]
    shown = ", ".join(name[:40] for name in names[:12]) + (", ..." if len(names) > 12 else "")
    return f"no key '{field}' in {where} (keys: {shown}){nearest(field, names)}"
