"""The examples in docstrings do what they show."""

from __future__ import annotations

import doctest
import importlib

import pytest
from tests.house.reading import Module, modules

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize(
    "module", [m for m in modules() if ">>> " in m.text], ids=lambda module: module.name
)
def test_examples_in_docstrings_work(module: Module) -> None:
    result = doctest.testmod(importlib.import_module(module.name), optionflags=OPTIONS)
    assert result.failed == 0


def test_a_wrong_example_is_found() -> None:
    examples = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(examples, out=lambda text: None).failed == 1
