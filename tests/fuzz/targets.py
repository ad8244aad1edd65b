"""What is fuzzed: each takes any bytes, and may raise nothing but our own errors.

The modules are imported when a target is first called, so that they can be instrumented before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]


def yaml(data: bytes) -> None:
    """The loader of documents."""
    from atomiton.blueprint.yaml import load
    from atomiton.errors import AtomitonError

    try:
        load(data)
    except AtomitonError:
        pass


def blueprint(data: bytes) -> None:
    """Reading a blueprint and compiling it."""
    from atomiton.blueprint.compile import compile_blueprint
    from atomiton.blueprint.document import read_blueprint
    from atomiton.errors import AtomitonError
    from atomiton.nodes.registry import Registry

    try:
        read, document = read_blueprint(data)
        compile_blueprint(read, _once(Registry.builtin), document.positions)
    except AtomitonError:
        pass


def expression(data: bytes) -> None:
    """Parsing an expression and evaluating it."""
    from atomiton.blueprint.expressions import parse, parse_template
    from atomiton.errors import AtomitonError

    scope = {"a": 3, "b": "text", "item": {"x": [1, 2.5, None, "s"], "y": {"z": b"bytes"}}}
    names = {name: (lambda given, name=name: given[name]) for name in scope}
    source = data.decode("utf-8", "replace")
    for read in (parse, parse_template):
        try:
            read(source).bind(names)(scope)
        except AtomitonError:
            pass


def journal(data: bytes) -> None:
    """Reading a record of a journal, and the log of a store."""
    from atomiton.errors import AtomitonError
    from atomiton.machine.records import decode, encode

    try:
        fact = decode(data)
    except AtomitonError:
        return
    assert decode(encode(fact)) == fact or "nan" in repr(fact)


_made: dict[object, object] = {}


def _once(make):
    if make not in _made:
        _made[make] = make()
    return _made[make]


TARGETS: dict[str, Callable[[bytes], None]] = {
    "yaml": yaml,
    "blueprint": blueprint,
    "expression": expression,
    "journal": journal,
}


def seeds(target: str) -> Iterable[bytes]:
    """Inputs to begin with: what is right, what is known to be bad, what was found once."""
    found = Path(__file__).parent / "found" / target
    if found.is_dir():
        yield from (file.read_bytes() for file in sorted(found.iterdir()))
    if target in ("yaml", "blueprint"):
        from tests.security.test_yaml_bombs import BOMBS

        yield from (text.encode()[:4096] for text in BOMBS.values())
        yield from (file.read_bytes() for file in sorted((ROOT / "examples").rglob("*.yaml")))
    elif target == "expression":
        from tests.fuzz.escapes import ESCAPES
        from tests.property.test_expressions import NAMES, PIECES  # noqa: F401 - the grammar

        yield from (text.encode() for text in ESCAPES)
        yield from (
            b"a + 1 > 2 ? b : item.x[0]", b"item.x.map(v, v).filter(v, v != null).size()",
            b"[1, 2, 3].exists(x, x > a) && has(item.y)", b"'a' + b.replace('t', 'x')",
            b"timestamp('2024-01-01T00:00:00Z') + duration('1h')", b"text ${{ a }} and ${{ b }}",
        )  # fmt: skip
    else:
        yield from _records()


def _records() -> Iterable[bytes]:
    from atomiton.errors import ErrorInfo
    from atomiton.machine import events
    from atomiton.machine.records import encode, pieces

    yield encode(events.RunRequested(1.0, "run_1", {"a": [1, None, {"b": 2.5}]}, 7))
    yield encode(events.AttemptCompleted(1.0, 0, 1, 1, {"a": b"bytes", "b": "text"}))
    yield encode(events.AttemptFailed(1.0, 0, 1, 1, ErrorInfo("CODE", "text", retryable=True)))
    yield encode(events.TimerFired(1.0, 3))
    large = pieces(events.AttemptCompleted(1.0, 0, 1, 1, "x" * 300_000))
    assert isinstance(large, tuple)
    yield large[0] + b"\xa3abc"
