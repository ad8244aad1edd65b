"""Nodes of n8n as nodes of a blueprint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from atomiton.interop.data import listing, mapping, text, whole
from atomiton.interop.draft import Draft, Node
from atomiton.interop.expressions.cel import braced, quoted
from atomiton.interop.expressions.tree import Untranslatable
from atomiton.interop.items import Items, Part, each, first, once, value
from atomiton.interop.n8n_values import Values, conditions, path, test_of


def short(type_: str) -> str:
    """The type of a node without the package that it comes from, if that is n8n's own.

    Example:
        >>> short("n8n-nodes-base.httpRequest"), short("@n8n/n8n-nodes-langchain.chatTrigger")
        ('httpRequest', 'langchain.chatTrigger')
    """
    return type_.removeprefix("n8n-nodes-base.").removeprefix("@n8n/n8n-nodes-")


class Mapped:
    """One node on its way.

    Attributes:
        draft: The blueprint.
        items: All nodes.
        part: The node.
        id: Of the node that is made.
        parameters: What the file sets.
        version: Of the type of the node.
        incoming: Expression of the items that come in.
    """

    def __init__(self, draft: Draft, items: Items, part: Part) -> None:
        self.draft = draft
        self.items = items
        self.part = part
        self.id = part.entry.node
        self.parameters = mapping(part.said.get("parameters"))
        version = part.said.get("typeVersion", 1)
        self.version = float(version) if isinstance(version, int | float) else 1.0
        self.incoming = items.incoming(part)
        if part.said.get("executeOnce") is True:
            self.incoming = f"({first(self.incoming)})"

    def starts_with_nothing(self) -> None:
        """Let the node begin with one empty item, as the first node of a run does."""
        self.incoming = "[{}]"

    @property
    def values(self) -> Values:
        """Parameters as they are for each item."""
        return Values(self.items, self.part)

    @property
    def values_once(self) -> Values:
        """Parameters of a node that runs once: they see the first item."""
        return Values(self.items, self.part, f"{self.incoming}[0]")

    def declare(self, name: str, declaration: Node) -> None:
        """Declare an input of the blueprint."""
        inputs = mapping(self.draft.top.get("inputs"))
        self.draft.top["inputs"] = {**inputs, name: declaration}

    def trigger(self, said: Node) -> None:
        """Add a trigger to the blueprint."""
        self.draft.top["triggers"] = [*listing(self.draft.top.get("triggers")), said]

    def secret(self, name: str) -> str:
        """Let the blueprint read a secret."""
        secrets = [*listing(self.draft.top.get("secrets"))]
        self.draft.top["secrets"] = [*secrets, *([name] if name not in secrets else [])]
        return braced(f"secrets.{name}")


# -- items as they are -----------------------------------------------------------------------------


def _pass(one: Mapped) -> Node:
    one.part.pairs = one.part.said.get("executeOnce") is not True
    return value(one.incoming)


def _wait(one: Mapped) -> Node:
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


def _limit(one: Mapped) -> Node:
    said = one.parameters
    most = said.get("maxItems", 1)
    if not isinstance(most, int):
        raise Untranslatable("the number of items is computed")
    params: Node = {"items": braced(one.incoming)}
    params.update({"start": -most} if said.get("keep") == "lastItems" else {"end": most})
    one.part.outputs = [f"{one.id}.items"]
    one.part.pairs = said.get("keep") != "lastItems"
    return {"uses": "data.slice", "with": params}


def _sort(one: Mapped) -> Node:
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


def _unique(one: Mapped) -> Node:
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


# -- choosing ---------------------------------------------------------------------------------------


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


def _if(one: Mapped) -> Node:
    test = _condition(one)
    _loosely(one)
    one.part.outputs = [f"{one.id}.yes", f"{one.id}.no"]
    ways = {
        "yes": braced(_chosen(one.incoming, test)),
        "no": braced(_chosen(one.incoming, f"!({test})")),
    }
    return {"uses": "data.value", "with": {"value": ways}}


def _filter(one: Mapped) -> Node:
    test = _condition(one)
    _loosely(one)
    one.part.outputs = [f"{one.id}.items"]
    return {"uses": "data.filter", "with": {"items": braced(one.incoming), "where": test}}


def _switch(one: Mapped) -> Node:
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


# -- changing ---------------------------------------------------------------------------------------


def _set(one: Mapped) -> Node:
    said = one.parameters
    dots = mapping(said.get("options")).get("dotNotation", True) is not False
    if one.version >= 3 and said.get("mode") == "raw":
        found = one.values.json(said.get("jsonOutput", "{}"))
        return _edited(one, found, _others(one))
    pairs = _assignments(one) if one.version >= 3 else _old_assignments(one)
    made: Node = {}
    for name, found in pairs:
        if name.startswith("=") or (dots and ("." in name or "[" in name)):
            raise Untranslatable(f"the field '{name[:60]}' is computed, or stands in another one")
        made[name] = found
    return _edited(one, made, _others(one))


def _edited(one: Mapped, values: object, keep: bool) -> Node:
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
    is_text = isinstance(said, str)
    computed = is_text and cast("str", said).startswith("=")
    if type_ in ("array", "object") and is_text:
        return one.values.json(said)
    if type_ == "number" and is_text and not computed:
        number = whole(said)
        try:
            return float(cast("str", said)) if number is None else number
        except ValueError:
            raise Untranslatable(f"'{cast('str', said)[:30]}' is no number") from None
    if type_ == "boolean" and is_text and not computed:
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


def _split_out(one: Mapped) -> Node:
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


def _aggregate(one: Mapped) -> Node:
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


def _lists(one: Mapped) -> Node:
    operation = text(one.parameters.get("operation"), "splitOutItems")
    makers = {
        "splitOutItems": _split_out,
        "limit": _limit,
        "sort": _sort,
        "removeDuplicates": _unique,
    }
    if operation not in makers:
        raise Untranslatable(f"'{operation[:40]}' of lists is not known here")
    return makers[operation](one)


# -- putting together ---------------------------------------------------------------------------------


def _merge(one: Mapped) -> Node:
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


# -- the rest -------------------------------------------------------------------------------------------


def _stop(one: Mapped) -> Node:
    said = one.parameters
    if text(said.get("errorType"), "errorMessage") != "errorMessage":
        raise Untranslatable("the error is an object")
    message = one.values_once.value(said.get("errorMessage", ""))
    fail: Node = {"uses": "flow.fail", "with": {"message": message}}
    one.part.outputs = [f"dyn({one.id})"]
    return once(fail, one.incoming)


def _command(one: Mapped) -> Node:
    said = one.parameters
    incoming = one.incoming if said.get("executeOnce", True) is False else first(one.incoming)
    command = one.values.value(said.get("command", ""))
    one.part.entry.differs(
        "the program runs on this machine, with the rights of whoever runs the blueprint"
    )
    call: Node = {"uses": "shell.run", "with": {"command": ["sh", "-c", command]}}
    given = '{"exitCode": x.exit_code, "stdout": x.stdout.trim(), "stderr": x.stderr.trim()}'
    one.part.pairs = said.get("executeOnce", True) is False
    return {
        "nodes": {"answers": each(incoming, call)},
        "output": braced(f"answers.map(x, {given})"),
    }


def _respond(one: Mapped) -> Node:
    said = one.parameters
    kind = text(said.get("respondWith"), "firstIncomingItem")
    one_item, all_items = f"{one.incoming}[0]", one.incoming
    bodies: dict[str, Callable[[], object]] = {
        "firstIncomingItem": lambda: braced(one_item),
        "allIncomingItems": lambda: braced(all_items),
        "text": lambda: one.values_once.value(said.get("responseBody", "")),
        "json": lambda: one.values_once.json(said.get("responseBody", "{}")),
        "noData": lambda: "",
    }
    if kind not in bodies:
        raise Untranslatable(f"an answer of '{kind[:30]}' is not known here")
    options = mapping(said.get("options"))
    status = options.get("responseCode", 200)
    if not isinstance(status, int):
        raise Untranslatable("the status is computed")
    headers: Node = {}
    for entry in listing(mapping(options.get("responseHeaders")).get("entries")):
        about = mapping(entry)
        headers[text(about.get("name"))] = one.values_once.value(about.get("value", ""))
    answer = {"status": status, "headers": headers, "body": bodies[kind]()}
    given = {"items": braced(one.incoming), "answer": answer}
    one.part.outputs = [f"{one.id}.items"]
    one.part.pairs = True
    before = one.draft.top.get("output")
    mine = f"{one.id}.answer"
    if isinstance(before, str):
        mine = f'nodes.{one.id}.status == "completed" ? {mine} : ({before[4:-3]})'
    one.draft.top["output"] = braced(mine)
    return once({"uses": "data.value", "with": {"value": given}}, one.incoming)


def _mail(one: Mapped) -> Node:
    said = one.parameters
    params: Node = {"server": one.secret("SMTP_URL")}
    for ours, theirs in (("from", "fromEmail"), ("to", "toEmail"), ("subject", "subject")):
        params[ours] = one.values.value(said.get(theirs, ""))
    kind = text(said.get("emailFormat"), "html" if one.version >= 2 else "both")
    if said.get("text") and kind in ("text", "both"):
        params["text"] = one.values.value(said["text"])
    if said.get("html") and kind in ("html", "both"):
        params["html"] = one.values.value(said["html"])
    if said.get("attachments") or mapping(said.get("options")).get("attachments"):
        raise Untranslatable("attachments are data beside the items, which is not known here")
    one.part.entry.differs("the server is not in the file: keep its address as the secret SMTP_URL")
    one.part.pairs = True
    return each(one.incoming, {"uses": "mail.send", "with": params})


def _postgres(one: Mapped) -> Node:
    said = one.parameters
    if text(said.get("operation"), "executeQuery") != "executeQuery":
        raise Untranslatable("only 'Execute Query' is known here")
    query = text(said.get("query"))
    if "{{" in query and query.startswith("="):
        raise Untranslatable("values stand in the text of the statement: write $1 and parameters")
    given = mapping(said.get("options")).get("queryReplacement")
    params: Node = {"database": one.secret("DATABASE_URL"), "statement": query.removeprefix("=")}
    if given is not None:
        pieces = listing(given) or str(given).removeprefix("=").split(",")
        holes = [str(p).strip() for p in pieces]
        params["parameters"] = [
            one.values.value(f"={p}" if p.startswith("{{") else p) for p in holes
        ]
    asks = query.removeprefix("=").lstrip().lower().startswith(("select", "with"))
    one.part.entry.differs(
        "the database is not in the file: keep its address as the secret DATABASE_URL"
    )
    call: Node = {"uses": "sql.query" if asks else "sql.execute", "with": params}
    return {
        "nodes": {"answers": each(one.incoming, call)},
        "output": braced("answers.map(x, x.rows).flatten()"),
    }


def _http(one: Mapped) -> Node:
    from atomiton.interop.n8n_http import request

    return request(one)


def _code(one: Mapped) -> Node:
    language = text(one.parameters.get("language"), "javaScript")
    raise Untranslatable(
        f"its code ({language[:20]}) is not run here: write it as 'python.run' or with the data nodes"
    )


def _workflow(one: Mapped) -> Node:
    del one
    raise Untranslatable(
        "it runs another workflow: import that one as well, and call it with 'call'"
    )


def _batches(one: Mapped) -> Node:
    del one
    raise Untranslatable("a loop over items: here a node or a group with 'map' does that")


MAPPERS: Final[dict[str, Callable[[Mapped], Node]]] = {
    "noOp": _pass,
    "set": _set,
    "if": _if,
    "filter": _filter,
    "switch": _switch,
    "merge": _merge,
    "httpRequest": _http,
    "code": _code,
    "function": _code,
    "functionItem": _code,
    "sort": _sort,
    "limit": _limit,
    "aggregate": _aggregate,
    "splitOut": _split_out,
    "itemLists": _lists,
    "removeDuplicates": _unique,
    "wait": _wait,
    "executeCommand": _command,
    "respondToWebhook": _respond,
    "stopAndError": _stop,
    "emailSend": _mail,
    "postgres": _postgres,
    "executeWorkflow": _workflow,
    "splitInBatches": _batches,
}
"""How each type of nodes is mapped."""
