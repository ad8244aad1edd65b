"""The command line: one verb per file, each loaded only when it is called.

``app`` holds the table of verbs and turns every error into one message and an exit status.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from atomiton.cli.interrupts import keep_interrupts


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit status."""
    try:
        keep_interrupts()
        from atomiton.cli.app import run_app
    except KeyboardInterrupt:  # pressed at once: nobody wants to read where that was
        sys.exit(130)
    status = run_app(sys.argv[1:] if arguments is None else list(arguments))
    if arguments is None and "temporalio" in sys.modules:
        _leave(status)
    sys.exit(status)


def _leave(status: int) -> NoReturn:
    """End the process without taking the interpreter down piece by piece.

    Temporal's SDK has threads of its own, and one that comes back to Python while the interpreter
    is being taken down ends the process by SIGABRT, whatever its exit status was.
    """
    with suppress(OSError, ValueError):  # nobody reads it
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
