"""``atomiton refactor rename``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from atomiton.cli.options import complete_file, json_option, nodes_option
from atomiton.cli.status import COMPLETED, REFUSED

if TYPE_CHECKING:
    from atomiton.blueprint.rename import Renamed
    from atomiton.conductor.library import Library


@click.command("rename")
@click.argument("file", metavar="FILE", shell_complete=complete_file)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--dry-run", is_flag=True, help="Show the change and do not write it.")
@json_option
@nodes_option
def command(
    file: str, old: str, new: str, nodes: tuple[str, ...], *, dry_run: bool, as_json: bool
) -> int:
    """Rename a node and every reference to it.

    OLD is the id of a node, inside groups with theirs: group.inner. NEW is its new id alone. Only
    the names are changed; every other byte of the file stays. Refused is a name that would then
    mean something else.

    Exit status: 0 if it was renamed, 2 if not.
    """
    from atomiton.cli.output import print_json
    from atomiton.cli.prepare import make_library, read_source
    from atomiton.cli.refusal import Refused, problem_object, show_problems

    try:
        library = make_library(nodes)
        before = read_source(file)
        result = _rename(before, file, old, new, library)
        if not dry_run:
            _write(file, before, result.text)
    except Refused as refused:
        if as_json:
            problems = [problem_object(problem) for problem in refused.problems]
            print_json({"file": file, "written": False, "problems": problems})
        else:
            show_problems(refused.problems, refused.file, err=True)
        return REFUSED
    diff = _diff(before, result.text, file) if dry_run else None
    if as_json:
        print_json(_object(file, old, new, result, diff))
    else:
        _show(file, old, new, result, diff)
    return COMPLETED


def _rename(before: bytes, file: str, old: str, new: str, library: Library) -> Renamed:
    from atomiton.blueprint.document import read_blueprint
    from atomiton.blueprint.rename import rename_node
    from atomiton.cli.refusal import Refused, problems_of
    from atomiton.errors import AtomitonError

    try:
        read_blueprint(before, filename=file)
        text = before.decode()
        _check(text, file, library)
        result = rename_node(text, old, new, library.registry.takes_expression)
        _check(result.text, file, library)
    except AtomitonError as error:
        problems = problems_of(error)
        placed = any(problem.line for problem in problems)
        raise Refused(problems, file if placed else "") from error
    return result


def _check(text: str, file: str, library: Library) -> None:
    """Refuse a file that cannot be run for another reason than that it asks for what is to come.

    Raises:
        BlueprintError: With every problem found.
    """
    from pathlib import Path

    from atomiton.errors import BlueprintError

    try:
        library.check(text, Path(file))
    except BlueprintError as error:
        problems = error.problems
        if any(problem.code == "NOT_SUPPORTED" for problem in problems):
            # What else is found may be a consequence of what is not understood.
            problems = tuple(p for p in problems if p.code == "UNKNOWN_NODE_TYPE")
        if problems:
            raise BlueprintError(problems) from None


def _write(file: str, before: bytes, text: str) -> None:
    """Put the text in place of the file in one step, unless somebody changed it meanwhile."""
    import os
    from pathlib import Path

    from atomiton.cli.prepare import read_source
    from atomiton.cli.refusal import Refused
    from atomiton.errors import Problem
    from atomiton.nodes.guard.disk import write_whole

    content = text.encode()
    try:
        if read_source(file) != before:
            raise Refused([Problem("NOT_ALLOWED", f"{file} was changed by somebody else")])
        if not os.access(file, os.W_OK):  # a new file could take its place all the same
            raise Refused([Problem("NOT_ALLOWED", f"{file} is not to be written")])
        write_whole(Path(file), lambda temporary: temporary.write_bytes(content), overwrite=True)
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise Refused([Problem("NOT_ALLOWED", message)]) from error


def _diff(before: bytes, after: str, file: str) -> str:
    from difflib import unified_diff

    old, new = (text.replace("\r\n", "\n").splitlines() for text in (before.decode(), after))
    return "\n".join(unified_diff(old, new, file, file, lineterm="", n=1))


def _object(file: str, old: str, new: str, result: Renamed, diff: str | None) -> dict[str, object]:
    shown: dict[str, object] = {
        "file": file,
        "old": old,
        "new": _path(old, new),
        "written": diff is None,
        "count": len(result.lines),
        "lines": sorted(set(result.lines)),
        "notes": list(result.notes),
    }
    return shown if diff is None else {**shown, "diff": diff}


def _show(file: str, old: str, new: str, result: Renamed, diff: str | None) -> None:
    from atomiton.cli.output import note

    if diff is not None:
        click.echo(diff)
    lines = sorted(set(result.lines))
    times = f"{len(result.lines)} place{'s' if len(result.lines) > 1 else ''}"
    where = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}"
    done = "is now" if diff is None else "would be"
    note(f"{file}: '{old}' {done} '{_path(old, new)}': {times}, {where}")
    for sentence in result.notes:
        note(f"note: {sentence}", fg="yellow")


def _path(old: str, new: str) -> str:
    return f"{old.rpartition('.')[0]}.{new}".lstrip(".")
