"""What must be covered to the last branch is there, and all of it is named."""

from __future__ import annotations

import re

from tests.house.reading import PACKAGE, ROOT

CHECK = ROOT / "scripts" / "check.sh"
#: What moves, stops, undoes and tries again lives here, whatever its files are called.
MACHINE = PACKAGE / "machine"


def patterns() -> list[str]:
    """The files that ``make check`` wants every branch of."""
    given = re.findall(r"""^whole=['"](.+)['"]$""", CHECK.read_text(encoding="utf-8"), re.MULTILINE)
    joined = ",".join(part.removeprefix("$whole,") for part in given)
    return joined.split(",")


def test_every_pattern_names_files() -> None:
    """Or a file that is renamed would be let off."""
    found = patterns()
    assert len(found) > 5
    assert [pattern for pattern in found if not list(ROOT.glob(pattern))] == []


def test_all_of_the_machine_and_of_hooks_is_named() -> None:
    named = {path for pattern in patterns() for path in ROOT.glob(pattern)}
    hooks = [*PACKAGE.glob("drivers/hook*.py"), *PACKAGE.glob("conductor/hook*.py")]
    assert set(MACHINE.rglob("*.py")) | set(hooks) <= named
