"""Every public name is documented, and the exported ones are those of a stored list."""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from tests.house.reading import PACKAGE, ROOT, Function, Module, modules

import atomiton
from atomiton import errors

PUBLIC_NAMES = ROOT / "tests" / "house" / "public_names.txt"
ERRORS_PAGE = ROOT / "docs" / "reference" / "errors.md"
CODE_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]*)` \| (.+?) \| (yes|no) \|$", re.MULTILINE)
CLASS_ROW = re.compile(r"^\| `([A-Z]\w+)` \| `([A-Z]\w+)` \| .+ \|$", re.MULTILINE)


def undocumented(module: Module) -> Iterator[str]:
    """Public modules, classes, functions and methods that say nothing of themselves."""
    if _is_private(module.name.split(".")):
        return
    if not ast.get_docstring(module.tree):
        yield module.name
    yield from _undocumented_in(module.tree, module.name)


def _undocumented_in(parent: ast.Module | ast.ClassDef, place: str) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, Function | ast.ClassDef) or _is_private([node.name]):
            continue
        name = f"{place}.{node.name}"
        if not ast.get_docstring(node) and not _says_it_elsewhere(node):
            yield name
        if isinstance(node, ast.ClassDef):
            yield from _undocumented_in(node, name)


def _is_private(parts: list[str]) -> bool:
    return any(part.startswith("_") for part in parts)


def _says_it_elsewhere(node: Function | ast.ClassDef) -> bool:
    """An overload or a setter is documented where its first or last definition is."""
    decorators = {ast.unparse(d).split(".")[-1] for d in node.decorator_list}
    return bool(decorators & {"overload", "setter", "deleter", "override"})


def codes_in_text(text: str) -> list[str]:
    """The codes as they are written in ``errors.py``, repetitions included."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "CODES":
            assert isinstance(node.value, ast.Dict)
            return [ast.literal_eval(key) for key in node.value.keys if key is not None]
    return []


def wrong_rows(page: str, codes: Mapping[str, str]) -> list[str]:
    """Where the page of errors and the table of codes disagree."""
    rows = {code: (meaning, retried) for code, meaning, retried in CODE_ROW.findall(page)}
    found = [f"{code} is documented but does not exist" for code in rows if code not in codes]
    for code, meaning in codes.items():
        right = (meaning, "no" if code in errors.NOT_RETRIED else "yes")
        if rows.get(code) != right:
            found.append(f"| `{code}` | {right[0]} | {right[1]} |")
    return found


def error_classes() -> dict[str, type[errors.AtomitonError]]:
    found = dict(inspect.getmembers(errors, inspect.isclass))
    return {name: cls for name, cls in found.items() if issubclass(cls, errors.AtomitonError)}


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_everything_public_has_a_docstring(module: Module) -> None:
    assert list(undocumented(module)) == []


def test_the_exported_names_are_those_of_the_stored_list() -> None:
    exported = list(getattr(atomiton, "__all__", []))
    assert sorted(exported) == PUBLIC_NAMES.read_text(encoding="utf-8").split()
    assert [name for name in exported if not hasattr(atomiton, name)] == []


def test_no_error_code_is_given_twice() -> None:
    codes = codes_in_text((PACKAGE / "errors.py").read_text(encoding="utf-8"))
    assert sorted(codes) == sorted(errors.CODES)
    assert [code for code, times in Counter(codes).items() if times > 1] == []


def test_every_code_is_documented_as_it_is() -> None:
    assert wrong_rows(ERRORS_PAGE.read_text(encoding="utf-8"), errors.CODES) == []


def test_every_error_class_is_documented_with_its_code() -> None:
    documented = dict(CLASS_ROW.findall(ERRORS_PAGE.read_text(encoding="utf-8")))
    assert documented == {name: cls.code for name, cls in error_classes().items()}


def test_every_error_stands_in_the_tree_on_top_of_its_module() -> None:
    tree = (errors.__doc__ or "").split()
    assert [name for name in error_classes() if name not in tree] == []


def test_errors_and_rules_name_only_codes_that_exist() -> None:
    named = errors.NOT_RETRIED | {cls.code for cls in error_classes().values()}
    assert named - set(errors.CODES) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(): pass", ["m", "m.f"]),
        ('"""Doc."""\ndef f(): pass', ["m.f"]),
        ('"""Doc."""\nclass A:\n    """Doc."""\n    async def f(self): ...', ["m.A.f"]),
        ('"""Doc."""\ndef _f(): pass\nclass _A:\n    def f(self): ...', []),
        ('"""Doc."""\n@overload\ndef f(): ...\ndef f():\n    """Doc."""', []),
        ('"""Doc."""\ndef f():\n    """Doc."""\n    def inner(): ...', []),
    ],
)
def test_what_is_undocumented_is_found(text: str, found: list[str]) -> None:
    assert list(undocumented(Module("m", text))) == found


def test_a_code_given_twice_is_found() -> None:
    assert codes_in_text('CODES: X = {"A": "1", "B": "2", "A": "3"}') == ["A", "B", "A"]


def test_a_wrong_page_of_errors_is_found() -> None:
    codes = {"TIMEOUT": "Too long.", "INTERNAL": "A bug."}
    right = "| `TIMEOUT` | Too long. | yes |\n| `INTERNAL` | A bug. | no |\n"
    assert wrong_rows(right, codes) == []
    assert len(wrong_rows(right.replace("A bug", "Bad"), codes)) == 1
    assert len(wrong_rows(right.replace("yes", "no"), codes)) == 1
    assert len(wrong_rows(right + "| `GONE` | Old. | no |\n", codes)) == 1
    assert len(wrong_rows("", codes)) == 2
