"""Nodes of n8n that hand items on, choose among them, and put lists together."""

from __future__ import annotations

from typing import cast

from atomiton.interop.data import listing, mapping, text, whole
from atomiton.interop.draft import Node
from atomiton.interop.expressions.cel import braced
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import once, value
from atomiton.interop.n8n_part import Mapped
from atomiton.interop.n8n_values import conditions, path, test_of


def hand_on(one: Mapped) -> Node:
    """Items as they are."""
    one.part.pairs = one.part.said.get("executeOnce") is not True
    return value(one.incoming)


def wait(one: Mapped) -> Node:
    """Wait, and hand items on."""
    said = one.parameters
    resume = text(said.get("resume"), "timeInterval")
    units = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
    if resume == "timeInterval":
        old = "hours" if one.version < 1.1 else "seconds"
        unit = units.get(text(said.get("unit"), old))
        default = 1 if one.version < 1.1 else 5
        amount = one.values_once.cel(said.get("amount", default))
        if unit is None:
            raise Untranslatable("the unit of the wait is not known")
        pause: Node = {"wait": {"for": braced(f"{amount.closed} * {unit}")}}
        plain = said.get("amount", default)
        if isinstance(plain, int | float):
            pause = {"wait": {"for": plain * unit}}
    else:
        raise Untranslatable(
            f"waiting for '{resume[:30]}' is not known here: see 'wait' and its signals"
        )
    one.part.pairs = True
    return once({"nodes": {"pause": pause}, "output": braced(one.incoming)}, one.incoming)


def limit(one: Mapped) -> Node:
    """The first or last items."""
    said = one.parameters
    most = said.get("maxItems", 1)
    if not isinstance(most, int):
        raise Untranslatable("the number of items is computed")
    params: Node = {"items": braced(one.incoming)}
    params.update({"start": -most} if said.get("keep") == "lastItems" else {"end": most})
    one.part.outputs = [f"{one.id}.items"]
    one.part.pairs = said.get("keep") != "lastItems"
    return {"uses": "data.slice", "with": params}


def sort(one: Mapped) -> Node:
    """Items in an order."""
    said = one.parameters
    if text(said.get("type"), "simple") != "simple":
        raise Untranslatable("sorting by code or at random is not known here")
    fields = [mapping(f) for f in listing(mapping(said.get("sortFieldsUi")).get("sortField"))]
    if not fields:
        raise Untranslatable("it does not say what to sort by")
    one.part.entry.differs("texts are ordered by their characters, capitals first")
    nodes: Node = {}
    items = one.incoming
    for number, field in enumerate(reversed(fields)):
        id_ = "result" if number == len(fields) - 1 else one.draft.name(f"{one.id}_by")
        params: Node = {
            "items": braced(items),
            "by": path("item", text(field.get("fieldName"))).whole,
        }
        if field.get("order") == "descending":
            params["descending"] = True
        nodes[id_] = {"uses": "data.sort", "with": params}
        items = f"{id_}.items"
    if len(nodes) == 1:
        one.part.outputs = [f"{one.id}.items"]
        return cast("Node", nodes["result"])
    return {"nodes": nodes, "output": braced("result.items")}


def unique(one: Mapped) -> Node:
    """Items without those that are there already."""
    said = one.parameters
    if one.version >= 2 and text(said.get("operation"), "removeDuplicateInputItems") != (
        "removeDuplicateInputItems"
    ):
        raise Untranslatable("items of earlier runs are not remembered here")
    params: Node = {"items": braced(one.incoming)}
    if said.get("compare") == "selectedFields":
        names = [n.strip() for n in text(said.get("fieldsToCompare")).split(",") if n.strip()]
        if not names:
            raise Untranslatable("it does not say which fields to compare")
        params["by"] = f"[{', '.join(path('item', name).whole for name in names)}]"
    elif said.get("compare", "allFields") != "allFields":
        raise Untranslatable("which fields are compared is said by those that are not")
    one.part.outputs = [f"{one.id}.items"]
    return {"uses": "data.unique", "with": params}


def _condition(one: Mapped) -> str:
    said = mapping(one.parameters.get("conditions"))
    if "conditions" in said:
        return conditions(one.values, said)
    parts: list[str] = []
    for type_, tests in said.items():
        for test in listing(tests):
            about = mapping(test)
            default = "smaller" if type_ == "number" else "equal"
            operation = text(about.get("operation"), default)
            left, right = (one.values.cel(about.get(key, "")) for key in ("value1", "value2"))
            if type_ == "boolean" and "value2" not in about:
                right = one.values.cel(False)
            parts.append(test_of(type_, operation, left, right))
    if not parts:
        raise Untranslatable("there are no conditions")
    return (" || " if one.parameters.get("combineOperation") == "any" else " && ").join(parts)


def _loosely(one: Mapped) -> None:
    said = mapping(mapping(one.parameters.get("conditions")).get("options"))
    loose = one.parameters.get("looseTypeValidation") is True
    if said.get("typeValidation") == "loose" or loose or one.version < 2:
        one.part.entry.differs("values are compared as they are: texts are not taken for numbers")


def _chosen(items: str, test: str) -> str:
    """The items for which a condition holds."""
    if "index" in test:
        return f"{items}.transformList(index, item, {test}, item)"
    return f"{items}.filter(item, {test})"


def choose(one: Mapped) -> Node:
    """Items by a condition: those for which it holds, and the others."""
    test = _condition(one)
    _loosely(one)
    one.part.outputs = [f"{one.id}.yes", f"{one.id}.no"]
    ways = {
        "yes": braced(_chosen(one.incoming, test)),
        "no": braced(_chosen(one.incoming, f"!({test})")),
    }
    return {"uses": "data.value", "with": {"value": ways}}


def keep(one: Mapped) -> Node:
    """Items for which a condition holds."""
    test = _condition(one)
    _loosely(one)
    one.part.outputs = [f"{one.id}.items"]
    return {"uses": "data.filter", "with": {"items": braced(one.incoming), "where": test}}


def switch(one: Mapped) -> Node:
    """Items by several conditions."""
    said = one.parameters
    if text(said.get("mode"), "rules") != "rules":
        raise Untranslatable("the output is computed")
    if one.version >= 3:
        tests, count, fallback = _rules(one)
    else:
        tests, count, fallback = _old_rules(one)
    every = mapping(said.get("options")).get("allMatchingOutputs") is True
    ways: Node = {}
    for number in range(count):
        mine = [test for output, test in tests if output == number]
        before = [
            test
            for position, (output, test) in enumerate(tests)
            if not every and any(o == number for o, _ in tests[position + 1 :]) and output != number
        ]
        test = " || ".join(f"({t})" for t in mine) or "false"
        if before:
            test = f"({test}) && !({' || '.join(f'({t})' for t in before)})"
        ways[f"o{number}"] = braced(_chosen(one.incoming, test))
    if fallback is not None:
        none = " || ".join(f"({test})" for _, test in tests) or "false"
        extra = _chosen(one.incoming, f"!({none})")
        name = f"o{fallback}"
        ways[name] = braced(f"{cast('str', ways[name])[4:-3]} + {extra}" if name in ways else extra)
    one.part.outputs = [f"{one.id}.o{number}" for number in range(len(ways))]
    return {"uses": "data.value", "with": {"value": ways}}


def _rules(one: Mapped) -> tuple[list[tuple[int, str]], int, int | None]:
    rules = listing(mapping(one.parameters.get("rules")).get("values"))
    tests = [
        (number, conditions(one.values, mapping(rule).get("conditions")))
        for number, rule in enumerate(rules)
    ]
    if not tests:
        raise Untranslatable("there are no rules")
    said = mapping(one.parameters.get("options")).get("fallbackOutput", "none")
    fallback = len(tests) if said == "extra" else whole(said)
    if fallback is not None and not 0 <= fallback <= len(tests):
        raise Untranslatable("the output of what fits no rule is not there")
    return tests, len(tests), fallback


def _old_rules(one: Mapped) -> tuple[list[tuple[int, str]], int, int | None]:
    said = one.parameters
    kind = text(said.get("dataType"), "number")
    left = one.values.cel(said.get("value1", ""))
    tests: list[tuple[int, str]] = []
    for rule in listing(mapping(said.get("rules")).get("rules")):
        about = mapping(rule)
        output = whole(about.get("output"), 0) or 0
        if not 0 <= output < 20:
            raise Untranslatable("an output is not there")
        right = one.values.cel(about.get("value2", ""))
        default = "smaller" if kind == "number" else "equal"
        tests.append((output, test_of(kind, text(about.get("operation"), default), left, right)))
    one.part.entry.differs("values are compared as they are: texts are not taken for numbers")
    fallback = whole(said.get("fallbackOutput"), -1)
    return tests, 4, fallback if fallback is not None and 0 <= fallback < 4 else None


def merge(one: Mapped) -> Node:
    """Items of two inputs."""
    said = one.parameters
    mode = text(said.get("mode"), "append")
    left, right = (_or_none(one, number) for number in (0, 1))
    if mode == "append":
        count = max([1, *one.part.wires]) + 1
        return value(" + ".join(_or_none(one, number) for number in range(count)))
    if mode in ("chooseBranch", "wait", "passThrough"):
        chosen = said.get("output", "input1")
        wanted = right if chosen == "input2" or said.get("useDataOfInput") in (2, "2") else left
        if chosen == "empty":
            raise Untranslatable("it gives one empty item")
        return value(wanted)
    combine = text(said.get("combinationMode") or said.get("combineBy"))
    if mode in ("mergeByIndex", "mergeByPosition") or combine in (
        "mergeByPosition",
        "combineByPosition",
    ):
        if mode == "mergeByIndex" and text(said.get("join"), "left") != "inner":
            raise Untranslatable("items that have no partner stay")
        if mapping(said.get("options")).get("includeUnpaired") is True:
            raise Untranslatable("items that have no partner stay")
        size = f"math.least({left}.size(), {right}.size())"
        return _paired(one, f"lists.range({size}).map(x, [{left}[x], {right}[x]])")
    if mode == "multiplex" or combine in ("multiplex", "combineAll"):
        return _paired(one, f"{left}.map(x, {right}.map(y, [x, y])).flatten()")
    if mode == "combine" and combine in ("", "mergeByFields", "combineByFields"):
        return _paired(one, _joined(one, left, right))
    raise Untranslatable(f"merging by '{(combine or mode)[:40]}' is not known here")


def _or_none(one: Mapped, number: int) -> str:
    sources = one.items.sources(one.part, number)
    if not sources:
        return "[]"
    if len(sources) > 1:
        return one.items.incoming(one.part, number)
    return f"({sources[0]} == null ? [] : {sources[0]})"


def _joined(one: Mapped, left: str, right: str) -> str:
    said = one.parameters
    if text(said.get("joinMode"), "keepMatches") != "keepMatches":
        raise Untranslatable("items that have no partner stay")
    names = [
        (text(mapping(p).get("field1")), text(mapping(p).get("field2")))
        for p in listing(mapping(said.get("mergeByFields")).get("values"))
    ]
    plain = text(said.get("fieldsToMatchString"))
    names = names or [(name.strip(), name.strip()) for name in plain.split(",") if name.strip()]
    if not names or not all(a and b for a, b in names):
        raise Untranslatable("it does not say by which fields")
    test = " && ".join(f"{path('x', a).whole} == {path('y', b).whole}" for a, b in names)
    return f"{left}.map(x, {right}.filter(y, {test}).map(y, [x, y])).flatten()"


def _paired(one: Mapped, pairs: str) -> Node:
    """Each pair of items as one, with the fields of the second where both have one."""
    clash = mapping(mapping(one.parameters.get("options")).get("clashHandling")).get("values")
    resolve = text(mapping(clash).get("resolveClash"), "preferLast")
    if resolve not in ("preferLast", "preferInput2", "preferInput1"):
        raise Untranslatable("fields that both have are kept under other names")
    a, b = (1, 0) if resolve == "preferInput1" else (0, 1)
    params: Node = {"data": braced(f"item[{a}]"), "values": braced(f"item[{b}]")}
    core: Node = {"map": braced("pairs"), "uses": "data.edit", "with": params}
    return {"nodes": {"pairs": value(pairs), "result": core}, "output": braced("result")}
