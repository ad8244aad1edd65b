"""Which node types there are: the built-in ones, those of installed packages, and one's own.

A family's module is imported when one of its names is first asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import cast

from atomiton.errors import BlueprintError, NotFound, Problem
from atomiton.nodes.spec import NodeFunction, NodeType

AnyFunction = NodeFunction[..., object]

_HERE = "atomiton.nodes"
#: Name of each built-in node type to the module that holds it.
BUILTIN: Mapping[str, str] = {
    **dict.fromkeys(
        ("data.value", "data.edit", "data.map", "data.filter", "data.reduce"), f"{_HERE}.data"
    ),
    **dict.fromkeys(
        (
            "data.sort",
            "data.unique",
            "data.flatten",
            "data.slice",
            "data.group",
            "data.aggregate",
        ),
        f"{_HERE}.lists",
    ),
    **dict.fromkeys(("json.parse", "json.format"), f"{_HERE}.json"),
    **dict.fromkeys(
        (
            "file.read",
            "file.write",
            "file.list",
            "file.copy",
            "file.move",
            "file.delete",
            "file.exists",
        ),
        f"{_HERE}.file",
    ),
    **dict.fromkeys(("flow.fail", "flow.log"), f"{_HERE}.flow"),
    **dict.fromkeys(("sheet.read", "sheet.write"), f"{_HERE}.sheet"),
    **dict.fromkeys(("sql.query", "sql.execute"), f"{_HERE}.sql"),
    **dict.fromkeys(
        ("text.template", "text.split", "text.join", "text.match", "text.replace"), f"{_HERE}.text"
    ),
    **dict.fromkeys(("csv.parse", "csv.format"), f"{_HERE}.csv"),
    **dict.fromkeys(("yaml.parse", "yaml.format"), f"{_HERE}.yaml"),
    "xml.parse": f"{_HERE}.xml",
    "html.select": f"{_HERE}.html",
    "hash.digest": f"{_HERE}.hash",
    "crypto.sign": f"{_HERE}.crypto",
    **dict.fromkeys(("date.now", "date.parse", "date.add", "date.format"), f"{_HERE}.date"),
    **dict.fromkeys(("archive.zip", "archive.unzip"), f"{_HERE}.archive"),
    **dict.fromkeys(
        ("image.info", "image.resize", "image.convert", "image.crop", "image.rotate"),
        f"{_HERE}.image",
    ),
    **dict.fromkeys(
        ("image.compose", "image.watermark", "image.grayscale", "image.blur"), f"{_HERE}.imaging"
    ),
    "http.request": f"{_HERE}.http",
    **dict.fromkeys(("ftp.get", "ftp.put", "ftp.list"), f"{_HERE}.ftp"),
    **dict.fromkeys(("queue.publish", "queue.consume", "queue.ack"), f"{_HERE}.queue"),
    **dict.fromkeys(("s3.get", "s3.put", "s3.list"), f"{_HERE}.s3"),
    **dict.fromkeys(("sftp.get", "sftp.put", "sftp.list"), f"{_HERE}.sftp"),
    "llm.chat": f"{_HERE}.llm",
    "mcp.call": f"{_HERE}.mcp",
    "mcp.run": f"{_HERE}.mcp",
    "mail.send": f"{_HERE}.mail",
    "webhook.send": f"{_HERE}.webhook",
    "python.run": f"{_HERE}.python",
    "shell.run": f"{_HERE}.shell",
}
#: Installed packages offer node types under this entry point group.
GROUP = "atomiton.nodes"


class Registry:
    """Node types by name.

    Example:
        >>> Registry.builtin().get("data.filter@1").title
        'Filter'
    """

    def __init__(self) -> None:
        self._types: dict[tuple[str, int], NodeType] = {}
        self._newest: dict[str, int] = {}
        self._modules: dict[str, str] = {}
        self._entry_points_loaded = True
        self.loaded: list[ModuleType] = []
        """The files that were run, in order."""

    @classmethod
    def builtin(cls) -> Registry:
        """A new registry of all built-in and installed node types, none of them loaded yet."""
        registry = cls()
        registry._modules.update(BUILTIN)
        registry._entry_points_loaded = False
        return registry

    def get(self, name: str) -> NodeType:
        """Find a node type.

        Args:
            name: ``type`` for its newest version, or ``type@major``.

        Raises:
            NotFound: There is none; the message names the nearest.
        """
        base, _, major = name.partition("@")
        found = self._find(base, major)
        if found is None and not self._entry_points_loaded:
            self.load_entry_points()
            found = self._find(base, major)
        if found is None:
            raise self._missing(base, major)
        return found

    def takes_expression(self, name: str, parameter: str) -> bool:
        """Whether a parameter of a node type takes a bare expression; ``NotFound`` as ``get``.

        Example:
            >>> Registry.builtin().takes_expression("data.filter", "where")
            True
        """
        ports = self.get(name).parameters
        found = [port for port in ports if port.name == parameter and not port.variadic]
        found += [port for port in ports if port.variadic]
        return bool(found) and found[0].expression

    def __contains__(self, name: str) -> bool:
        base, _, major = name.partition("@")
        return self._find(base, major) is not None

    def __iter__(self) -> Iterator[NodeType]:
        return iter(self.types())

    def add(self, item: AnyFunction | NodeType) -> NodeType:
        """Add a node type; one of the same name and version is replaced.

        Args:
            item: A function made by ``@node``, or a node type.

        Returns:
            The node type.
        """
        type_ = item if isinstance(item, NodeType) else item.type
        self._types[type_.name, type_.version] = type_
        self._newest[type_.name] = max(type_.version, self._newest.get(type_.name, 0))
        return type_

    def load_file(self, path: str | Path) -> list[NodeType]:
        """Add every node type of a file: of Python, which is run, or of declarations.

        Args:
            path: The file; ``.yaml`` and ``.yml`` declare programs and modules.

        Returns:
            The node types, in the order of the file.

        Raises:
            BlueprintError: The file cannot be read or run; it names the line.
        """
        place = Path(path).resolve()
        if place.suffix in (".yaml", ".yml"):
            from atomiton.nodes.programs.manifest import read_manifest

            return [self.add(type_) for type_ in read_manifest(place)]
        # Two files of one name are two modules; the same file is always the same.
        mark = hashlib.sha256(str(place).encode()).hexdigest()[:12]
        name = f"atomiton_file_{mark}.{place.stem}"
        spec = importlib.util.spec_from_file_location(name, place)
        if spec is None or spec.loader is None or not place.is_file():
            raise _broken(f"cannot read node types from {str(path)!r}: no such Python file", None)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # a user's file may raise anything
            del sys.modules[name]
            line = _line(error, place)
            at = f":{line}" if line else ""
            kind = type(error).__name__
            raise _broken(f"{path!s}{at}: {kind}: {error}", line) from error
        self.loaded.append(module)
        return [self.add(item) for item in functions_of(module) if item.__module__ == name]

    def load_entry_points(self) -> None:
        """Add the node types of installed packages; those here already stay as they are."""
        from importlib.metadata import entry_points  # costs 20 ms

        self._entry_points_loaded = True
        for point in entry_points(group=GROUP):
            try:
                offered = cast("object", point.load())
            except Exception as error:  # a package may raise anything
                message = f"package {point.value!r} cannot be loaded: {error}"
                raise _broken(message, None) from error
            for item in functions_of(offered):
                if item.type.name not in self:
                    self.add(item)

    def names(self) -> list[str]:
        """All names, sorted; loads nothing but the list of installed packages."""
        if not self._entry_points_loaded:
            self.load_entry_points()
        return sorted({*self._modules, *self._newest})

    def types(self) -> list[NodeType]:
        """The newest version of every node type, by name; loads all of them."""
        return [self.get(name) for name in self.names()]

    def _find(self, base: str, major: str) -> NodeType | None:
        if base in self._modules and base not in self._newest:
            module = self._modules[base]
            for item in functions_of(importlib.import_module(module)):
                if item.__module__ == module and item.type.name not in self._newest:
                    self.add(item)
        if base not in self._newest:
            return None
        if not major:
            return self._types[base, self._newest[base]]
        return self._types.get((base, int(major))) if major.isdecimal() else None

    def _missing(self, base: str, major: str) -> NotFound:
        from difflib import get_close_matches  # only for errors

        if base in self._newest:
            versions = ", ".join(str(v) for n, v in sorted(self._types) if n == base)
            return NotFound(
                f"node type {base!r} has no version {major!r}; there is {versions}",
                code="UNKNOWN_NODE_TYPE",
                details={"name": base, "nearest": [base]},
            )
        names = self.names()
        near = get_close_matches(base, names, 3, 0.6)
        near += [name for name in names if name.endswith(f".{base}") and name not in near]
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return NotFound(
            f"there is no node type {base!r}{hint}",
            code="UNKNOWN_NODE_TYPE",
            details={"name": base, "nearest": near},
        )


def functions_of(offered: object) -> list[AnyFunction]:
    """The node functions of a module, a list, or the one that is given."""
    if isinstance(offered, NodeFunction):
        return [cast("AnyFunction", offered)]
    if isinstance(offered, ModuleType):
        offered = list(vars(offered).values())
    if not isinstance(offered, Iterable):
        return []
    items = cast("Iterable[object]", offered)
    return [cast("AnyFunction", item) for item in items if isinstance(item, NodeFunction)]


def _line(error: BaseException, place: Path) -> int | None:
    """Line of a file in which an error arose."""
    if isinstance(error, SyntaxError) and error.filename == os.fspath(place):
        return error.lineno
    lines = [
        f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(place)
    ]
    return lines[-1] if lines else None


def _broken(message: str, line: int | None) -> BlueprintError:
    column = None if line is None else 1
    return BlueprintError([Problem("INVALID_BLUEPRINT", message, line=line, column=column)])
