"""The container file names what is there. ``make image`` builds it, and tries what was built."""

from __future__ import annotations

import json
import re
import tomllib

from tests.acceptance.test_doc_blocks import known
from tests.house.reading import ROOT

TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
LAST = TEXT[TEXT.rindex("\nFROM ") :]


def test_what_is_copied_is_there() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert len(copied) > 5
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_the_studio_is_built_with_what_it_offers() -> None:
    source = (ROOT / "studio" / "src" / "app" / "templates.ts").read_text(encoding="utf-8")
    named = re.findall(r'"(?:\.\./){3}([^"]+)"', source)
    wanted = {path.partition("*")[0].rstrip("/") for path in named}
    stage = TEXT[: TEXT.index(" AS build")]
    copied = re.findall(r"^COPY (\S+) /src/\1$", stage, re.MULTILINE)
    assert len(wanted & {path for path in wanted if (ROOT / path).exists()}) > 5
    assert [path for path in wanted if not path.startswith(tuple(copied))] == []


def test_nothing_that_was_built_here_gets_into_it() -> None:
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".git", ".venv", "studio/node_modules", "src/atomiton/studio/static"} <= set(left_out)


def test_what_a_build_needs_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    hatch = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = [*hatch["packages"], *hatch["shared-data"], project["project"]["readme"]]
    for name in needed:
        assert f" {name.partition('/')[0]} " in TEXT.replace("\n", " \n"), name


def test_its_extras_are_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)$", TEXT, re.MULTILINE)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def test_it_serves_as_a_user_without_rights() -> None:
    (user,) = re.findall(r"^USER (\S+)$", LAST, re.MULTILINE)
    assert user != "root"
    assert re.search(rf"^RUN useradd .+ {user}\b", LAST, re.MULTILINE)
    (entry,) = re.findall(r"^ENTRYPOINT (\[.+\])$", LAST, re.MULTILINE)
    (command,) = re.findall(r"^CMD (\[.+\])$", LAST, re.MULTILINE)
    words = [*json.loads(entry), *json.loads(command)]
    assert words[:2] == ["atomiton", "serve"]
    known(" ".join(words))
