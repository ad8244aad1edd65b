"""Everything that is measured, in one table: ``make bench``.

Each ratio is of two sides measured in turns in the same minute; absolute figures follow the
machine and whatever else it does. A goal is the largest ratio, or the largest value where there
is no other side, that we want.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import engine
import memory
import startup
from measure import Figure, header, line, plain

#: How many times its goal a ratio may be before it is called a regression: machines are busy.
GUARD = 3.0
HERE = Path(__file__).resolve().parent
#: Measured by programs of their own, with tables of their own.
OTHERS: dict[str, list[str]] = {
    "account": [],
    "expressions": [],
    "journal": ["--turns"],
    "metg": [],
    "runtimes": [],
}


def others(*, quick: bool) -> None:
    """The parts: where the time of a run goes, expressions, the store, where code runs."""
    for name, arguments in OTHERS.items():
        given = [*arguments, "4" if quick else "16"] if arguments else []
        print(f"\n{name}\n", flush=True)
        subprocess.run([sys.executable, HERE / f"{name}.py", *given], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns; under a minute")
    parser.add_argument("--json", action="store_true", help="print figures for a program")
    parser.add_argument("--only-engine", action="store_true", help="leave out the parts")
    parser.add_argument("--guard", action="store_true", help="fail if a ratio is far from its goal")
    given = parser.parse_args()
    about = f"Python {platform.python_version()}, {os.cpu_count()} processors"
    if not given.json:
        print(f"{about}; ratios of medians measured in turns\n\n{header()}", flush=True)
    figures: list[Figure] = []
    for part in (
        lambda: startup.main(quick=given.quick),
        lambda: asyncio.run(engine.main(quick=given.quick)),
        lambda: memory.main(quick=given.quick),
    ):
        made = part()
        figures += made
        if not given.json:
            print("\n".join(map(line, made)), flush=True)
    if given.json:
        print(json.dumps({"about": about, "figures": [plain(figure) for figure in figures]}))
    elif not given.only_engine:
        others(quick=given.quick)
    far = [figure for figure in figures if far_off(figure)]
    if given.guard and far:
        sys.exit("\n".join(["\nFAR FROM THEIR GOALS:", *map(line, far)]))


def far_off(figure: Figure) -> bool:
    """Whether a ratio is many times what is wanted."""
    known = figure.ratio is not None and figure.goal is not None
    return known and figure.ratio > GUARD * figure.goal


if __name__ == "__main__":
    main()
