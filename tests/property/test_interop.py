"""Whatever an importer is given, it makes a valid blueprint of it or says what is wrong."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.expressions import parse
from atomiton.errors import BlueprintError
from atomiton.interop import FORMATS, import_workflow
from atomiton.interop.expressions.cel import Cel
from atomiton.interop.expressions.parser import JAVASCRIPT, JQ, JSONATA, Dialect
from atomiton.interop.expressions.translate import Translator
from atomiton.interop.expressions.tree import Root, Untranslatable

WORDS = [
    *("StartAt", "States", "Type", "Next", "End", "Choices", "Default", "Variable", "Catch"),
    *("Retry", "ResultPath", "Parameters", "Task", "Pass", "Choice", "Map", "Parallel", "Wait"),
    *("nodes", "connections", "name", "type", "parameters", "position", "main", "node", "index"),
    *("n8n-nodes-base.set", "n8n-nodes-base.if", "n8n-nodes-base.httpRequest", "={{ $json.a }}"),
    *("id", "wires", "x", "rules", "inject", "change", "switch", "payload", "msg", "t", "p"),
    *("document", "dsl", "1.0.0", "do", "set", "for", "try", "call", "http", "with", "if", "then"),
    *("A", "$.a", "${ .a }", "${{ a", "{{", "\u2028", "", "*"),
]
KEYS = st.sampled_from(WORDS) | st.text(max_size=5)
SIGNS = [
    *("a", "b", ".", ".a", "$json", "$", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "%"),
    *("==", "!=", "===", "<", ">", "&&", "||", "!", "?", ":", ",", "|", "//", "and", "or", "not"),
    *("if", "then", "else", "end", "1", "2.5", "'x'", '"y"', "`${a}`", "null", "true", "$count("),
    ".length",
]
PLAIN = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | KEYS
)  # fmt: skip
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
TASKS = st.lists(st.dictionaries(KEYS, VALUES, min_size=1, max_size=1), min_size=1, max_size=4)
STATES = st.dictionaries(
    st.sampled_from(["A", "B", "C"]),
    st.fixed_dictionaries(
        {"Type": st.sampled_from(["Pass", "Task", "Choice", "Wait", "Map", "Parallel", "Fail"])},
        optional={
            "Next": st.sampled_from(["A", "B", "C"]),
            "End": st.just(True),
            "Choices": VALUES,
            "Catch": VALUES,
            "Retry": VALUES,
            "Parameters": VALUES,
            "ResultPath": VALUES,
            "Iterator": VALUES,
        },
    ),
)
NODES = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["A", "B", "C"]),
            "id": st.sampled_from(["a", "b", "c", "d"]),
            "type": st.sampled_from(
                [
                    *(
                        f"n8n-nodes-base.{name}"
                        for name in ("set", "if", "merge", "switch", "sort")
                    ),
                    *("n8n-nodes-base.httpRequest", "n8n-nodes-base.webhook", "inject", "change"),
                    *("switch", "split", "join", "csv", "http request", "template", "exec"),
                ]
            ),
        },
        optional={
            "parameters": VALUES,
            "typeVersion": st.sampled_from([1, 2, 3, 3.4]),
            "rules": VALUES,
            "wires": VALUES | st.just([["a", "b"], ["c"]]),
            "x": st.integers(0, 100),
            "position": VALUES,
        },
    ),
    max_size=4,
)
WIRES = st.fixed_dictionaries(
    {}, optional={name: st.just({"main": [[{"node": "B", "index": 0}]]}) for name in "ABC"}
)
DOCUMENTS = st.one_of(
    VALUES,
    st.fixed_dictionaries({"StartAt": st.just("A"), "States": STATES}),
    st.fixed_dictionaries({"nodes": NODES, "connections": WIRES}),
    NODES,
    st.fixed_dictionaries({"document": st.just({"dsl": "1.0.0", "name": "x"}), "do": TASKS}),
)


def check(text: str, format_: str | None) -> None:
    try:
        made = import_workflow(text, format_)
    except BlueprintError as error:
        found = error.problems
        assert found and all(problem.message for problem in found)  # noqa: PT018 - may pass
    else:
        read_blueprint(made.text)
        assert made.report.complete == all(
            entry.status != "not_mapped" for entry in made.report.entries
        )


@settings(max_examples=120, deadline=None)
@given(DOCUMENTS, st.sampled_from([None, *FORMATS]))
def test_any_data_is_imported_or_refused(document: object, format_: str | None) -> None:
    check(json.dumps(document), format_)


@pytest.mark.campaign
@settings(max_examples=20_000, deadline=None)
@given(DOCUMENTS, st.sampled_from([None, *FORMATS]))
def test_much_more_data_is_imported_or_refused(document: object, format_: str | None) -> None:
    check(json.dumps(document), format_)


@pytest.mark.parametrize("format_", [None, *FORMATS])
@pytest.mark.parametrize(
    "text", ["", "[", "nope", "[" * 9000, '{"a": 1}', "[]", "\x00", "a: &b *b"]
)
def test_what_is_no_workflow_is_refused(text: str, format_: str | None) -> None:
    with pytest.raises(BlueprintError):
        import_workflow(text, format_)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(BlueprintError, match="1 MiB"):
        import_workflow('{"StartAt": "A", "States": {}, "Comment": "' + "x" * 1024 * 1024 + '"}')


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([JAVASCRIPT, JQ, JSONATA]),
    st.lists(
        st.sampled_from(SIGNS),
        max_size=8,
    ),
)
def test_an_expression_is_translated_or_refused(dialect: Dialect, words: list[str]) -> None:
    translator = Translator(dialect, lambda node: Cel("x") if isinstance(node, Root) else None)
    with contextlib.suppress(Untranslatable):
        parse(translator.expression(" ".join(words)).whole)
