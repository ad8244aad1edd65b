"""Writes what a package brings for the shell: the manual page, and completion for three shells.

    python -m scripts.man            writes packaging/; make man

All of it is made of the commands themselves. A wheel lays it where ``man`` and the shells look.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from pathlib import Path

from click.shell_completion import get_completion_class
from scripts.commands import Verb, verbs

from atomiton.cli.app import app

FOLDER = Path(__file__).resolve().parents[1] / "packaging"
SHELLS = {"bash": "atomiton.bash", "zsh": "_atomiton", "fish": "atomiton.fish"}

_STATUS = (
    ("0", "Completed; for other commands: done."),
    ("1", "The run failed, or the store cannot be used."),
    ("2", "Refused before anything ran."),
    ("3", "The run was cancelled."),
    ("4", "The run was left on record without having ended."),
    ("70", "A bug in Atomiton; with --debug it shows where."),
    ("130", "Stopped by Ctrl-C before the run began."),
    ("141", "Whoever read the output went away."),
)
_VARIABLES = (
    ("ATOMITON_STORE", "Where runs are kept, unless --store says."),
    ("ATOMITON_TOKEN", "What a client shows to a server."),
    ("ATOMITON_DEBUG", "Like --debug."),
    ("ATOMITON_SECRET_NAME", "The secret NAME of blueprints."),
)


def manual() -> str:
    """The manual page, in the language of man(7)."""
    program, *rest = verbs()
    lines = [
        f'.TH ATOMITON 1 "" "Atomiton {version("atomiton")}" "User Commands"',
        ".SH NAME",
        "atomiton \\- run workflows that are written as blueprints",
        ".SH SYNOPSIS",
        f".B atomiton\n{_plain(program.usage)}",
        ".SH DESCRIPTION",
        *_paragraphs(program),
        ".SH OPTIONS",
        *_options(program),
        ".SH COMMANDS",
    ]
    for verb in rest:
        lines += [f".SS {_plain(verb.name)} {_plain(verb.usage)}", *_paragraphs(verb)]
        lines += _options(verb)
    lines += [".SH EXIT STATUS", *_terms(_STATUS), ".SH ENVIRONMENT", *_terms(_VARIABLES)]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text that is no request to the formatter."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def _paragraphs(verb: Verb) -> list[str]:
    return [f".PP\n{_plain(part)}" for part in verb.text]


def _options(verb: Verb) -> list[str]:
    return _terms(verb.options)


def _terms(pairs: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> list[str]:
    return [f".TP\n.B {_plain(name)}\n{_plain(text)}" for name, text in pairs]


def completion(shell: str) -> str:
    """The script that makes a shell complete the words of ``atomiton``."""
    kind = get_completion_class(shell)
    assert kind is not None
    text = kind(app, {}, "atomiton", "_ATOMITON_COMPLETE").source()
    return text.strip() + "\n"


def files() -> dict[str, str]:
    """Every file, by its name."""
    return {"atomiton.1": manual(), **{name: completion(of) for of, name in SHELLS.items()}}


def main() -> int:
    """Write them."""
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
