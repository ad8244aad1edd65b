"""Finding the blueprints that blueprints call, and keeping them together with their callers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from atomiton.blueprint.model import Blueprint
from atomiton.errors import NotFound

ENDINGS = (".yaml", ".yml", ".json")

BUNDLE = "bundle"
"""Key of a record that holds a blueprint together with those that it calls."""

Read = Callable[[Path], Blueprint]


class Calls:
    """Finds blueprints by the names that callers write; made anew for each compilation.

    Args:
        read: Reads a file.
        folder: Where the file of a blueprint is; None when it is from no file.
        known: Finds what a caller calls by id, beside files; None if it is not known.
    """

    def __init__(
        self,
        read: Read,
        folder: Callable[[Blueprint], Path | None],
        known: Callable[[Blueprint, str], Blueprint | None],
    ) -> None:
        self._read = read
        self._folder = folder
        self._known = known
        self._files: dict[Path, Blueprint] = {}
        self._found: dict[tuple[int, str], Blueprint] = {}

    def resolve(self, caller: Blueprint, name: str) -> Blueprint:
        """The blueprint that ``caller`` calls ``name``.

        Raises:
            NotFound: There is none; says where it was looked for.
            BlueprintError: It is not a blueprint.
        """
        key = (id(caller), name)
        if key not in self._found:
            self._found[key] = self._find(caller, name)
        return self._found[key]

    def _find(self, caller: Blueprint, name: str) -> Blueprint:
        folder = self._folder(caller)
        if name.startswith((".", "/")):
            if folder is None and not name.startswith("/"):
                raise NotFound(
                    f"'{name}' is beside the file of '{caller.id}', which is from no file; "
                    "call it by id, or give the whole path"
                )
            return self._file((folder or Path()) / name)
        id_, _, version = name.partition("@")
        found = self._known(caller, id_) or self._beside(folder, id_)
        if found is None:
            where = f"in {folder}" if folder else "among the known ones"
            raise NotFound(f"there is no blueprint '{id_}' {where}; call a file as './{id_}.yaml'")
        if version and found.version != version:
            has = f"version {found.version}" if found.version else "no version"
            raise NotFound(f"'{id_}' has {has}, not {version}")
        return found

    def _beside(self, folder: Path | None, id_: str) -> Blueprint | None:
        if folder is None:
            return None
        for ending in ENDINGS:
            path = folder / f"{id_}{ending}"
            if path.is_file():
                return self._file(path)
        return None

    def _file(self, path: Path) -> Blueprint:
        path = path.resolve()
        if path not in self._files:
            self._files[path] = self._read(path)
        return self._files[path]

    def bundle(self, blueprint: Blueprint) -> dict[str, object]:
        """A blueprint and what it calls, as a record: ``{document, calls: {name: {...}}}``."""
        calls = {
            name: self.bundle(found)
            for (caller, name), found in self._found.items()
            if caller == id(blueprint)
        }
        return {"document": blueprint.document, "calls": calls}


class StoredCalls:
    """Finds blueprints in the record that was made of a caller and what it calls."""

    def __init__(self, read: Callable[[object], Blueprint]) -> None:
        self._read = read
        self._found: dict[tuple[int, str], Blueprint] = {}
        self._made: list[Blueprint] = []

    def open(self, record: Mapping[str, object]) -> Blueprint:
        """The blueprint of a record; those that it calls can be resolved from then on."""
        blueprint = self._read(record["document"])
        self._made.append(blueprint)  # or another might come to have its identity
        calls = cast("Mapping[str, Mapping[str, object]]", record["calls"])
        for name, called in calls.items():
            self._found[id(blueprint), name] = self.open(called)
        return blueprint

    def resolve(self, caller: Blueprint, name: str) -> Blueprint:
        """The blueprint that ``caller`` calls ``name``; ``NotFound`` if the record has none."""
        found = self._found.get((id(caller), name))
        if found is None:
            raise NotFound(f"the record of '{caller.id}' has no blueprint '{name}'")
        return found
