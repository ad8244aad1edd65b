"""The blueprints to begin with that come with Atomiton: each a folder of ``atomiton/templates``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from atomiton.blueprint.yaml import load


class Template(msgspec.Struct, frozen=True):
    """A blueprint to begin with.

    Attributes:
        name: Its name, and its blueprint's id.
        title: For people.
        description: What it does.
        files: Paths of its files; the blueprint is the first.
    """

    name: str
    title: str
    description: str
    files: list[str]

    def contents(self) -> dict[str, bytes]:
        """Path to content of each of its files."""
        return {name: (_FOLDER / self.name / name).read_bytes() for name in self.files}


_FOLDER = Path(__file__).parents[1] / "templates"


def templates() -> list[Template]:
    """All of them, by name.

    Example:
        >>> templates()[0].files
        ['api-sync.yaml']
    """
    return [_template(folder) for folder in sorted(_FOLDER.iterdir()) if folder.is_dir()]


def _template(folder: Path) -> Template:
    main = f"{folder.name}.yaml"
    head = load((folder / main).read_bytes(), filename=main).data
    others = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = [main, *sorted(name for name in others if name != main)]
    return Template(folder.name, str(head["name"]), str(head["description"]), files)
