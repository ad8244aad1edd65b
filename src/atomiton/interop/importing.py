"""Imports a workflow of another kind: finds out what it is, and makes a blueprint that is valid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import Final, Protocol

from atomiton.blueprint.compile import compile_blueprint
from atomiton.blueprint.document import read_blueprint
from atomiton.blueprint.emit import to_yaml
from atomiton.errors import BlueprintError, Problem
from atomiton.interop import asl, data, n8n, node_red, serverless
from atomiton.interop.draft import Draft
from atomiton.interop.report import Report
from atomiton.nodes.registry import Registry

_TRIES = 200


class Importer(Protocol):
    """What the module of a format offers."""

    def fits(self, document: object) -> bool:
        """Whether a document looks like one of this format."""
        ...

    def convert(self, document: object, name: str) -> Draft:
        """Make a blueprint of it."""
        ...


_IMPORTERS: Final[dict[str, ModuleType]] = {
    "n8n": n8n,
    "node-red": node_red,
    "serverless": serverless,
    "asl": asl,
}

FORMATS: Final = tuple(_IMPORTERS)
"""Names of the formats that can be imported."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A blueprint that was made of a workflow of another kind.

    Attributes:
        text: The blueprint, as YAML; it is valid.
        report: What became of each part.
    """

    text: str
    report: Report


def import_workflow(
    text: str | bytes, format_: str | None = None, *, filename: str = "workflow"
) -> Imported:
    """Make a blueprint of a workflow of another kind.

    What cannot be mapped is a node that fails with the code ``NOT_MAPPED`` and says why; what the
    file says of it is kept in ``metadata.imported``.

    Args:
        text: The file, JSON or YAML.
        format_: One of ``FORMATS``; found out of the content by default.
        filename: Name of the file, for messages and for the id of the blueprint.

    Raises:
        BlueprintError: The text cannot be read, is of none of the formats, or the blueprint would
            be larger than blueprints may be.

    Example:
        >>> machine = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
        >>> made = import_workflow(machine)
        >>> made.report.format, made.report.exact
        ('asl', True)
    """
    document = data.read(text, filename)
    name = format_ or _recognised(document)
    importer = _IMPORTERS[name]
    draft: Draft = importer.convert(document, _bare(filename))
    written = _valid(draft)
    draft.admit()
    return Imported(written, draft.report)


def _recognised(document: object) -> str:
    for name, importer in _IMPORTERS.items():
        if importer.fits(document):
            return name
    raise data.refused(
        "this is no workflow of a known format", f"known are: {', '.join(FORMATS)}; or say --from"
    )


def _bare(filename: str) -> str:
    last = re.split(r"[/\\]", filename)[-1]
    return re.sub(r"(?:\.asl)?\.(?:json|ya?ml)$", "", last, flags=re.IGNORECASE)


def _valid(draft: Draft) -> str:
    """The text of the blueprint, which can be run: what keeps it from that is marked instead."""
    for _ in range(_TRIES):
        written = _written(draft)
        problems = _problems(written)
        if not problems:
            return written
        if not _mark(draft, problems):
            raise BlueprintError(problems)
    raise data.refused("no valid blueprint can be made of this workflow")


def _written(draft: Draft) -> str:
    try:
        return to_yaml(draft.document())  # type: ignore[arg-type]
    except (ValueError, RecursionError) as error:
        raise data.refused(f"the workflow holds what a blueprint cannot hold: {error}") from error


def _problems(written: str) -> list[Problem]:
    try:
        blueprint, document = read_blueprint(written, "the blueprint")
        compile_blueprint(blueprint, Registry.builtin(), document.positions)
    except BlueprintError as error:
        return list(error.problems)
    return []


def _mark(draft: Draft, problems: list[Problem]) -> bool:
    """Put placeholders where problems are; False if that is not where a node is."""
    entries = {entry.node: entry for entry in draft.report.entries if entry.node}
    marked = False
    for problem in problems:
        parts = (problem.path or "").split(".")
        inner = [after for part, after in pairwise(parts) if part == "nodes"]
        for id_ in reversed(inner):
            if id_ in entries and draft.replace(
                entries[id_], f"what was made of it is not valid: {problem.message}"
            ):
                marked = True
                break
    return marked
