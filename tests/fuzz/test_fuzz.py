"""Whatever is read, there is a result or one of our own errors, and it costs little.

The fuzzer looks at what each input reaches and makes others of those that reach something new:

    python -m tests.fuzz.run --seconds 600 expression
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable

import pytest
from tests.fuzz.escapes import ESCAPES
from tests.fuzz.run import fuzz, over, over_memory
from tests.fuzz.targets import TARGETS, expression, must_be_plain, seeds
from tests.security.test_yaml_bombs import BOMBS

MIB = 1024 * 1024
#: Seconds for each target: in passing, and when there is time.
SHORT, LONG = 2, int(os.environ.get("ATOMITON_TEST_FUZZ", "600"))
#: Repeated up to 1 MiB, each is a bomb of its own.
UNITS = (
    "a+", "(", "[", "{", "a.b.", "'a'+", "1,", "a?b:", "!", "-", "a[0]", "[1],", "\\", "'", "é",
    "${{ a }}", "${{ ", "a.map(x,", "a||", "1 ", "//\n", "0", "size(", "\x00", "\u202e",
)  # fmt: skip

fuzzer = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="the fuzzer is not made for this platform"
)


@pytest.mark.parametrize("text", ESCAPES, ids=range(len(ESCAPES)))
def test_no_known_way_out_leads_anywhere(text: str) -> None:
    expression(text.encode())


@pytest.mark.planted
@pytest.mark.parametrize("value", [int, [object()], {"a": print}, {1: 2}])
def test_a_way_out_would_be_noticed(value: object) -> None:
    with pytest.raises(AssertionError):
        must_be_plain(value)


def bombs(target: str) -> list[bytes]:
    """Inputs of up to 1 MiB that are known to be bad."""
    if target == "blueprint":  # which reads YAML first
        return [text.encode()[:MIB] for text in BOMBS.values()]
    return [(unit * MIB).encode()[:MIB] for unit in UNITS]


@pytest.mark.timed
@pytest.mark.parametrize("target", TARGETS)
def test_what_is_known_costs_little(target: str) -> None:
    inputs = list(seeds(target))
    assert len(inputs) >= 5
    dear = {data[:60]: cost for data in inputs if (cost := over(target, data))}
    assert dear == {}


@pytest.mark.timed
@pytest.mark.parametrize("target", ["blueprint", "expression"])
def test_bombs_cost_little_time(target: str) -> None:
    dear = {data[:60]: cost for data in bombs(target) if (cost := over(target, data))}
    assert dear == {}


@pytest.mark.campaign
@pytest.mark.parametrize("target", ["blueprint", "expression"])
def test_bombs_cost_little_memory(target: str, tell: Callable[[str], None]) -> None:
    inputs = bombs(target)
    dear = {data[:60]: cost for data in inputs if (cost := over_memory(target, data))}
    tell(f"bombs, {target}: {len(inputs)} inputs of up to 1 MiB: {len(dear)} violations")
    assert dear == {}


@fuzzer
@pytest.mark.timed
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found_in_passing(target: str) -> None:
    fuzzed = fuzz(target, SHORT)
    assert fuzzed.inputs > 100
    assert fuzzed.coverage > 10
    assert fuzzed.violations == []


@fuzzer
@pytest.mark.slow
@pytest.mark.planted
def test_a_planted_bug_is_found() -> None:
    assert "ValueError: found" in fuzz("canary", 60).violations[0]


@fuzzer
@pytest.mark.campaign
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found_in_the_long_run(target: str, tell: Callable[[str], None]) -> None:
    fuzzed = fuzz(target, LONG)
    tell(str(fuzzed))
    assert fuzzed.violations == []
