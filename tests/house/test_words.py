"""What is committed speaks of the product only: no place it was built in, no one's machine."""

from __future__ import annotations

import hashlib
import re

import pytest
from tests.house.reading import ROOT, tracked

LOCKS = {"uv.lock", "package-lock.json"}


def joined(*words: str) -> list[str]:
    """Words written with a ``~`` in them, so that this page does not break its own rules."""
    return [word.replace("~", "") for word in words]


HOSTS = joined(
    r"py~pi\.org", r"python~hosted\.org", r"npm~js\.org", r"crates\.~io", r"proxy\.go~lang\.org"
)
PLACES = joined(
    r"(?<![\w.])/(?:wo~rk|fa~rm|ro~ot)/",
    r"/(?:ho~me|Us~ers)/(?!(?:user|you|me|alice|bob)/)[a-z]+/",
)
ATTRIBUTION = joined(r"\bco-~authored-by\b", r"\b(?:issue|pull request|pr) #~\d+")
FORBIDDEN = re.compile("|".join([*HOSTS, *PLACES, *ATTRIBUTION]), re.IGNORECASE)
#: Names that belong in no file here, as the start of their SHA-256: a list of them would be one.
NAMES = frozenset(
    [
        "3ea125d0bff3",
        "57de4cf40144",
        "60965168ce76",
        "7d3194f79e64",
        "94a168d2da57",
        "c70eca6b0f88",
        "c857d09db23e",
        "d298391b0743",
        "de2187af3fb0",
        "fa08b6209310",
    ]
)

PAGE = re.compile(r"\b[A-Z][A-Z_]+\.md\b")
(PUBLIC_INDEX,) = joined("https://py~pi.org/simple")


def text_files() -> list[tuple[str, str]]:
    """Name and text of what is committed; lock files and what is not text are left out."""
    found = []
    for path in tracked():
        content = path.read_bytes()
        if path.name not in LOCKS and b"\0" not in content:
            found.append((str(path.relative_to(ROOT)), content.decode("utf-8", "replace")))
    return found


def digest(word: str) -> str:
    return hashlib.sha256(word.lower().encode()).hexdigest()[:12]


def forbidden_words(text: str, names: frozenset[str] = NAMES) -> list[str]:
    """Every forbidden word, with its line."""
    bad = {word for word in set(re.findall(r"[a-z]+", text.lower())) if digest(word) in names}
    rules = re.compile(
        "|".join([FORBIDDEN.pattern, *(rf"\b{word}\b" for word in bad)]), re.IGNORECASE
    )
    return [
        f"{number}: {found.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for found in rules.finditer(line)
    ]


def unknown_pages(text: str, known: set[str]) -> list[str]:
    """Pages in capitals that a text speaks of but that nobody can read here."""
    return sorted(set(PAGE.findall(text)) - known)


def test_nothing_tells_where_it_was_made() -> None:
    files = text_files()
    assert len(files) > 10
    found = [f"{name}:{word}" for name, text in files for word in forbidden_words(text)]
    assert found == []


def test_only_pages_that_exist_are_spoken_of() -> None:
    known = {path.name for path in tracked(".md")}
    found = {name: unknown_pages(text, known) for name, text in text_files()}
    found.pop("tests/house/test_words.py", None)
    assert {name: pages for name, pages in found.items() if pages} == {}


def test_the_lock_names_the_public_index_only() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    registries = set(re.findall(r'registry = "([^"]+)"', lock))
    assert registries == {PUBLIC_INDEX}


@pytest.mark.parametrize(
    "text",
    joined(
        "https://py~pi.org/simple",
        "see /wo~rk/main/x",
        '"/ro~ot/.cache"',
        "/ho~me/jenkins/build",
        "fixes issue #~12",
    ),
)
def test_a_forbidden_word_is_found(text: str) -> None:
    assert len(forbidden_words(f"fine\n{text}")) == 1


def test_a_forbidden_name_is_found_by_its_digest() -> None:
    names = frozenset({digest("zanzibar")})
    assert forbidden_words("fine\nmade by Zanzibar", names) == ["2: Zanzibar"]
    assert forbidden_words("zanzibars", names) == []


@pytest.mark.parametrize(
    "text",
    ["https://example.org/work/x", "src/work/a.py", "/home/user/data", "user-agent", "a session"],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert forbidden_words(text) == []


def test_a_page_that_is_not_there_is_found() -> None:
    assert unknown_pages("see README.md and PLAN.md", {"README.md"}) == ["PLAN.md"]
