"""What an examination of a store finds."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["damage", "attention", "note"]
"""``damage``: something is not what was written. ``attention``: somebody has to do something.
``note``: good to know; all is well."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was found.

    Attributes:
        code: What it is, as a word for programs.
        severity: How bad it is.
        message: What it is, as a sentence.
        fix: What to do about it; empty if nothing has to be done.
        run: The run it is about.
    """

    code: str
    severity: Severity
    message: str
    fix: str = ""
    run: str | None = None


#: What can be done about facts that are not what was written.
RESTORE = "restore the store from a backup; `atomiton runs delete RUN` removes a run that has ended"
