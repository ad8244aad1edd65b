"""Every relative link in the documentation leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.house.reading import ROOT, tracked

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.MULTILINE)
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
FENCE = re.compile(r"^ {0,3}(```+|~~~+).*?^ {0,3}\1\s*$", re.MULTILINE | re.DOTALL)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def dead_links(page: Path) -> list[str]:
    """Relative links of a page whose file, or heading in that file, does not exist."""
    text = re.sub(r"`[^`\n]*`", "", _without_code(page))
    found = []
    for link in [*LINK.findall(text), *DEFINITION.findall(text)]:
        if ELSEWHERE.match(link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        wrong_anchor = anchor and target.suffix == ".md" and anchor not in anchors(target)
        if not target.exists() or wrong_anchor:
            found.append(link)
    return found


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    if not page.exists():
        return set()
    found: set[str] = set()
    for heading in HEADING.findall(_without_code(page)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def _without_code(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", tracked(".md"), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_every_page_can_be_reached_from_the_map() -> None:
    """A page nobody links to is a page nobody reads."""
    seen: set[Path] = set()
    todo = [ROOT / "README.md", ROOT / "docs" / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        text = _without_code(page)
        links = (unquote(link).partition("#")[0] for link in LINK.findall(text))
        todo.extend((page.parent / link).resolve() for link in links if link.endswith(".md"))
    pages = {page for page in tracked(".md") if (ROOT / "docs") in page.parents}
    assert sorted(str(page.relative_to(ROOT)) for page in pages - seen) == []


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("[a](gone.md)", ["gone.md"]),
        ("[a](#nowhere)", ["#nowhere"]),
        ("![a](gone.png)", ["gone.png"]),
        ("[a][b]\n\n[b]: gone.md\n", ["gone.md"]),
        ("[a](other.md#no)", ["other.md#no"]),
        ('[a](other.md "title") [b](other.md#a-title-1) [c](#here)\n\n# Here', []),
        ("[a](https://example.org/x) [b](mailto:a@example.org)", []),
        ("```\n[a](gone.md)\n```\n`[a](gone.md)`", []),
    ],
)
def test_a_dead_link_is_found(tmp_path: Path, text: str, dead: list[str]) -> None:
    (tmp_path / "other.md").write_text("# A title\n\n## A `title`\n", encoding="utf-8")
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert dead_links(tmp_path / "page.md") == dead


def unheld(page: str) -> list[str]:
    """Promises that are called held although a test they name does not exist."""
    rows = re.findall(r"^\| (\d+) \| .+? \| ([^|]+) \| (.+) \|$", page, re.MULTILINE)
    assert len(rows) >= 7
    assert {status for _, status, _ in rows} <= {"held", "held in part", "not yet true"}
    return [
        f"{number}: {name}"
        for number, status, tests in rows
        for name in re.findall(r"`(tests/[^`]+)`", tests) or ["no test"]
        if status != "not yet true" and not (ROOT / name).exists()
    ]


def test_a_promise_is_called_held_only_with_its_test() -> None:
    assert unheld((ROOT / "GUARANTEES.md").read_text(encoding="utf-8")) == []


#: Pages on which every test that is named must exist.
HELD = [ROOT / "GUARANTEES.md", ROOT / "docs" / "explanation" / "hooks-security.md"]


def missing_tests(page: str) -> list[str]:
    """Files of tests, tests and planted bugs that a page names and that do not exist."""
    files = set(re.findall(r"`(tests/[^`]+)`", page))
    there = [ROOT / name for name in files if (ROOT / name).exists()]
    defined = {
        name
        for file in there
        for name in re.findall(r"def (\w+)\(", file.read_text(encoding="utf-8"))
    }
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+){2,})`", page))
    return sorted({name for name in files if not (ROOT / name).exists()} | (named - defined))


@pytest.mark.parametrize("page", HELD, ids=lambda page: page.name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"`tests/", text)) > 10
    assert missing_tests(text) == []


def test_a_test_that_is_named_and_does_not_exist_is_found() -> None:
    page = "`tests/house/test_docs.py`: `test_it_is_right`, `a_test_of_ours`, and `tests/no.py`"
    assert missing_tests(page) == ["a_test_of_ours", "test_it_is_right", "tests/no.py"]


def test_a_promise_without_its_test_is_found() -> None:
    page = "".join(f"| {n} | x | not yet true | `tests/gone.py` |\n" for n in range(6))
    assert unheld(page + "| 7 | x | held | `tests/gone.py` |\n") == ["7: tests/gone.py"]
    assert unheld(page + "| 7 | x | held in part | `tests/house/test_docs.py` |\n") == []
    assert unheld(page + "| 7 | x | held | nothing |\n") == ["7: no test"]
