"""Nodes of n8n that change items."""

from __future__ import annotations

from atomiton.interop.data import listing, mapping, text, whole
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import each, once, value
from atomiton.interop.n8n_lists import limit, sort, unique
from atomiton.interop.n8n_part import Mapped
from atomiton.interop.n8n_values import path


def set_fields(one: Mapped) -> Node:
    """Items with fields set anew."""
    said = one.parameters
    dots = mapping(said.get("options")).get("dotNotation", True) is not False
    if one.version >= 3 and said.get("mode") == "raw":
        found = one.values.json(said.get("jsonOutput", "{}"))
        return _edited(one, found, keep=_others(one))
    pairs = _assignments(one) if one.version >= 3 else _old_assignments(one)
    made: Node = {}
    for name, found in pairs:
        if name.startswith("=") or (dots and ("." in name or "[" in name)):
            raise Untranslatable(f"the field '{name[:60]}' is computed, or stands in another one")
        made[name] = found
    return _edited(one, made, keep=_others(one))


def _edited(one: Mapped, values: object, *, keep: bool) -> Node:
    one.part.pairs = True
    params: Node = {"values": values}
    if keep:
        params["data"] = braced("item")
    return each(one.incoming, {"uses": "data.edit", "with": params})


def _others(one: Mapped) -> bool:
    """Whether fields that are not set stay."""
    said = one.parameters
    if one.version < 3:
        return said.get("keepOnlySet") is not True
    if "include" in said and said.get("includeOtherFields", one.version < 3.3) is True:
        if said["include"] not in ("all", "none"):
            raise Untranslatable("only some of the other fields stay")
        return said["include"] == "all"
    if one.version < 3.3:
        return text(said.get("include"), "all") == "all"
    return said.get("includeOtherFields") is True


def _old_assignments(one: Mapped) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for type_, pairs in mapping(one.parameters.get("values")).items():
        for pair in listing(pairs):
            about = mapping(pair)
            default: object = {"number": 0, "boolean": False}.get(type_, "")
            found.append((text(about.get("name")), one.values.value(about.get("value", default))))
    return found


def _assignments(one: Mapped) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    pairs = listing(mapping(one.parameters.get("assignments")).get("assignments"))
    old = listing(mapping(one.parameters.get("fields")).get("values"))
    for pair in pairs or old:
        about = mapping(pair)
        type_ = text(about.get("type"), "string").removesuffix("Value")
        value_ = about.get("value") if pairs else about.get(f"{type_}Value")
        found.append((text(about.get("name")), _typed(one, type_, value_)))
    return found


def _typed(one: Mapped, type_: str, said: object) -> object:
    """A value as the type that is said, as far as it has to be converted."""
    computed = isinstance(said, str) and said.startswith("=")
    if type_ in ("array", "object") and isinstance(said, str):
        return one.values.json(said)
    if type_ == "number" and isinstance(said, str) and not computed:
        number = whole(said)
        try:
            return float(said) if number is None else number
        except ValueError:
            raise Untranslatable(f"'{said[:30]}' is no number") from None
    if type_ == "boolean" and isinstance(said, str) and not computed:
        return said == "true"
    if not computed:
        return (
            str(said)
            if type_ == "string" and isinstance(said, int | float)
            else one.values.value(said)
        )
    found = one.values.cel(said)
    made = one.values.value(said)
    if not str(made).startswith("${{") or str(made).count("${{") > 1:
        return made
    if type_ == "string" and found.kind in ("number", "bool"):
        return braced(f"string({found.whole})")
    if found.kind == "any" and type_ in ("string", "number", "boolean"):
        one.part.entry.differs("computed values keep their type: they are not converted")
    return made


def split_out(one: Mapped) -> Node:
    """An item for each part of a list that an item holds."""
    said = one.parameters
    name = text(said.get("fieldToSplitOut"))
    if not name or "," in name or name.startswith("="):
        raise Untranslatable("it splits several fields, or says none")
    if text(said.get("include"), "noOtherFields") not in ("noOtherFields", ""):
        raise Untranslatable("other fields go along with each part")
    found = path("item", name)
    listed = f"{found.text}.orValue([])" if found.optional else found.closed
    to = text(mapping(said.get("options")).get("destinationFieldName")) or name.split(".")[-1]
    part = f'type(v) == "map" ? v : {{{quoted(to)}: v}}'
    if mapping(said.get("options")).get("destinationFieldName"):
        part = f"{{{quoted(to)}: v}}"
    return value(f"{one.incoming}.map(item, {listed}).flatten().map(v, {part})")


def aggregate(one: Mapped) -> Node:
    """One item of all."""
    said = one.parameters
    one.part.single = True
    if text(said.get("aggregate"), "aggregateIndividualFields") == "aggregateAllItemData":
        if text(said.get("include"), "allFields") != "allFields":
            raise Untranslatable("only some of the fields are kept")
        name = text(said.get("destinationFieldName"), "data")
        item = f"{{{quoted(name)}: {one.incoming}}}"
        return once(value(f"[{item}]"), one.incoming)
    fields = listing(mapping(said.get("fieldsToAggregate")).get("fieldToAggregate"))
    options = mapping(said.get("options"))
    if options.get("mergeLists") is True:
        raise Untranslatable("lists are merged")
    pairs: list[str] = []
    for one_field in fields:
        about = mapping(one_field)
        name = text(about.get("fieldToAggregate"))
        if not name:
            raise Untranslatable("it does not say which field")
        to = text(about.get("outputFieldName")) if about.get("renameField") is True else ""
        found = path("item", name)
        listed = one.incoming
        if options.get("keepMissing") is not True:
            listed = f"{listed}.filter(item, {found.whole} != null)"
        pairs.append(f"{quoted(to or name.split('.')[-1])}: {listed}.map(item, {found.whole})")
    if not pairs:
        raise Untranslatable("it does not say which fields")
    return once(value(f"[{{{', '.join(pairs)}}}]"), one.incoming)


def item_lists(one: Mapped) -> Node:
    """What was one node for several things."""
    operation = text(one.parameters.get("operation"), "splitOutItems")
    makers = {
        "splitOutItems": split_out,
        "limit": limit,
        "sort": sort,
        "removeDuplicates": unique,
    }
    if operation not in makers:
        raise Untranslatable(f"'{operation[:40]}' of lists is not known here")
    return makers[operation](one)
