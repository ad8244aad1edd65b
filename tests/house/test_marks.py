"""Tests that bound the time of the processor are marked: they run where nothing else takes it."""

from __future__ import annotations

import ast
import re

from tests.house.reading import ROOT, Function, tracked


def unmarked(text: str) -> list[str]:
    """Tests that look at the processor's time without the mark, or ask whether they are traced."""
    found = []
    for test in ast.parse(text).body:
        if not isinstance(test, Function) or not test.name.startswith("test_"):
            continue
        body = ast.unparse(test)
        timed = any("mark.timed" in ast.unparse(mark) for mark in test.decorator_list)
        if ("process_time" in body and not timed) or "gettrace" in body:
            found.append(test.name)
    return found


def test_tests_that_bound_the_processors_time_are_marked() -> None:
    tests = [path for path in tracked(".py") if (ROOT / "tests") in path.parents]
    found = {str(path.name): unmarked(path.read_text(encoding="utf-8")) for path in tests}
    found.pop("test_marks.py")
    assert {name: names for name, names in found.items() if names} == {}


def test_the_check_runs_them_without_coverage() -> None:
    script = (ROOT / "scripts" / "check.sh").read_text(encoding="utf-8")
    assert "$run pytest -m timed ||" in script
    assert "ours='not campaign and not timed'\n" in script
    measured = re.findall(r"coverage run -m pytest .*", script)
    assert measured
    assert all('-m "$ours"' in command for command in measured)


def test_an_unmarked_one_is_found() -> None:
    assert unmarked("def test_a():\n    time.process_time()\n") == ["test_a"]
    assert unmarked("def test_a():\n    sys.gettrace()\n") == ["test_a"]
    assert unmarked("@pytest.mark.timed\ndef test_a():\n    time.process_time()\n") == []
