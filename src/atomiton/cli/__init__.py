"""The command line: one verb per file, each loaded only when it is called.

``app`` holds the table of verbs and turns every error into one message and an exit status.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit status."""
    from atomiton.cli.app import run_app

    sys.exit(run_app(sys.argv[1:] if arguments is None else list(arguments)))
